//! What leaves the screen for other programs: a body to a shell command, a URL to the browser.

use super::{act, plain, say};
use crate::{
    body,
    engine::{
        self,
        pipe::{self, Piped},
    },
    record::{CaptureId, Failure, counted},
    tui::{
        copy,
        effect::Effect,
        filters,
        model::{Model, Notice, Tone},
        prompt::{Prompt, Purpose},
        sheet::Content,
    },
};

/// Up to which byte of a body a URL is looked for.
const LOOKED_AT: usize = 64 << 10;

/// Asks which command the selected capture's body goes to; the last one is there already.
pub(super) fn ask_pipe(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.list.row().map(|row| row.id) else {
        let text = "there is no body to give to a command yet".to_owned();
        return plain(model, text, None);
    };
    let last = model.commands.first().cloned().unwrap_or_default();
    model.prompt = Some(Prompt::new(Purpose::Pipe(id), &last));
    Vec::new()
}

pub(super) fn pipe(model: &mut Model, id: CaptureId, command: &str) -> Vec<Effect> {
    if command.trim().is_empty() {
        return Vec::new();
    }
    // As in a shell: who begins with a blank has it forgotten.
    if !command.starts_with(' ') {
        let before = std::mem::take(&mut model.commands);
        model.commands = filters::merged(std::iter::once(command.trim()).chain(before.iter().map(|text| &text[..])));
    }
    plain(model, format!("`{command}` runs"), None);
    vec![Effect::Pipe { id, command: command.to_owned() }]
}

/// The command ended, or was ended.
pub(super) fn piped(model: &mut Model, command: &str, piped: Result<Piped, Failure>) -> Vec<Effect> {
    let Piped { output, ended } = match piped {
        Ok(piped) => piped,
        Err(failure) => return say(model, Notice::of(&failure)),
    };
    model.notice = None;
    let mut lines: Vec<_> = output.split(|&byte| byte == b'\n').map(body::escape_bytes).collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let words = ended.unwrap_or_else(|| counted(lines.len() as u64, "line"));
    act::show(model, format!("{}: {words}", body::fit(command, 40)), Content::Text(lines))
}

/// Asks whether the URL under the cursor is opened; else the first of the body; else the provider's own page.
pub(super) fn ask_browse(model: &mut Model) -> Vec<Effect> {
    let effects = super::list::open_selected(model);
    model.browses = model.list.selected.filter(|_| copy::open(model).is_none());
    if model.browses.is_some() {
        return effects;
    }
    let Some(url) = url(model) else {
        let text = "there is no URL under the cursor or in the body, and no provider is known".to_owned();
        return plain(model, text, None);
    };
    model.prompt = Some(Prompt::new(Purpose::Browse, &url));
    Vec::new()
}

/// A capture was read: where its URL was asked for, it is asked now.
pub(super) fn opened(model: &mut Model) -> Vec<Effect> {
    let is_it = model.browses.is_some() && model.browses == model.detail.id() && model.browses == model.list.selected;
    model.browses = None;
    if is_it { ask_browse(model) } else { Vec::new() }
}

fn url(model: &Model) -> Option<String> {
    let under = copy::bytes(model, &copy::Copied::Value).map(|value| String::from_utf8_lossy(&value).into_owned());
    let capture = copy::open(model);
    let in_body = || {
        let bytes = &capture?.body.bytes;
        first_url(&String::from_utf8_lossy(&bytes[..bytes.len().min(LOOKED_AT)]))
    };
    let docs = || {
        let catalog = engine::catalog().ok()?;
        let provider = catalog.get(capture?.provider.as_deref()?)?;
        Some(provider.docs().to_owned()).filter(|docs| pipe::is_web(docs))
    };
    under.filter(|value| pipe::is_web(value)).or_else(in_body).or_else(docs)
}

/// The first URL in a text, in which JSON may have escaped the slashes.
fn first_url(text: &str) -> Option<String> {
    let text = text.replace("\\/", "/");
    let starts = text.match_indices("http").map(|(at, _)| &text[at..]);
    let urls = starts.map(|rest| {
        let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'<>\\`".contains(c);
        rest.split(ends).next().unwrap_or_default().trim_end_matches(['.', ',', ')', ']', '}'])
    });
    urls.filter(|url| pipe::is_web(url)).map(str::to_owned).next()
}

pub(super) fn browsed(model: &mut Model, url: &str, browsed: Result<(), Failure>) -> Vec<Effect> {
    let notice = match browsed {
        Ok(()) => Notice { tone: Tone::Good, text: format!("the browser was handed {url}"), hint: None },
        Err(failure) => Notice::of(&failure),
    };
    say(model, notice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_url_of_a_text_is_found_whole() {
        let cases = [
            (r#"{"a":"http","url":"https:\/\/api.x.com\/v1?a=1&b=2"}"#, Some("https://api.x.com/v1?a=1&b=2")),
            ("see (http://a.b/c).", Some("http://a.b/c")),
            ("<a href='https://x.y'>", Some("https://x.y")),
            ("file:///etc/passwd ftp://x", None),
        ];
        for (text, url) in cases {
            assert_eq!(first_url(text).as_deref(), url, "{text}");
        }
    }
}
