//! `creel sign`: the headers that make a body right.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Answer, Common, Secrets, input, send::headers_of};
use crate::{
    engine::{self, edit::no_secret, settings::whole_url},
    record::{Failure, Timestamp},
    verify::Request,
};

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// Whose signature: a name from `creel providers`
    #[arg(long, value_name = "NAME")]
    provider: String,
    #[command(flatten)]
    secrets: Secrets,
    /// The body; - for standard input
    #[arg(long, value_name = "BODY")]
    file: PathBuf,
    /// The URL as the receiver knows it, for schemes that sign it
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The delivery's id, for schemes that sign it
    #[arg(long, value_name = "ID", default_value = "")]
    id: String,
    /// The moment of the signature, in Unix seconds [default: now]
    #[arg(long, value_name = "UNIX", value_parser = input::unix, allow_negative_numbers = true)]
    now: Option<i64>,
    /// The method, for schemes that sign it
    #[arg(long, value_name = "METHOD", default_value = "POST")]
    method: String,
    /// A header that the request will have: some are signed, and Content-Type tells a form from JSON
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
}

pub(super) fn run(sign: &Sign, common: &Common) -> Result<Answer, Failure> {
    let catalog = engine::catalog()?;
    let provider = super::providers::named(&catalog, &sign.provider)?;
    sign.url.as_deref().map_or(Ok(()), whole_url)?;
    let secrets = sign.secrets.read()?;
    if secrets.is_empty() {
        return Err(no_secret(provider, None).hint("give one with --secret-env, --secret-file or --secret"));
    }
    let body = input::read(&sign.file)?;
    let headers = headers_of(&sign.headers)?;
    let target = sign
        .url
        .as_deref()
        .and_then(|url| url.split_once("://"))
        .map_or("/", |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let request = Request {
        method: &sign.method,
        url: sign.url.as_deref(),
        target: target.as_bytes(),
        headers: &headers,
        body: &body,
        truncated: false,
        rewritten: false,
        received_at: sign.now.map_or_else(engine::now, Timestamp::from_unix_s),
    };
    let signed = provider.sign(&request, &secrets, &sign.id).map_err(|failure| match (&failure.hint, &sign.url) {
        (None, None) => failure.hint("where the URL is signed, or a part of it: --url URL, as the sender knows it"),
        _ => failure,
    })?;
    let printer = common.printer();
    if printer.json {
        let body = signed.body.map(|body| String::from_utf8_lossy(&body).into_owned());
        let target = signed.target.map(|target| String::from_utf8_lossy(&target).into_owned());
        printer.value(&json!({ "headers": signed.headers, "body": body, "target": target }))?;
        return Ok(Answer::Yes);
    }
    for (name, value) in &signed.headers {
        printer.line(&format!("{name}: {value}"))?;
    }
    if let Some(target) = &signed.target {
        printer.line(&format!("target {}", String::from_utf8_lossy(target)))?;
    }
    if let Some(body) = &signed.body {
        printer.line("")?;
        printer.line(&String::from_utf8_lossy(body))?;
    }
    Ok(Answer::Yes)
}
