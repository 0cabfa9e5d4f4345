//! What a configuration says, in rows: for who wants to see it before creel runs by it. No secret is in it, only how many there
//! are.

use std::path::PathBuf;

use super::{
    alert::{self, Alert},
    config::{self, Notice, Screen},
    endpoint::Endpoint,
    forward::{self, Answering, Forward, Order},
    identity::Tls,
    respond::Respond,
    settings::{self, Settings, Wishes},
};
use crate::record::{Failure, counted};

/// A configuration, read and checked.
pub struct Outline {
    /// The files it was read from.
    pub files: Vec<PathBuf>,
    /// What they say: of what, and what.
    pub rows: Vec<(&'static str, String)>,
    /// What a person should know: a variable that is not set.
    pub notices: Vec<Notice>,
    /// What they say of the screen, which alone knows its keys and themes.
    pub screen: Screen,
}

/// Reads the configuration as a start would, checks its programs and the user's own providers, and starts nothing.
pub fn outline(wishes: &Wishes) -> Result<Outline, Failure> {
    let settings = Settings::resolve(wishes)?;
    forward::check(&settings.endpoints)?;
    super::catalog()?;
    settings.tls.as_ref().map_or(Ok(()), Tls::check)?;
    let files = config::files(wishes.config.as_deref());
    Ok(Outline { files, rows: rows(&settings), notices: settings.notices, screen: settings.screen })
}

fn rows(settings: &Settings) -> Vec<(&'static str, String)> {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let mut rows =
        vec![("listens", format!("{scheme}://{}", settings.listen)), ("store", settings::shown(&settings.db))];
    rows.extend(settings.endpoints.iter().map(|it| ("endpoint", endpoint(it))));
    rows.extend(settings.targets.iter().map(|it| ("target", format!("{}: {}", it.title(), it.url))));
    rows.extend(settings.tunnel.iter().map(|command| ("tunnel", command.clone())));
    rows.extend(settings.alerts.iter().map(|it| ("alert", alert_of(it))));
    rows.extend(settings.metrics.iter().map(|address| ("metrics", address.to_string())));
    rows.extend(settings.keep.words().map(|words| ("keep", words.trim_start_matches("[keep] ").to_owned())));
    rows
}

fn endpoint(it: &Endpoint) -> String {
    let mut parts = vec![it.provider.clone().unwrap_or_else(|| "whoever the headers tell".to_owned())];
    parts.push(match it.secrets.len() {
        0 => "no secret".to_owned(),
        count => counted(count as u64, "secret"),
    });
    let marks = [(it.guard.is_some(), "guarded"), (it.strict, "strict"), (!it.handshake, "no handshakes")];
    parts.extend(marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word.to_owned()));
    if *it.respond.file() != Respond::default() {
        parts.push(format!("answers {}", it.respond.file()));
    }
    parts.extend(it.app.iter().filter(|_| it.forwards.is_empty()).map(|app| format!("r resends to {}", app.title())));
    parts.extend(it.forwards.iter().map(|forward| forwards(forward)));
    format!("{} at {}: {}", it.name, it.path, parts.join("; "))
}

fn forwards(it: &Forward) -> String {
    let when = it.when.as_ref().map_or("all".to_owned(), |filter| format!("`{}`", filter.text()));
    let marks = [
        (it.answer == Answering::Proxy, "proxied"),
        (it.order == Order::Kept, "in order"),
        (it.program.is_some(), "by jq"),
        (it.to.cloudevents, "as CloudEvents"),
        (it.to.resign, "signed anew"),
    ];
    let marks = marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| format!(", {word}"));
    format!("forwards {when} to {}{}", it.to.title(), marks.collect::<String>())
}

fn alert_of(it: &Alert) -> String {
    let when = match it.absent {
        Some(time) => format!("where nothing comes for {} of `{}`", alert::in_words(time), it.when.text()),
        None => format!("at `{}`, every {} at most", it.when.text(), alert::in_words(it.every)),
    };
    let run = it.run.as_ref().map_or(String::new(), |command| format!("; runs {command}"));
    format!("{when}{run}")
}
