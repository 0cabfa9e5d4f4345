//! Requests that somebody wrote in a client with a screen: whole documents, since what fills their variables may stand at the end.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    Entry,
    entry::Read,
    parts::{Content, Lines, UNRESERVED, form_quoted, header, listed, quoted, request, scalar, target},
};
use crate::record::Version;

/// The requests of a document, or which of them, from 0, is not what it should be.
pub(super) type Many = Result<Vec<Entry>, (u64, String)>;

/// What stands for variables, by their names.
pub(super) type Variables = HashMap<String, String>;

/// The most folders within each other.
const DEPTH: usize = 32;

/// A collection of Postman, 2.0 or 2.1 (schema.postman.com), also within what its API gives for `/collections/ID`. Variables are filled in
/// as far as the collection has them. What Postman makes only as it sends is not there: forms with files, and what `auth` adds.
pub(super) fn postman(document: &Value) -> Many {
    let collection = if document["collection"].is_object() { &document["collection"] } else { document };
    let pair = |variable: &Value| Some((variable["key"].as_str()?.to_owned(), scalar(&variable["value"])?));
    let variables = collection["variable"].as_array().into_iter().flatten().filter_map(pair).collect();
    let mut requests = Vec::new();
    requests_in(&collection["item"], 0, &mut requests);
    many(&requests, |found| postman_request(found, &variables))
}

/// Each request of the items, folders opened, in their order.
fn requests_in<'v>(items: &'v Value, depth: usize, found: &mut Vec<&'v Value>) {
    for item in items.as_array().into_iter().flatten().filter(|_| depth < DEPTH) {
        found.extend(item.get("request").filter(|request| !request.is_null()));
        requests_in(&item["item"], depth + 1, found);
    }
}

fn many(requests: &[&Value], read: impl Fn(&Value) -> Read<Entry>) -> Many {
    if requests.is_empty() {
        return Err((0, "there is no request in it".to_owned()));
    }
    let each = requests.iter().enumerate();
    each.map(|(at, request)| read(request).map_err(|why| (at as u64, why))).collect()
}

fn postman_request(found: &Value, variables: &Variables) -> Read<Entry> {
    let fill = |text: &str| filled(text, variables);
    // A request that is but a text is a URL to get.
    let url = [&found["url"]["raw"], &found["url"], found].into_iter().find_map(Value::as_str);
    let url = fill(url.ok_or("it has no URL")?);
    let mut lines = match found["header"].as_str() {
        Some(text) => lines_of(text),
        None => listed(&found["header"], ("key", "value")),
    };
    lines.iter_mut().for_each(|line| line.1 = filled_bytes(&line.1, variables));
    let body = &found["body"];
    let mode = body["mode"].as_str().unwrap_or_default();
    let (content, kind) = match mode {
        "raw" => {
            let kind = Some("application/json").filter(|_| body["options"]["raw"]["language"] == "json");
            (Content::kept(fill(body["raw"].as_str().unwrap_or_default())), kind)
        }
        "urlencoded" => {
            let form = form(&listed(&body["urlencoded"], ("key", "value")), variables);
            (Content::kept(form), Some("application/x-www-form-urlencoded"))
        }
        "graphql" => {
            let asked = serde_json::to_vec(&body["graphql"]).unwrap_or_default();
            (Content::kept(filled_bytes(&asked, variables)), Some("application/json"))
        }
        _ => (Content::kept(""), None),
    };
    add_kind(&mut lines, kind);
    let method = found["method"].as_str().unwrap_or("GET");
    let entry = request(method, &url, Version::Http11, lines, content)?;
    let has_files = matches!(mode, "formdata" | "file") && body["disabled"] != true;
    Ok(Entry { truncated: entry.truncated || has_files, ..entry })
}

/// Header lines as a text.
fn lines_of(text: &str) -> Lines {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().as_bytes().to_vec(), value.trim().as_bytes().to_vec()))
    };
    text.lines().filter_map(pair).collect()
}

fn form(fields: &Lines, variables: &Variables) -> String {
    let word = |text: &[u8]| form_quoted(&filled_bytes(text, variables));
    fields.iter().map(|(name, value)| format!("{}={}", word(name), word(value))).collect::<Vec<_>>().join("&")
}

/// What a body is, where no header says it.
fn add_kind(lines: &mut Lines, kind: Option<&str>) {
    if let Some(kind) = kind.filter(|_| header(lines, "content-type").is_none()) {
        lines.push((b"Content-Type".to_vec(), kind.as_bytes().to_vec()));
    }
}

/// An export of Insomnia in its format 4 (`packages/insomnia/src/models/request.ts` of its repository): the newer one is YAML.
/// Variables are filled in as far as an environment has them.
pub(super) fn insomnia(document: &Value) -> Many {
    let resources = || document["resources"].as_array().into_iter().flatten();
    let mut variables = Variables::new();
    for environment in resources().filter(|found| found["_type"] == "environment") {
        collect("", &environment["data"], 0, &mut variables);
    }
    let requests: Vec<_> = resources().filter(|found| found["_type"] == "request").collect();
    many(&requests, |found| insomnia_request(found, &variables))
}

/// The values of an environment, those within others by their path. The first of a name counts: the base comes first.
fn collect(path: &str, data: &Value, depth: usize, variables: &mut Variables) {
    for (name, value) in data.as_object().into_iter().flatten().filter(|_| depth < DEPTH) {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if let Some(text) = scalar(value) {
            variables.entry(path).or_insert(text);
        } else {
            collect(&path, value, depth + 1, variables);
        }
    }
}

fn insomnia_request(found: &Value, variables: &Variables) -> Read<Entry> {
    let fill = |text: &str| filled(text, variables);
    let named = ("name", "value");
    let query: Vec<_> = listed(&found["parameters"], named)
        .iter()
        .map(|(name, value)| [name, value].map(|text| quoted(&filled_bytes(text, variables), UNRESERVED)).join("="))
        .collect();
    let url = fill(found["url"].as_str().filter(|url| !url.is_empty()).ok_or("it has no URL")?);
    let url = if url.contains('?') && !query.is_empty() {
        format!("{url}&{}", query.join("&"))
    } else {
        target(&url, &query.join("&"))
    };
    let mut lines = listed(&found["headers"], named);
    lines.iter_mut().for_each(|line| line.1 = filled_bytes(&line.1, variables));
    let body = &found["body"];
    let kind = body["mimeType"].as_str().unwrap_or_default();
    let has_files = kind.starts_with("multipart/") || body["fileName"].is_string();
    let content = match (body["text"].as_str(), kind) {
        (Some(text), _) => fill(text),
        (None, "application/x-www-form-urlencoded") => form(&listed(&body["params"], named), variables),
        _ => String::new(),
    };
    let kind = if kind == "application/graphql" { "application/json" } else { kind };
    add_kind(&mut lines, Some(kind).filter(|kind| !kind.is_empty() && !has_files));
    let method = found["method"].as_str().unwrap_or("GET");
    let entry = request(method, &url, Version::Http11, lines, Content::kept(content))?;
    Ok(Entry { truncated: entry.truncated || has_files, ..entry })
}

/// A text with the values of its `{{variables}}` in their place; one that has none stays as it is.
pub(super) fn filled(text: &str, variables: &Variables) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, begun)) = rest.split_once("{{") {
        let Some((name, after)) = begun.split_once("}}") else { break };
        written.push_str(before);
        let name = name.trim();
        match variables.get(name.strip_prefix("_.").unwrap_or(name)) {
            Some(value) => written.push_str(value),
            None => written.push_str(&rest[before.len()..rest.len() - after.len()]),
        }
        rest = after;
    }
    written + rest
}

fn filled_bytes(text: &[u8], variables: &Variables) -> Vec<u8> {
    filled(&String::from_utf8_lossy(text), variables).into_bytes()
}
