//! `creel.toml`: read, checked, and every mistake pointed at by file, line and column.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use toml::Spanned;

use super::{
    endpoint::{Endpoint, Learned, Respond},
    secret::Source,
    settings,
};
use crate::{record::Failure, verify::Secret, wire::Limits};

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
    pub(super) limits: Limits,
    pub(super) notices: Vec<Notice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    listen: Option<String>,
    db: Option<PathBuf>,
    #[serde(default)]
    endpoint: Vec<EndpointRow>,
    limits: Option<LimitRows>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointRow {
    name: Spanned<String>,
    path: Spanned<String>,
    provider: Option<Spanned<String>>,
    secret: Option<Sources>,
    url: Option<String>,
    forward: Option<Spanned<String>>,
    respond: Option<RespondRow>,
    #[serde(default = "yes")]
    handshake: bool,
    verify_token: Option<Source>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Sources {
    One(Source),
    Several(Vec<Source>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RespondRow {
    status: Option<Spanned<u16>>,
    body: Option<String>,
    content_type: Option<String>,
}

/// The limits that can be set, named with their units. What each is for stands at `wire::Limits`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitRows {
    head_s: Option<u64>,
    head_kib: Option<usize>,
    headers: Option<usize>,
    body_idle_s: Option<u64>,
    body_total_s: Option<u64>,
    body_mib: Option<usize>,
    in_flight_mib: Option<usize>,
    keep_alive_s: Option<u64>,
    connections: Option<usize>,
    connections_per_address: Option<usize>,
    drain_s: Option<u64>,
}

/// Reads the one named file, or `creel.toml` here over the user's.
pub(super) fn read(named: Option<&Path>) -> Result<File, Failure> {
    if let Some(path) = named {
        let text = fs::read_to_string(path).map_err(|why| Failure::new(format!("reading {}", path.display()), why))?;
        return parse(path, &text);
    }
    let local = read_if_there(Path::new(NAME))?.unwrap_or_default();
    let user = match settings::user_config() {
        Some(path) => read_if_there(&path)?.unwrap_or_default(),
        None => File::default(),
    };
    Ok(local.over(user))
}

fn read_if_there(path: &Path) -> Result<Option<File>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => parse(path, &text).map(Some),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Failure::new(format!("reading {}", path.display()), why)),
    }
}

impl File {
    /// This file's words before the other's. An endpoint of the other is kept where no own one has its name or path.
    fn over(mut self, other: Self) -> Self {
        let taken = |e: &Endpoint| self.endpoints.iter().any(|own| own.name == e.name || own.path == e.path);
        let kept: Vec<_> = other.endpoints.into_iter().filter(|e| !taken(e)).collect();
        self.endpoints.extend(kept);
        self.notices.extend(other.notices);
        Self {
            listen: self.listen.or(other.listen),
            db: self.db.or(other.db),
            limits: if self.limits == Limits::default() { other.limits } else { self.limits },
            ..self
        }
    }
}

fn parse(path: &Path, text: &str) -> Result<File, Failure> {
    let place = Place { path, text };
    let rows: Rows = toml::from_str(text).map_err(|error| place.syntax(&error))?;
    let mut file = File { listen: rows.listen, db: rows.db, ..File::default() };
    if let Some(rows) = rows.limits {
        rows.lay_over(&mut file.limits);
    }
    for row in rows.endpoint {
        check_endpoint(&place, &row, &file.endpoints)?;
        let (endpoint, notices) = row.endpoint()?;
        file.endpoints.push(endpoint);
        file.notices.extend(notices);
    }
    Ok(file)
}

fn check_endpoint(place: &Place<'_>, row: &EndpointRow, before: &[Endpoint]) -> Result<(), Failure> {
    let path = row.path.get_ref();
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Err(place.at(&row.path.span(), format!("`{path}` is no path: it starts with / and has no query")));
    }
    if before.iter().any(|e| e.path.trim_end_matches('/') == path.trim_end_matches('/')) {
        return Err(place.at(&row.path.span(), format!("two endpoints have the path `{path}`")));
    }
    let name = row.name.get_ref();
    if before.iter().any(|e| e.name == *name) {
        return Err(place.at(&row.name.span(), format!("two endpoints are called `{name}`")));
    }
    if let Some(provider) = &row.provider {
        known_provider(provider.get_ref()).map_err(|hint| {
            place.at(&provider.span(), format!("no provider is called `{}`", provider.get_ref())).hint(hint)
        })?;
    }
    if let Some(forward) = &row.forward
        && !["http://", "https://"].iter().any(|scheme| forward.get_ref().starts_with(scheme))
    {
        let why = format!("`{}` is no URL: it starts with http:// or https://", forward.get_ref());
        return Err(place.at(&forward.span(), why));
    }
    match row.respond.as_ref().and_then(|respond| respond.status.as_ref()) {
        Some(status) if !(200..=599).contains(status.get_ref()) => {
            Err(place.at(&status.span(), format!("{} is no status to answer: 200 to 599", status.get_ref())))
        }
        _ => Ok(()),
    }
}

impl EndpointRow {
    fn endpoint(self) -> Result<(Endpoint, Vec<Notice>), Failure> {
        let name = self.name.into_inner();
        let sources = match self.secret {
            None => Vec::new(),
            Some(Sources::One(source)) => vec![source],
            Some(Sources::Several(sources)) => sources,
        };
        let (secrets, mut notices) = read_secrets(&name, &sources)?;
        let (tokens, more) = read_secrets(&name, self.verify_token.as_slice())?;
        notices.extend(more);
        let respond = self.respond.map_or_else(Respond::default, RespondRow::respond);
        let endpoint = Endpoint {
            name,
            path: self.path.into_inner(),
            provider: self.provider.map(Spanned::into_inner),
            secrets,
            url: self.url,
            forward: self.forward.map(Spanned::into_inner),
            respond,
            handshake: self.handshake,
            verify_token: tokens.into_iter().next(),
            learned: Learned::default(),
        };
        Ok((endpoint, notices))
    }
}

impl RespondRow {
    fn respond(self) -> Respond {
        let default = Respond::default();
        let text = if self.body.is_some() { "text/plain; charset=utf-8".to_owned() } else { default.content_type };
        Respond {
            status: self.status.map_or(default.status, Spanned::into_inner),
            content_type: self.content_type.unwrap_or(text),
            body: self.body,
        }
    }
}

/// Reads the secrets of an endpoint; a variable that is not set becomes a notice.
pub(super) fn read_secrets(endpoint: &str, sources: &[Source]) -> Result<(Vec<Secret>, Vec<Notice>), Failure> {
    let mut secrets = Vec::new();
    let mut notices = Vec::new();
    for source in sources {
        match source.read()? {
            Some(secret) => secrets.push(secret),
            None => notices.push(format!(
                "{} is not set: signatures of the endpoint `{endpoint}` may stay unchecked",
                source.name()
            )),
        }
    }
    Ok((secrets, notices))
}

/// Whether the catalog knows a provider; else what to do instead.
pub(super) fn known_provider(name: &str) -> Result<(), String> {
    let catalog = super::catalog().map_err(|failure| failure.to_string())?;
    match (catalog.get(name), catalog.nearest(name)) {
        (Some(_), _) => Ok(()),
        (None, Some(near)) => Err(format!("did you mean `{near}`? `creel providers` lists them all")),
        (None, None) => Err("`creel providers` lists them all".to_owned()),
    }
}

impl LimitRows {
    fn lay_over(&self, limits: &mut Limits) {
        let set = |value: Option<u64>, to: &mut Duration| {
            if let Some(seconds) = value {
                *to = Duration::from_secs(seconds);
            }
        };
        set(self.head_s, &mut limits.head_time);
        set(self.body_idle_s, &mut limits.body_idle);
        set(self.body_total_s, &mut limits.body_total);
        set(self.keep_alive_s, &mut limits.keep_alive);
        set(self.drain_s, &mut limits.drain);
        let set = |value: Option<usize>, unit: usize, to: &mut usize| {
            if let Some(value) = value {
                *to = value.saturating_mul(unit);
            }
        };
        set(self.head_kib, 1 << 10, &mut limits.head_bytes);
        set(self.headers, 1, &mut limits.headers);
        set(self.body_mib, 1 << 20, &mut limits.body_bytes);
        set(self.in_flight_mib, 1 << 20, &mut limits.in_flight_bytes);
        set(self.connections, 1, &mut limits.connections);
        set(self.connections_per_address, 1, &mut limits.connections_per_address);
    }
}

/// A file under the reader's finger.
struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn at(&self, span: &Range<usize>, why: impl std::fmt::Display) -> Failure {
        let before = &self.text[..span.start.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Failure::new(format!("reading {}:{line}:{column}", self.path.display()), why)
    }

    fn syntax(&self, error: &toml::de::Error) -> Failure {
        let failure = self.at(&error.span().unwrap_or(0..0), error.message().trim_end());
        match nearest_key(error.message()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure,
        }
    }
}

/// The key nearest to the unknown one that a message names: "unknown field `a`, expected one of `b`, `c`".
fn nearest_key(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let mut quoted = rest.split('`').step_by(2);
    let unknown = quoted.next()?;
    quoted
        .map(|key| (strsim::damerau_levenshtein(unknown, key), key))
        .filter(|(distance, key)| *distance <= 1 + key.len() / 3)
        .min()
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> String {
        parse(Path::new("creel.toml"), text).unwrap_err().to_string()
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
        )
        .unwrap();
        assert_eq!((file.limits.body_bytes, file.limits.head_time), (1 << 20, Duration::from_secs(3)));
        let shop = &file.endpoints[0];
        assert_eq!((shop.secrets.len(), shop.respond.status), (1, 201));
        assert_eq!(shop.respond.content_type, "text/plain; charset=utf-8");
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
            ("listen = \n", "creel.toml:1:", "string"),
        ] {
            let said = failure(text);
            assert!(said.contains(place) && said.contains(words), "{text}\n→ {said}");
        }
    }

    #[test]
    fn the_local_file_goes_before_the_users() {
        let read = |text: &str| parse(Path::new("creel.toml"), text).unwrap();
        let local = read("listen = 'a'\n[[endpoint]]\nname = 'x'\npath = '/x'");
        let user = read(
            "listen = 'b'\ndb = 'd'\n[[endpoint]]\nname = 'x'\npath = '/y'\n[[endpoint]]\nname = 'z'\npath = '/z'",
        );
        let both = local.over(user);
        assert_eq!((both.listen.as_deref(), both.db.as_deref()), (Some("a"), Some(Path::new("d"))));
        assert_eq!(both.endpoints.iter().map(|e| &e.path[..]).collect::<Vec<_>>(), ["/x", "/z"]);
    }
}
