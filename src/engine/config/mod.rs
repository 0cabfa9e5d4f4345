//! `creel.toml`: read, checked, and every mistake pointed at by file, line and column. A file here for each table of it.

mod alert;
mod endpoint;
mod forward;
mod guard;
mod keep;
mod limits;
mod metrics;
mod place;
mod respond;
mod screen;
mod target;
mod tls;

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, de::DeserializeOwned};
use toml::Spanned;

pub use self::screen::{FilterRow, KeyWish, Screen};
use self::{
    alert::AlertRow, endpoint::EndpointRow, keep::KeepRow, limits::LimitRows, metrics::MetricsRow, target::TargetRow,
    tls::TlsRow,
};
pub(super) use self::{
    endpoint::{NO_URL, is_url},
    place::Place,
};
use super::{
    alert::Alert,
    bounds::Keep,
    catalog::Providers,
    endpoint::Endpoint,
    guard::Networks,
    identity::Tls,
    respond::Words,
    secret::Source,
    settings,
    target::{Target, Targets},
};
use crate::{query::Names, record::Failure, verify::Secret, wire::Limits};

/// The file's name, here and in the user's configuration folder.
pub(super) const NAME: &str = "creel.toml";

/// Something a person should know and need not act on.
pub type Notice = String;

/// What the configuration files say together.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) db: Option<PathBuf>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) targets: Vec<Target>,
    pub(super) limits: Limits,
    pub(super) trusted_proxies: Networks,
    pub(super) tls: Option<Tls>,
    pub(super) tunnel: Option<String>,
    pub(super) metrics: Option<SocketAddr>,
    pub(super) alerts: Vec<Alert>,
    pub(super) keep: Keep,
    pub(super) notices: Vec<Notice>,
    pub(super) screen: Screen,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    listen: Option<Spanned<String>>,
    db: Option<PathBuf>,
    #[serde(default)]
    target: Vec<TargetRow>,
    #[serde(default)]
    endpoint: Vec<EndpointRow>,
    limits: Option<LimitRows>,
    keep: Option<KeepRow>,
    theme: Option<String>,
    #[serde(default)]
    keys: screen::KeyRows,
    #[serde(default)]
    filters: screen::FilterRows,
    #[serde(default)]
    trusted_proxies: Vec<Spanned<String>>,
    tls: Option<Spanned<TlsRow>>,
    tunnel: Option<String>,
    metrics: Option<MetricsRow>,
    #[serde(default)]
    alert: Vec<AlertRow>,
}

/// The providers by which a file is read, for whoever needs one: most files name none.
pub(super) type AskProviders<'a> = &'a dyn Fn() -> Result<Providers, Failure>;

/// Reads the one named file, or `creel.toml` here over the user's. `names` are the filters for which `@name` stands in them:
/// those of both files, whichever of them uses one, and the saved ones.
pub(super) fn read(named: Option<&Path>, names: &Names, providers: AskProviders<'_>) -> Result<File, Failure> {
    let parse = |path: &Path, text: &str| parse(path, text, names, providers);
    if let Some(path) = named {
        let text = text_of(path).map_err(|why| Failure::new(format!("reading {}", path.display()), why))?;
        return parse(path, &text);
    }
    let local = if_there(Path::new(NAME), parse)?.unwrap_or_default();
    let user = match settings::user_config() {
        Some(path) => if_there(&path, parse)?.unwrap_or_default(),
        None => File::default(),
    };
    Ok(local.over(user))
}

/// What a row may mean by a name.
struct Named<'a> {
    targets: &'a Targets,
    filters: &'a Names,
    providers: AskProviders<'a>,
}

/// The filters that have names, of the one named file, or of `creel.toml` here over the user's; nothing else is looked at.
pub(super) fn filters(named: Option<&Path>) -> Result<Vec<FilterRow>, Failure> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Only {
        filters: screen::FilterRows,
    }
    let read = |path: &Path, text: &str| {
        let place = Place { path, text };
        let rows: Only = toml::from_str(text).map_err(|error| place.syntax(&error))?;
        Ok(screen::filters(rows.filters, &place))
    };
    if let Some(path) = named {
        let text = text_of(path).map_err(|why| Failure::new(format!("reading {}", path.display()), why))?;
        return read(path, &text);
    }
    let local = if_there(Path::new(NAME), read)?.unwrap_or_default();
    let user = settings::user_config().map_or(Ok(None), |path| if_there(&path, read))?;
    Ok(filters_over(local, user.unwrap_or_default()))
}

/// One file's filters, and those of the other whose names it does not have.
fn filters_over(mut rows: Vec<FilterRow>, others: Vec<FilterRow>) -> Vec<FilterRow> {
    let taken: Vec<_> = rows.iter().map(|row| row.name.clone()).collect();
    rows.extend(others.into_iter().filter(|row| !taken.contains(&row.name)));
    rows
}

/// Where files are looked for: the one named, or the usual two.
pub(super) fn places(named: Option<&Path>) -> Vec<PathBuf> {
    match named {
        Some(path) => vec![path.to_owned()],
        None => [Some(PathBuf::from(NAME)), settings::user_config()].into_iter().flatten().collect(),
    }
}

/// The files that are read: the one named, or those that are there of the usual two.
pub(super) fn files(named: Option<&Path>) -> Vec<PathBuf> {
    places(named).into_iter().filter(|it| named.is_some() || it.exists()).collect()
}

/// What these files say, each as it stands in it.
pub(super) fn tables(named: Option<&Path>) -> Result<Vec<toml::Table>, Failure> {
    let parse = |path: &Path, text: &str| toml::from_str(text).map_err(|error| Place { path, text }.syntax(&error));
    let tables = files(named).into_iter().map(|path| if_there(&path, parse));
    tables.filter_map(Result::transpose).collect()
}

/// A file's text. What is no plain file, such as a pipe, can be read only once, and is remembered.
fn text_of(path: &Path) -> io::Result<String> {
    static PIPES: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());
    if path.metadata()?.is_file() {
        return fs::read_to_string(path);
    }
    let mut pipes = PIPES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = pipes.get(path) {
        return Ok(known.clone());
    }
    let text = fs::read_to_string(path)?;
    pipes.insert(path.to_owned(), text.clone());
    Ok(text)
}

fn if_there<T>(path: &Path, read: impl FnOnce(&Path, &str) -> Result<T, Failure>) -> Result<Option<T>, Failure> {
    match text_of(path) {
        Ok(text) => read(path, &text).map(Some),
        Err(why) if settings::is_missing(&why) => Ok(None),
        Err(why) => Err(Failure::new(format!("reading {}", path.display()), why)),
    }
}

impl File {
    /// This file's words before the other's. An endpoint of the other is kept where no own one has its name or path.
    fn over(mut self, other: Self) -> Self {
        let taken = |e: &Endpoint| self.endpoints.iter().any(|own| own.name == e.name || own.path == e.path);
        let kept: Vec<_> = other.endpoints.into_iter().filter(|e| !taken(e)).collect();
        self.endpoints.extend(kept);
        let kept = other.targets.into_iter().filter(|target| self.targets.iter().all(|own| own.name != target.name));
        let kept: Vec<_> = kept.collect();
        self.targets.extend(kept);
        self.alerts.extend(other.alerts);
        self.notices.extend(other.notices);
        Self {
            listen: self.listen.or(other.listen),
            db: self.db.or(other.db),
            tls: self.tls.or(other.tls),
            tunnel: self.tunnel.or(other.tunnel),
            metrics: self.metrics.or(other.metrics),
            trusted_proxies: if self.trusted_proxies.is_empty() { other.trusted_proxies } else { self.trusted_proxies },
            keep: if self.keep == Keep::default() { other.keep } else { self.keep },
            limits: if self.limits == Limits::default() { other.limits } else { self.limits },
            screen: Screen {
                theme: self.screen.theme.or(other.screen.theme),
                // What stands later wins.
                keys: other.screen.keys.into_iter().chain(self.screen.keys).collect(),
                filters: filters_over(self.screen.filters, other.screen.filters),
            },
            ..self
        }
    }
}

/// A table, as a file has it, and its keys.
type Table = (&'static str, fn() -> Vec<String>);

/// The tables.
const TABLES: &[Table] = &[
    ("the file itself, above all tables", keys_of::<Rows>),
    ("[[endpoint]]", keys_of::<EndpointRow>),
    ("`forward`: forward = { to = \"http://HOST\", … }", keys_of::<forward::ForwardRow>),
    ("`guard`: guard = { … }", keys_of::<guard::GuardRow>),
    ("`respond`: respond = { … }", keys_of::<Words>),
    ("[[target]]", keys_of::<TargetRow>),
    ("[limits]", keys_of::<LimitRows>),
    ("[keep]", keys_of::<KeepRow>),
    ("[tls]", keys_of::<TlsRow>),
    ("[[alert]]", keys_of::<AlertRow>),
    ("[metrics]", keys_of::<MetricsRow>),
];

/// The table that has a key.
fn table_of(key: &str) -> Option<&'static str> {
    TABLES.iter().find(|(_, keys)| keys().iter().any(|known| known == key)).map(|(table, _)| *table)
}

/// The keys of a table, as it names them when it meets one that it does not know.
fn keys_of<T: DeserializeOwned>() -> Vec<String> {
    let said = toml::from_str::<T>("\"?\" = 0").err().map(|error| error.message().to_owned());
    said.unwrap_or_default().split('`').skip(1).step_by(2).skip(1).map(str::to_owned).collect()
}

fn parse(path: &Path, text: &str, names: &Names, providers: AskProviders<'_>) -> Result<File, Failure> {
    let place = Place { path, text };
    let rows: Rows = toml::from_str(text).map_err(|error| place.syntax(&error))?;
    let trusted_proxies = guard::networks(&rows.trusted_proxies, &place, providers)?;
    let tls = tls::read(rows.tls, &place)?;
    if let Some(listen) = &rows.listen {
        let wrong = |failure: Failure| place.at(&listen.span(), format!("`{}`: {}", listen.get_ref(), failure.why));
        settings::address(listen.get_ref())
            .map_err(|failure| wrong(failure).hint("write 127.0.0.1:27335, or a port alone"))?;
    }
    let listen = rows.listen.map(Spanned::into_inner);
    let mut file = File { listen, db: rows.db, trusted_proxies, tls, tunnel: rows.tunnel, ..File::default() };
    if let Some(rows) = rows.limits {
        rows.lay_over(&mut file.limits);
    }
    if let Some(row) = rows.keep {
        file.keep = row.read(&place)?;
    }
    for row in rows.target {
        let target = row.read(&place, &file.targets)?;
        file.targets.push(target);
    }
    let targets = Targets::new(file.targets.clone());
    let filters = screen::filters(rows.filters, &place);
    file.screen = Screen { theme: rows.theme, keys: screen::keys(rows.keys, &place)?, filters };
    for row in rows.endpoint {
        let named = Named { targets: &targets, filters: names, providers };
        let (endpoint, notices) = row.read(&place, &file.endpoints, &named)?;
        file.endpoints.push(endpoint);
        file.notices.extend(notices);
    }
    file.metrics = metrics::read(rows.metrics, &place)?;
    file.alerts = rows.alert.into_iter().map(|row| row.read(&place, names)).collect::<Result<_, _>>()?;
    Ok(file)
}

/// Reads the secrets of an endpoint, and tells which variables are not set.
pub(super) fn read_secrets(sources: &[Source]) -> Result<(Vec<Secret>, Vec<String>), Failure> {
    let mut secrets = Vec::new();
    let mut unset = Vec::new();
    for source in sources {
        match source.read()? {
            Some(secret) => secrets.push(secret),
            None => unset.push(source.name()),
        }
    }
    Ok((secrets, unset))
}

/// The same of those that a key of the file names; what cannot be read is pointed at.
fn read_secrets_at<T>(
    value: Option<&Spanned<T>>,
    sources: impl FnOnce(&T) -> &[Source],
    place: &Place<'_>,
) -> Result<(Vec<Secret>, Vec<String>), Failure> {
    let Some(value) = value else { return Ok(Default::default()) };
    read_secrets(sources(value.get_ref())).map_err(|failure| target::wrong_target(place, &value.span(), failure))
}

/// What a person should know of a variable that is not set.
pub(super) fn not_set(source: &str, endpoint: &str) -> Notice {
    format!("{source} is not set: signatures of the endpoint `{endpoint}` may stay unchecked")
}

/// Whether the catalog knows a provider; else what to do instead.
pub(super) fn known_provider(name: &str, providers: AskProviders<'_>) -> Result<(), String> {
    let catalog = providers().map_err(|failure| failure.to_string())?;
    match (catalog.get(name), catalog.nearest(name)) {
        (Some(_), _) => Ok(()),
        (None, Some(near)) => Err(format!("did you mean `{near}`? `creel providers` lists them all")),
        (None, None) => Err("`creel providers` lists them all".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::catalog;

    fn failure(text: &str) -> String {
        let names = crate::query::named([("bad", "sig:failed")]).0;
        parse(Path::new("creel.toml"), text, &names, &catalog).unwrap_err().to_string()
    }

    #[test]
    fn a_whole_file_is_read() {
        let file = parse(
            Path::new("creel.toml"),
            r#"
            listen = "127.0.0.1:0"
            [limits]
            body_mib = 1
            head_s = 3
            [[endpoint]]
            name = "shop"
            path = "/shop"
            provider = "stripe"
            secret = [{ command = "echo one" }, { env = "CREEL_TEST_NO_SUCH_VARIABLE" }]
            forward = "http://localhost:3000/hooks"
            respond = { status = 201, body = "ok" }
            "#,
            &Names::new(),
            &catalog,
        )
        .unwrap();
        assert_eq!((file.limits.body_bytes, file.limits.head_time), (1 << 20, Duration::from_secs(3)));
        let shop = &file.endpoints[0];
        assert_eq!((shop.secrets.len(), shop.respond.file().status), (1, 201));
        assert_eq!(shop.respond.file().content_type, "text/plain; charset=utf-8");
        assert!(file.notices[0].contains("CREEL_TEST_NO_SUCH_VARIABLE"), "{:?}", file.notices);
    }

    #[test]
    fn every_mistake_is_pointed_at() {
        let endpoint = "[[endpoint]]\nname = 'a'\npath = '/a'\n";
        for (text, place, words) in [
            ("lisen = 'x'", "creel.toml:1:1", "did you mean `listen`?"),
            (&format!("{endpoint}secert = {{ env = 'X' }}"), "creel.toml:4:1", "did you mean `secret`?"),
            (&format!("{endpoint}provider = 'strpe'"), "creel.toml:4:12", "did you mean `stripe`?"),
            (&format!("{endpoint}forward = 'localhost'"), "creel.toml:4:11", "http://"),
            (&format!("{endpoint}respond = {{ status = 99 }}"), "creel.toml:4:22", "200 to 599"),
            (&format!("{endpoint}{endpoint}"), "creel.toml:6:8", "two endpoints have the path"),
            ("[[endpoint]]\nname = 'a'\npath = 'a'", "creel.toml:3:8", "no path"),
            ("[[endpoint]]\nname = 'a'", "creel.toml:1:1", "missing field `path`"),
            ("listen = 5", "creel.toml:1:10", "expected a string"),
            ("db = 5", "creel.toml:1:6", "expected a path in quotation marks"),
            ("[limits]\nconnections = 0", "creel.toml:2:15", "expected a whole number from 1 to"),
            ("[limits]\nbody_total_s = 99999999999", "creel.toml:2:16", "expected a whole number from 1 to"),
            ("[[endpoint]]\nname = ''\npath = '/a'", "creel.toml:2:8", "an endpoint has a name"),
            (&format!("{endpoint}url = 'shop.example/hook'"), "creel.toml:4:7", "https://HOST/PATH"),
            (&format!("{endpoint}strict = 1"), "creel.toml:4:10", "expected true or false"),
            (&format!("{endpoint}respond = {{ headers = [1] }}"), "creel.toml:4:23", "expected a table: { … }"),
            (
                &format!("{endpoint}respond = {{ headers = {{ X = 5 }} }}"),
                "creel.toml:4:29",
                "a header has a text, or a list of them",
            ),
            (&format!("{endpoint}secret = {{ evn = 'X' }}"), "creel.toml:4:", "did you mean `env`?"),
            (&format!("{endpoint}secret = [{{ env = 'X' }}, 'trout']"), "creel.toml:4:", "say where it is: { env ="),
            (&format!("{endpoint}secret = 'trout'"), "creel.toml:4:10", "say where it is: { env ="),
            (&format!("{endpoint}secret = {{}}"), "creel.toml:4:10", "no source is named"),
            (
                &format!("{endpoint}secret = {{ env = 'X', file = 'Y' }}"),
                "creel.toml:4:10",
                "several secrets are a list",
            ),
            (&format!("{endpoint}secret = 5"), "creel.toml:4:10", "or a list of them"),
            (&format!("{endpoint}verify_token = 'trout'"), "creel.toml:4:16", "say where it is: { env ="),
            (&format!("{endpoint}guard = {{ token = 'trout' }}"), "creel.toml:4:19", "say where it is: { env ="),
            (&format!("{endpoint}guard = 'trout'"), "creel.toml:4:9", "write it as { token = { env ="),
            (&format!("{endpoint}guard = {{ basic = 'trout' }}"), "creel.toml:4:19", "password = { env ="),
            (&format!("{endpoint}guard = {{ header = 'X: trout' }}"), "creel.toml:4:20", "value = { env ="),
            (&format!("{endpoint}guard = {{ rate = {{ per_mintue = 5 }} }}"), "creel.toml:4:20", "`per_minute`?"),
            (&format!("{endpoint}guard = {{ basic = {{ usr = 'x' }} }}"), "creel.toml:4:21", "did you mean `user`?"),
            (
                &format!("{endpoint}forward = 'http://u:trout@h'"),
                "creel.toml:4:11",
                "http://******@h`: a URL with a name",
            ),
            (&format!("{endpoint}forward = {{ to = 'http://h', transfrom = '.' }}"), "creel.toml:4:30", "`transform`?"),
            (&format!("{endpoint}forward = {{ to = 'http://h', retry = 3 }}"), "creel.toml:4:38", "a list of times"),
            (
                &format!("{endpoint}forward = {{ to = 'http://h', timeout_s = 0 }}"),
                "creel.toml:4:42",
                "seconds to wait",
            ),
            (
                &format!("{endpoint}forward = {{ to = 'http://h', when = 'sgi:x' }}"),
                "creel.toml:4:37",
                "no field `sgi`",
            ),
            (&format!("{endpoint}forward = [{{ to = 'http://h' }}, {{ to = 'h' }}]"), "creel.toml:4:40", "http://"),
            (
                &format!("{endpoint}forward = [{{ to = 'http://h' }}, {{ to = 'http://h' }}]"),
                "creel.toml:4:40",
                "twice",
            ),
            (&format!("{endpoint}forward = 5"), "creel.toml:4:11", "a URL, a target's name"),
            (&format!("{endpoint}transform = '.'"), "creel.toml:4:1", "`transform` is a key of `forward`"),
            (&format!("{endpoint}status = 500"), "creel.toml:4:1", "`status` is a key of `respond`"),
            (&format!("{endpoint}forward = {{ auto = true, o = 1 }}"), "creel.toml:4:26", "unknown field `o`"),
            ("body_mib = 5", "creel.toml:1:1", "`body_mib` is a key of [limits]"),
            ("[limits]\nendpoint = 5", "creel.toml:2:1", "`endpoint` is a key of the file itself"),
            ("listen = \n", "creel.toml:1:", "string"),
            ("[keep]\nfor = '30'", "creel.toml:2:7", "write it like for = \"30d\""),
            ("[keep]\nfor = 30", "creel.toml:2:7", "`30` is no time"),
            ("[keep]\nfor = '0d'", "creel.toml:2:7", "of nothing nothing is kept"),
            ("[keep]\ncaptures = 0", "creel.toml:2:12", "leave the key out"),
            ("[keep]\nmib = -1", "creel.toml:2:7", "a whole number, 0 or more"),
            ("[keep]\nmbi = 1", "creel.toml:2:1", "did you mean `mib`?"),
            ("captures = 5", "creel.toml:1:1", "`captures` is a key of [keep]"),
        ] {
            let said = failure(text);
            assert!(said.contains(place) && said.contains(words), "{text}\n→ {said}");
            assert!(!said.contains("trout"), "a secret is not repeated: {said}");
        }
    }

    #[test]
    fn a_filter_of_forwarding_takes_names_and_a_mistake_in_it_is_pointed_at() {
        let names = crate::query::named([("bad", "sig:failed")]).0;
        let rows = "[[endpoint]]\nname = 'a'\npath = '/a'\n[[endpoint.forward]]\nto = 'http://localhost:1'\nwhen = '@bad size>1k'\n\
                    [[endpoint.forward]]\nto = 'http://localhost:2'\nwhen = ";
        let file = parse(Path::new("creel.toml"), &format!("{rows}'not @bad'"), &names, &catalog).unwrap();
        let whens: Vec<_> = file.endpoints[0].forwards.iter().map(|row| row.when.as_ref().unwrap().text()).collect();
        assert_eq!(whens, ["@bad size>1k", "not @bad"]);
        for (when, words) in [
            ("'@bda'", "`when`: no filter has the name `bda`, at column 1; did you mean `@bad`?"),
            ("'size>1k sgi:failed'", "`when`: there is no field `sgi`, at column 9"),
        ] {
            let said = failure(&format!("{rows}{when}"));
            assert!(said.contains("creel.toml:9:8") && said.contains(words), "{said}");
        }
    }

    #[test]
    fn the_local_file_goes_before_the_users() {
        let read = |text: &str| parse(Path::new("creel.toml"), text, &Names::new(), &catalog).unwrap();
        let local = read("listen = '1'\n[[endpoint]]\nname = 'x'\npath = '/x'");
        let user = read(
            "listen = '2'\ndb = 'd'\n[[endpoint]]\nname = 'x'\npath = '/y'\n[[endpoint]]\nname = 'z'\npath = '/z'",
        );
        let both = local.over(user);
        assert_eq!((both.listen.as_deref(), both.db.as_deref()), (Some("1"), Some(Path::new("d"))));
        assert_eq!(both.endpoints.iter().map(|e| &e.path[..]).collect::<Vec<_>>(), ["/x", "/z"]);
    }
}
