//! The table of the forms, and how each is told: documents by the members of their entries, texts by their beginning.

use serde_json::Value;

use super::{
    Entry, bins,
    clients::{self, Many},
    curl, entry,
    entry::Read,
    http_file, senders,
};

/// How the entries of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `creel export`: an object a line.
    Json,
    /// HTTP Archive.
    Har,
    /// Of webhook.site.
    WebhookSite,
    /// Of ngrok's agent.
    Ngrok,
    /// Of GitHub's deliveries.
    GitHub,
    /// Of Stripe's events.
    Stripe,
    /// Of Hookdeck.
    Hookdeck,
    /// Of Pipedream, and of who else keeps requests so.
    Pipedream,
    /// Of Runscope's `RequestBin`.
    RequestBin,
    /// Of `HookSense`.
    HookSense,
    /// Of smee.io and gosmee.
    Smee,
    /// Of AWS, for Lambda.
    Aws,
    /// Of Postman.
    Postman,
    /// Of Insomnia.
    Insomnia,
    /// Commands of curl.
    Curl,
    /// Requests in an editor's file.
    HttpFile,
    /// The bytes of requests.
    Http,
}

/// How a form is read.
#[derive(Clone, Copy)]
pub(super) enum Reads {
    /// A value an entry, wherever a document has it.
    Entry(fn(&Value) -> Read<Entry>),
    /// An object a line, and a value an entry all the same.
    Lines(fn(&Value) -> Read<Entry>),
    /// A whole document.
    Document(fn(&Value) -> Many),
    /// A whole text.
    Text(fn(&str) -> Many),
    /// All bytes, one entry.
    Bytes,
}

/// One form.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// The form.
    pub form: Form,
    /// The members by which an entry is told, one list or another.
    marks: &'static [&'static [&'static str]],
    /// How it is read.
    pub(super) reads: Reads,
    /// Whether its lists have the newest first.
    pub(super) is_newest_first: bool,
}

const fn row(
    (name, help): (&'static str, &'static str),
    form: Form,
    marks: &'static [&'static [&'static str]],
    reads: Reads,
) -> Row {
    Row { name, help, form, marks, reads, is_newest_first: false }
}

const fn newest_first(row: Row) -> Row {
    Row { is_newest_first: true, ..row }
}

/// Every form. Of several whose marks an entry has the first is its own.
pub const FORMS: &[Row] = &[
    row(("json", "JSON lines of `creel export`"), Form::Json, &[&["uid", "received_at"]], Reads::Lines(entry::json)),
    row(
        ("har", "HTTP Archive 1.2, of browsers and proxies"),
        Form::Har,
        &[&["startedDateTime", "request"]],
        Reads::Entry(entry::har),
    ),
    newest_first(row(
        ("webhook.site", "what webhook.site's API lists: /token/ID/requests"),
        Form::WebhookSite,
        &[&["uuid", "token_id"], &["uuid", "type"], &["uuid", "method"]],
        Reads::Entry(entry::webhook_site),
    )),
    newest_first(row(
        ("ngrok", "what ngrok's agent lists: /api/requests/http"),
        Form::Ngrok,
        &[&["start", "request"]],
        Reads::Entry(entry::ngrok),
    )),
    row(
        ("github", "a delivery of GitHub's API: /repos/OWNER/REPO/hooks/ID/deliveries/ID"),
        Form::GitHub,
        &[&["guid", "delivered_at"]],
        Reads::Entry(senders::github),
    ),
    newest_first(row(
        ("stripe", "events of Stripe: `stripe events list`; without signatures"),
        Form::Stripe,
        &[&["object", "type", "created", "data"], &["object", "type", "created", "related_object"]],
        Reads::Entry(senders::stripe),
    )),
    newest_first(row(
        ("hookdeck", "requests and events of Hookdeck's API, each with its data"),
        Form::Hookdeck,
        &[&["team_id", "source_id", "data"], &["team_id", "source_id", "ingested_at"]],
        Reads::Entry(bins::hookdeck),
    )),
    newest_first(row(
        ("requestbin", "what a self-hosted RequestBin lists: /api/v1/bins/BIN/requests"),
        Form::RequestBin,
        &[&["query_string", "remote_addr", "method"]],
        Reads::Entry(bins::request_bin),
    )),
    newest_first(row(
        ("hooksense", "HookSense's export"),
        Form::HookSense,
        &[&["source_ip", "received_at", "method", "headers"]],
        Reads::Entry(bins::hook_sense),
    )),
    newest_first(row(
        ("pipedream", "events of Pipedream's HTTP sources: method, headers, url or path, body"),
        Form::Pipedream,
        &[&["indexed_at_ms", "event"], &["method", "headers", "path", "body"], &["method", "headers", "url", "body"]],
        Reads::Entry(bins::pipedream),
    )),
    row(
        ("smee", "the event stream of smee.io or gosmee, as curl prints it"),
        Form::Smee,
        &[&["timestamp", "bodyB"], &["timestamp", "body", "query"]],
        Reads::Entry(bins::smee),
    ),
    row(
        ("aws", "requests as Lambda gets them, of API Gateway, load balancers and function URLs"),
        Form::Aws,
        &[&["requestContext", "httpMethod"], &["requestContext", "rawPath"]],
        Reads::Entry(senders::aws),
    ),
    row(
        ("postman", "a collection of Postman, 2.0 or 2.1"),
        Form::Postman,
        &[&["info", "item"], &["collection"]],
        Reads::Document(clients::postman),
    ),
    row(
        ("insomnia", "an export of Insomnia in its format 4 (JSON)"),
        Form::Insomnia,
        &[&["__export_format", "resources"]],
        Reads::Document(clients::insomnia),
    ),
    row(("curl", "commands of curl, none of which is run"), Form::Curl, &[], Reads::Text(curl::requests)),
    row(
        ("http-file", "requests between lines of ###, of VS Code's REST Client and JetBrains"),
        Form::HttpFile,
        &[],
        Reads::Text(http_file::requests),
    ),
    row(("http", "the bytes of a request, or of several one after the other"), Form::Http, &[], Reads::Bytes),
];

impl Form {
    /// Its row. Every form has one, which a test holds.
    pub(super) fn row(self) -> Option<&'static Row> {
        FORMS.iter().find(|row| row.form == self)
    }
}

/// The form of an entry, by its members.
pub(super) fn of(value: &Value) -> Option<&'static Row> {
    FORMS.iter().find(|row| row.marks.iter().any(|marks| marks.iter().all(|name| value.get(name).is_some())))
}

/// What is said of an entry of no form: which is the nearest, where one is near.
pub(super) fn nearest(value: &Value) -> String {
    let Some(members) = value.as_object() else { return "it is no object, so no request".to_owned() };
    let all = FORMS.iter().flat_map(|row| row.marks.iter().map(move |marks| (row, *marks)));
    let there = |marks: &[&str]| marks.iter().filter(|name| members.contains_key(**name)).count();
    let near = all.filter(|(_, marks)| there(marks) * 2 >= marks.len() && marks.len() > 1);
    let best = near.max_by_key(|(_, marks)| there(marks) * 60 / marks.len());
    match best {
        Some((row, marks)) => {
            let missing = marks.iter().filter(|name| !members.contains_key(**name));
            let missing: Vec<_> = missing.map(|name| format!("`{name}`")).collect();
            let missing = missing.join(" and ");
            format!("it is of no form that is known; the nearest is {}, which has {missing}, too", row.name)
        }
        None => "it is of no form that is known (`creel import --help` lists them); a body alone is sent by \
                 `creel send PROVIDER --body FILE`"
            .to_owned(),
    }
}

/// How a file that is of no form begins, and what it is.
const STRANGERS: &[(&[u8], &str)] = &[
    (b"SQLite format 3\0", "it is a database: `creel --db FILE` reads a store of creel's"),
    (b"\x1f\x8b", "it is packed: `gunzip -c FILE | creel import -`"),
    (b"PK\x03\x04", "it is packed: unpack it first"),
    (b"\xff\xfe", "it is in UTF-16, as PowerShell writes with `>`: save it in UTF-8"),
    (b"\xfe\xff", "it is in UTF-16: save it in UTF-8"),
    (b"type: collection.insomnia.rest", "it is Insomnia's YAML: export it as `Insomnia v4 (JSON)`"),
    (b"<", "it begins like HTML or XML: is it a page of an error in the place of the file?"),
];

/// What is said of a file that begins like that.
pub(super) fn stranger(begin: &[u8]) -> String {
    let known = STRANGERS.iter().find(|row| begin.starts_with(row.0)).map(|row| row.1.to_owned());
    known.unwrap_or_else(|| "it is of none of the forms that `creel import --help` lists".to_owned())
}
