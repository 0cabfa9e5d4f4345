//! What a running creel was told: flags and environment over `creel.toml` here over the user's file over defaults.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    alert::Alert,
    bounds::Keep,
    config::{self, AskProviders, File, Notice},
    endpoint::{Endpoint, Endpoints},
    filters::Filters,
    forward::{Answering, Forward},
    guard::Networks,
    identity::Tls,
    reread::Seen,
    secret::{self, Source},
    target::Targets,
};
use crate::{query, record::Failure, wire::Limits};

/// Where creel listens unless told otherwise: C-R-E-E-L on a phone's keys, on this machine only.
const LISTEN: &str = "127.0.0.1:27335";

/// What the command line and the environment say.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The configuration file to read instead of the usual two.
    pub config: Option<PathBuf>,
    /// The store.
    pub db: Option<PathBuf>,
    /// The address to listen on.
    pub listen: Option<String>,
    /// The open bin's provider.
    pub provider: Option<String>,
    /// Secrets of the open bin, given as they are. For trials: other users of the machine can read a command line.
    pub secrets: Vec<String>,
    /// Sources of the open bin's secrets.
    pub sources: Vec<Source>,
    /// The open bin's app.
    pub forward: Option<String>,
    /// Whether the open bin's captures go to its app by themselves, and who answers then.
    pub auto: Option<Answering>,
    /// The open bin's URL as its senders know it.
    pub url: Option<String>,
    /// Whether HTTPS is spoken, with creel's own certificate where no other is given.
    pub tls: bool,
    /// The command of a tunnel that leads here.
    pub tunnel: Option<String>,
}

/// All of it, resolved.
#[derive(Debug)]
pub struct Settings {
    /// What was wished for: what the configuration lies under when it is read again.
    pub(super) wishes: Wishes,
    /// The files as they were when they were read.
    pub(super) seen: Seen,
    /// The store.
    pub db: PathBuf,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Who may send where.
    pub endpoints: Endpoints,
    /// Where captures can be sent, by name.
    pub targets: Targets,
    /// By which papers HTTPS is spoken; none: HTTP.
    pub tls: Option<Tls>,
    /// The command of a tunnel that leads here.
    pub tunnel: Option<String>,
    /// Proxies that are believed when they say whom they forward for.
    pub trusted_proxies: Networks,
    /// The wire's limits.
    pub limits: Limits,
    /// Where metrics are told; none: nowhere.
    pub metrics: Option<SocketAddr>,
    /// What somebody wants to be told.
    pub(super) alerts: Vec<Alert>,
    /// How much is kept.
    pub keep: Keep,
    /// What a person should know and need not act on: a variable that is not set.
    pub notices: Vec<Notice>,
    /// How the screen looks, and what its keys do.
    pub screen: config::Screen,
}

impl Settings {
    /// Reads the configuration files and lays the wishes over them.
    pub fn resolve(wishes: &Wishes) -> Result<Self, Failure> {
        Self::by(wishes, &super::catalog)
    }

    /// The same where others than the providers in force may be named.
    pub(super) fn by(wishes: &Wishes, providers: AskProviders<'_>) -> Result<Self, Failure> {
        let seen = Seen::now(wishes)?;
        let named = Filters::read(wishes.config.as_deref())?;
        let mut file = config::read(wishes.config.as_deref(), &named.names, providers)?;
        let db = match wishes.db.clone().or(file.db.take()) {
            Some(path) => path,
            None => default_db()?,
        };
        let listen = wishes.listen.clone().or(file.listen.take()).unwrap_or_else(|| LISTEN.to_owned());
        let targets = Targets::new(std::mem::take(&mut file.targets));
        let (endpoints, notices) = endpoints(wishes, &targets, &mut file, providers)?;
        let tls = file.tls.take().or(wishes.tls.then_some(Tls::SelfMade));
        let tunnel = wishes.tunnel.clone().or(file.tunnel.take());
        let listen = address(&listen)?;
        if file.metrics == Some(listen) && listen.port() != 0 {
            let why = format!("{listen} is where webhooks come in, on every path");
            return Err(Failure::new("reading [metrics]", why).hint("give it another port: 27336, say"));
        }
        Ok(Self {
            wishes: wishes.clone(),
            seen,
            db,
            listen,
            endpoints,
            targets,
            tls,
            tunnel,
            trusted_proxies: file.trusted_proxies,
            limits: file.limits,
            metrics: file.metrics,
            alerts: file.alerts,
            keep: file.keep,
            notices,
            screen: file.screen,
        })
    }
}

fn endpoints(
    wishes: &Wishes,
    targets: &Targets,
    file: &mut File,
    providers: AskProviders<'_>,
) -> Result<(Endpoints, Vec<Notice>), Failure> {
    let mut endpoints = std::mem::take(&mut file.endpoints);
    let mut notices = std::mem::take(&mut file.notices);
    if wishes.wants_an_open_bin() {
        let at = endpoints.iter().position(|e| e.path == "/").unwrap_or_else(|| {
            endpoints.push(Endpoint::open_bin());
            endpoints.len() - 1
        });
        wishes.lay_over(&mut endpoints[at], targets, &mut notices, providers)?;
    }
    Ok((Endpoints::new(endpoints), notices))
}

impl Wishes {
    fn wants_an_open_bin(&self) -> bool {
        self.provider.is_some()
            || self.forward.is_some()
            || self.url.is_some()
            || !self.secrets.is_empty()
            || !self.sources.is_empty()
    }

    fn lay_over(
        &self,
        bin: &mut Endpoint,
        targets: &Targets,
        notices: &mut Vec<Notice>,
        providers: AskProviders<'_>,
    ) -> Result<(), Failure> {
        if let Some(provider) = &self.provider {
            config::known_provider(provider, providers).map_err(|hint| {
                Failure::new(format!("reading --provider {provider}"), "no such provider").hint(hint)
            })?;
            bin.provider = Some(provider.clone());
        }
        if let Some(forward) = &self.forward {
            let app = targets.named(forward)?;
            bin.forwards =
                self.auto.map(|answer| Arc::new(Forward::plain(&bin.name, app.clone(), answer))).into_iter().collect();
            bin.app = Some(app);
        }
        if let Some(url) = &self.url {
            whole_url(url)?;
            bin.url = Some(url.clone());
        }
        let (read, unset) = config::read_secrets(&self.sources)?;
        if !self.secrets.is_empty() || !self.sources.is_empty() {
            bin.secrets = [secret::plain(&self.secrets)?, read].concat();
        }
        notices.extend(unset.iter().map(|source| config::not_set(source, &bin.name)));
        bin.unset = unset;
        Ok(())
    }
}

/// Refuses what is given for the URL that a sender knows, and is none.
pub fn whole_url(text: &str) -> Result<(), Failure> {
    let wrong = || Failure::new(format!("reading --url {text}"), config::NO_URL);
    config::is_url(text).then_some(()).ok_or_else(wrong)
}

/// An address as `--listen` takes it: `ADDR:PORT`, or a port alone for loopback.
pub(super) fn address(text: &str) -> Result<SocketAddr, Failure> {
    let full = match text.strip_prefix(':').unwrap_or(text).parse::<u16>() {
        Ok(port) => format!("127.0.0.1:{port}"),
        Err(_) => text.replacen("localhost:", "127.0.0.1:", 1),
    };
    full.parse().map_err(|_| {
        Failure::new(format!("reading the address `{text}`"), "it is not ADDR:PORT")
            .hint("for example --listen 127.0.0.1:27335, or --listen 0 for a free port")
    })
}

/// A time as it is written in a configuration or on a command line, as in filters: `500ms`, `5s`, `1.5h`, `7d`, `2w`.
pub fn time(text: &str) -> Option<Duration> {
    query::span(text).and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis)
}

/// The store's place where nobody names one: the platform's data folder.
fn default_db() -> Result<PathBuf, Failure> {
    let strategy = etcetera::choose_base_strategy().map_err(|why| {
        Failure::new("looking for your data folder", why).hint("name the store: --db PATH, or CREEL_DB")
    })?;
    Ok(etcetera::BaseStrategy::data_dir(&strategy).join("creel").join("creel.db"))
}

/// The user's configuration file, whether or not it is there.
pub(super) fn user_config() -> Option<PathBuf> {
    config_folder().map(|folder| folder.join(config::NAME))
}

/// Whether nothing is there: a home that is no folder, such as `/dev/null`, holds nothing either.
pub(super) fn is_missing(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The user's folder for what creel is told.
pub fn config_folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(etcetera::BaseStrategy::config_dir(&strategy).join("creel"))
}

/// Where creel keeps its captures with these wishes; reads the configuration only where it has to.
pub fn store_path(wishes: &Wishes) -> Result<PathBuf, Failure> {
    match &wishes.db {
        Some(path) => Ok(path.clone()),
        None => Settings::resolve(&Wishes { config: wishes.config.clone(), ..Wishes::default() }).map(|s| s.db),
    }
}

/// Whether an address is of this machine alone.
pub fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().is_loopback()
}

/// A path as a person would write it: below the home folder with `~`.
pub fn shown(path: &Path) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match home.as_deref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(below) => format!("~/{}", below.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, ms) in [
            ("500ms", 500),
            ("5s", 5_000),
            ("2m", 120_000),
            ("1.5h", 5_400_000),
            ("1d", 86_400_000),
            ("1w", 604_800_000),
        ] {
            assert_eq!(time(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "5", "s", "5 s", "-5s", "5sec"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_is_read_in_three_forms() {
        for (text, address_) in [
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("0", "127.0.0.1:0"),
            (":8080", "127.0.0.1:8080"),
            ("localhost:9", "127.0.0.1:9"),
            ("[::1]:9", "[::1]:9"),
            ("0.0.0.0:9", "0.0.0.0:9"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), address_, "{text}");
        }
        assert!(address("example.com").unwrap_err().to_string().contains("ADDR:PORT"));
    }
}
