//! `creel verify`: is it from whom it says?

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::{ArgGroup, Args};
use serde_json::json;

use super::{Answer, Common, Secrets, input, row};
use crate::{
    engine::{
        self, Engine, Judged, Settings, Terms, endpoint::Endpoints, no_such_capture, settings::whole_url, suggest,
    },
    export::json as contract,
    import,
    query::Filter,
    record::{Body, Capture, CaptureId, Failure, Head, Judgement, Timestamp, Uid, Verdict},
    store::{Bodies, Reader, Start},
    verify::{Catalog, Provider, Request},
};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true).args(["id", "filter", "file"])))]
pub(crate) struct Verify {
    /// The capture's number; its endpoint's provider and secrets are used unless others are given
    #[arg(conflicts_with = "file", value_name = "ID", value_parser = input::id)]
    id: Option<i64>,
    /// All captures that this filter takes; with --keep
    #[arg(long, value_name = "FILTER", requires = "keep", conflicts_with_all = ["id", "file"])]
    filter: Option<String>,
    /// Keep the verdict, provider and event in place of those that were told when the capture came, by the configuration of now
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

pub(super) fn run(verify: &Verify, common: &Common) -> Result<Answer, Failure> {
    if verify.keep {
        return keep(verify, common);
    }
    verify.url.as_deref().map_or(Ok(()), whole_url)?;
    let (mut capture, mut terms) = match (&verify.file, verify.id) {
        (Some(path), _) => (from_file(path)?, Terms::of_nobody()),
        (None, Some(id)) => from_store(CaptureId(id), verify.secrets.is_empty(), common)?,
        (None, None) => return Err(Failure::new("verifying", "neither a number nor a file was given")),
    };
    if !verify.secrets.is_empty() {
        terms.secrets = verify.secrets.read()?;
    }
    terms.provider = verify.provider.clone().or(terms.provider);
    terms.url = verify.url.clone().or(terms.url);
    if let Some(seconds) = verify.now {
        capture.received_at = Timestamp::from_unix_s(seconds);
    }
    let catalog = engine::catalog()?;
    let (provider, judgement) = judge(&capture, &terms, &catalog)?;
    print(provider, &judgement, common)?;
    let learning = verify.id.filter(|_| provider.is_none()).and_then(|_| suggest::learning(&capture));
    learning.filter(|_| !common.json && !common.quiet).iter().for_each(|words| super::report(words));
    Ok(if judgement.verdict == Verdict::Passed { Answer::Yes } else { Answer::No })
}

fn judge<'c>(
    capture: &Capture,
    terms: &Terms,
    catalog: &'c Catalog,
) -> Result<(Option<&'c Provider>, Judgement), Failure> {
    if let Some(name) = &terms.provider {
        super::providers::named(catalog, name)?;
    }
    let method = capture.head.method();
    let request = Request::of(capture, &method, terms.url.as_deref());
    let Some(provider) = terms.provider(catalog, &request) else { return Ok((None, Judgement::default())) };
    let mut judgement = terms.judge(catalog, provider, &request);
    terms.examine(catalog, provider, &request, &mut judgement);
    Ok((Some(provider), judgement))
}

/// Judges captures again, and keeps the verdicts.
fn keep(verify: &Verify, common: &Common) -> Result<Answer, Failure> {
    let (engine, printer) = (Engine::visit(common.settings()?), common.printer());
    let ids = match &verify.filter {
        Some(text) => input::matching(&engine.reader()?, std::slice::from_ref(text), common)?,
        None => verify.id.iter().copied().map(CaptureId).collect(),
    };
    if ids.is_empty() {
        input::tell_none_matches(&printer);
    }
    let judged = engine.judge_again(&ids)?;
    engine.stop()?;
    let Judged { passed, failed, open, left } = judged;
    match verify.id.map(CaptureId) {
        Some(id) if judged == Judged::default() => return Err(no_such_capture(id)),
        Some(id) if passed + failed > 0 => {
            let capture = engine.reader()?.capture(id, Bodies::Leave)?.ok_or_else(|| no_such_capture(id))?;
            let catalog = engine::catalog()?;
            let provider = capture.provider.as_deref().and_then(|name| catalog.get(name));
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

fn from_file(path: &Path) -> Result<Capture, Failure> {
    let bytes = input::read(path)?;
    let (head, body) = split(&Bytes::from(bytes)).ok_or_else(|| {
        Failure::new(format!("reading {}", path.display()), "it is no HTTP request")
            .hint("request line, headers, an empty line, then the body")
    })?;
    let (now, body) = (engine::now(), Body::whole(body, [0; 32]));
    Ok(Capture::new(Uid::new(now, 0), now, head, body))
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
fn prove(reader: &Reader, endpoints: &Endpoints, like: &Capture) -> Result<(), Failure> {
    let (name, provider) = (&endpoints.of_capture(like).name, like.provider.as_deref().unwrap_or_default());
    let text = format!("sig:passed endpoint=\"{name}\" provider=\"{provider}\"");
    let Ok(filter) = Filter::parse(&text) else { return Ok(()) };
    let rows = reader.page(Start::Newest, 1, Some(&filter.sql(engine::now())))?;
    let Some(row) = rows.first() else { return Ok(()) };
    let Some(capture) = reader.capture(row.id, Bodies::Read)? else { return Ok(()) };
    let terms = Terms::of(&capture, endpoints, || None);
    let method = capture.head.method();
    let request = Request::of(&capture, &method, terms.url.as_deref());
    let catalog = engine::catalog()?;
    if let Some(provider) = terms.provider(&catalog, &request) {
        terms.judge(&catalog, provider, &request);
    }
    Ok(())
}

/// `by_own`: by the secrets of its endpoint.
fn from_store(id: CaptureId, by_own: bool, common: &Common) -> Result<(Capture, Terms), Failure> {
    let Settings { db, endpoints, .. } = common.settings()?;
    let reader = Reader::open(&db)?;
    let capture = reader.capture(id, Bodies::Read)?.ok_or_else(|| no_such_capture(id))?;
    if by_own && capture.provider.is_some() {
        prove(&reader, &endpoints, &capture)?;
    }
    let terms = Terms::of(&capture, &endpoints, || None);
    Ok((capture, terms))
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
