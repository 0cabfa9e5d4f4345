//! `creel verify`: is it from whom it says?

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use serde_json::json;

use super::{Answer, Common, Secrets, input, row};
use crate::{
    engine::{
        self, Engine, Judged, Settings,
        endpoint::{Endpoint, Endpoints},
        no_such_capture,
    },
    export::json as contract,
    import,
    query::Filter,
    record::{CaptureId, Failure, Flag, Head, Judgement, Timestamp, Verdict},
    store::{Bodies, Reader, Start},
    verify::{Provider, Request, Secret},
};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The capture's number; its endpoint's provider and secrets are used unless others are given
    #[arg(required_unless_present_any = ["file", "filter"], conflicts_with = "file", value_name = "ID", value_parser = input::id)]
    id: Option<i64>,
    /// All captures that this filter takes; with --keep
    #[arg(long, value_name = "FILTER", requires = "keep", conflicts_with_all = ["id", "file"])]
    filter: Option<String>,
    /// Keep the verdict in place of the one that was given when the capture came, by the secrets of the configuration
    #[arg(long, conflicts_with_all = ["file", "provider", "secret", "secret_env", "secret_file", "url", "now"])]
    keep: bool,
    /// A raw HTTP request: request line, headers, an empty line, the body to the end of the file; - for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Who should have sent it; else told by the headers
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    #[command(flatten)]
    secrets: Secrets,
    /// The URL as the sender knows it, for schemes that sign it
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The moment to judge a timestamp by, in Unix seconds [default: now for a file, its arrival for a capture]
    #[arg(long, value_name = "UNIX", value_parser = input::unix, allow_negative_numbers = true)]
    now: Option<i64>,
}

/// A request to judge, wherever it came from.
struct Case {
    head: Head,
    body: Bytes,
    truncated: bool,
    rewritten: bool,
    received_at: Timestamp,
    provider: Option<String>,
    url: Option<String>,
    secrets: Vec<Secret>,
    /// Where secrets should have come from, and did not.
    unset: Vec<String>,
    /// The endpoint it belongs to, and all of them: whose secrets may have been taken by mistake.
    endpoint: String,
    endpoints: Option<Endpoints>,
}

pub(super) fn run(verify: &Verify, common: &Common) -> Result<Answer, Failure> {
    if verify.keep {
        return keep(verify, common);
    }
    let mut case = match (&verify.file, verify.id) {
        (Some(path), _) => from_file(path)?,
        (None, Some(id)) => from_store(CaptureId(id), verify.secrets.is_empty(), common)?,
        (None, None) => return Err(Failure::new("verifying", "neither a number nor a file was given")),
    };
    if !verify.secrets.is_empty() {
        case.secrets = verify.secrets.read()?;
    }
    case.provider = verify.provider.clone().or(case.provider);
    case.url = verify.url.clone().or(case.url);
    if let Some(seconds) = verify.now {
        case.received_at = Timestamp::from_unix_s(seconds);
    }
    let (provider, judgement) = case.judge()?;
    print(provider, &judgement, common)?;
    Ok(if judgement.verdict == Verdict::Passed { Answer::Yes } else { Answer::No })
}

/// Judges captures again, and keeps the verdicts.
fn keep(verify: &Verify, common: &Common) -> Result<Answer, Failure> {
    let (engine, printer) = (Engine::visit(common.settings()?), common.printer());
    let ids = match &verify.filter {
        Some(text) => input::matching(&engine.reader()?, std::slice::from_ref(text), common)?,
        None => verify.id.iter().copied().map(CaptureId).collect(),
    };
    let judged = engine.judge_again(&ids)?;
    engine.stop()?;
    let Judged { passed, failed, open, left } = judged;
    match verify.id.map(CaptureId) {
        Some(id) if judged == Judged::default() => return Err(no_such_capture(id)),
        Some(id) if passed + failed > 0 => {
            let capture = engine.reader()?.capture(id, Bodies::Leave)?.ok_or_else(|| no_such_capture(id))?;
            let provider = capture.provider.as_deref().and_then(|name| engine::catalog().ok()?.get(name));
            print(provider, &capture.judgement, common)?;
        }
        _ if printer.json => {
            printer.value(&json!({"passed": passed, "failed": failed, "unchecked": open, "left": left}))?;
        }
        _ if printer.quiet => {}
        _ => printer.line(&format!("judged again: {judged}"))?,
    }
    Ok(if passed > 0 && failed + open + left == 0 { Answer::Yes } else { Answer::No })
}

fn from_file(path: &Path) -> Result<Case, Failure> {
    let bytes = input::read(path)?;
    let (head, body) = split(&Bytes::from(bytes)).ok_or_else(|| {
        Failure::new(format!("reading {}", path.display()), "it is no HTTP request")
            .hint("request line, headers, an empty line, then the body")
    })?;
    Ok(Case {
        head,
        body,
        truncated: false,
        rewritten: false,
        received_at: engine::now(),
        provider: None,
        url: None,
        secrets: Vec::new(),
        unset: Vec::new(),
        endpoint: String::new(),
        endpoints: None,
    })
}

/// Head and body of a raw request. A file that ends with its head has an empty body.
fn split(bytes: &Bytes) -> Option<(Head, Bytes)> {
    let mut at = 0;
    let end = loop {
        let line = at + memchr::memchr(b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
        let text = bytes[at..line].strip_suffix(b"\r").unwrap_or(&bytes[at..line]);
        at = (line + 1).min(bytes.len());
        if text.is_empty() || at == bytes.len() {
            break at;
        }
    };
    let head = Head::parse(bytes.slice(..end));
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let has_version = first.rsplit(|byte| *byte == b' ').next().is_some_and(|word| word.starts_with(b"HTTP/"));
    let is_request = has_version && !head.target().is_empty() && !head.method().is_empty() && head.method().is_ascii();
    is_request.then(|| {
        // The chunks are the wire's; what is signed is what they hold.
        let body = import::body_of(&head, bytes.slice(end..));
        (head, body)
    })
}

/// Notes it where the secrets are right for the last capture of a provider that passed there.
fn prove(reader: &Reader, endpoint: &Endpoint, provider: &str) -> Result<(), Failure> {
    let text = format!("sig:passed endpoint=\"{}\" provider=\"{provider}\"", endpoint.name);
    let Ok(filter) = Filter::parse(&text) else { return Ok(()) };
    let rows = reader.page(Start::Newest, 1, Some(&filter.sql(engine::now())))?;
    let last = rows.first().map(|row| reader.capture(row.id, Bodies::Read)).transpose()?.flatten();
    let Some((capture, known)) = last.zip(engine::catalog()?.get(provider)) else { return Ok(()) };
    let method = capture.head.method();
    let request = Request::of(&capture, &method, endpoint.url.as_deref());
    endpoint.proven.note(known, known.judge(&request, &endpoint.secrets).verdict);
    Ok(())
}

/// `by_own`: by the secrets of its endpoint.
fn from_store(id: CaptureId, by_own: bool, common: &Common) -> Result<Case, Failure> {
    let Settings { db, endpoints, .. } = common.settings()?;
    let reader = Reader::open(&db)?;
    let capture = reader.capture(id, Bodies::Read)?.ok_or_else(|| no_such_capture(id))?;
    let endpoint = endpoints.home(&capture.endpoint, &capture.head.path(), capture.flags);
    if let Some(provider) = capture.provider.as_deref().filter(|_| by_own) {
        prove(&reader, endpoint, provider)?;
    }
    Ok(Case {
        received_at: capture.received_at,
        truncated: capture.body.truncated,
        rewritten: capture.flags.contains(Flag::Rewritten),
        body: capture.body.bytes,
        head: capture.head,
        provider: endpoint.provider.clone().or(capture.provider),
        url: endpoint.url.clone(),
        secrets: endpoint.secrets.clone(),
        unset: endpoint.unset.clone(),
        endpoint: endpoint.name.clone(),
        endpoints: Some(endpoints),
    })
}

impl Case {
    fn judge(&self) -> Result<(Option<&'static Provider>, Judgement), Failure> {
        let method = self.head.method();
        let request = Request {
            method: &method,
            url: self.url.as_deref(),
            target: self.head.target(),
            headers: self.head.headers(),
            body: &self.body,
            truncated: self.truncated,
            rewritten: self.rewritten,
            received_at: self.received_at,
        };
        let catalog = engine::catalog()?;
        let provider = match &self.provider {
            Some(name) => Some(super::providers::named(catalog, name)?),
            None => catalog.detect(&request),
        };
        let Some(provider) = provider else { return Ok((None, Judgement::default())) };
        let (mut judgement, _) = engine::judge(Some(provider), &request, &self.secrets, &self.unset);
        let none = Endpoints::new(Vec::new());
        let endpoints = self.endpoints.as_ref().unwrap_or(&none);
        engine::examine(catalog, provider, &request, &self.secrets, endpoints, &self.endpoint, &mut judgement);
        Ok((Some(provider), judgement))
    }
}

fn print(provider: Option<&Provider>, judgement: &Judgement, common: &Common) -> Result<(), Failure> {
    let printer = common.printer();
    if printer.json {
        let mut value = contract::judgement(judgement);
        value["provider"] = json!(provider.map(Provider::name));
        return printer.value(&value);
    }
    if printer.quiet {
        return Ok(());
    }
    let who = provider.map_or("no provider creel knows", Provider::name);
    printer.line(&format!("{}  ({who})", row::signature(judgement.verdict, judgement.fault)))?;
    if let Some(explanation) = &judgement.explanation {
        printer.line(&explanation.text)?;
        if let Some(by) = &explanation.by {
            printer.line(&format!("proof     {by}, candidate {} of the search", explanation.tried))?;
        }
    }
    if let Some(evidence) = &judgement.evidence {
        printer.line(&format!("signed    {} in {}", evidence.content, evidence.place))?;
        evidence.received.iter().try_for_each(|it| printer.line(&format!("received  {it}")))?;
        evidence.expected.iter().try_for_each(|it| printer.line(&format!("expected  {it}")))?;
        evidence.difference.iter().try_for_each(|it| printer.line(&format!("differs   {it}")))?;
    }
    judgement.age_s.map_or(Ok(()), |age| printer.line(&format!("age       {age} s")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_request_is_split_at_the_empty_line() {
        for (raw, path, body) in [
            ("POST /a HTTP/1.1\r\nA: 1\r\n\r\nx\r\n\r\ny", "/a", "x\r\n\r\ny"),
            ("POST /b HTTP/1.1\nA: 1\n\nx", "/b", "x"),
            ("GET /c HTTP/1.1\r\nA: 1\r\n", "/c", ""),
            ("GET /d HTTP/1.1", "/d", ""),
            ("POST /e HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n", "/e", "abc"),
            ("POST /f HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nput together", "/f", "put together"),
        ] {
            let (head, rest) = split(&Bytes::from_static(raw.as_bytes())).unwrap();
            assert_eq!((&*head.path(), &rest[..]), (path, body.as_bytes()));
        }
        assert!(split(&Bytes::from_static(b"title = 5\n")).is_none());
        assert!(split(&Bytes::from_static(b"")).is_none());
        assert!(split(&Bytes::from_static(b"{\"a\":1}")).is_none());
    }
}
