//! `.http` files of editors: requests between lines of `###`, with comments and variables (VS Code's REST Client, `README.md` of its
//! repository; the HTTP Client of `JetBrains`, jetbrains.com/help/idea/exploring-http-syntax.html).
//!
//! A request line may lack the method and the version, and the target is a URL. Neither a file that a body names is read nor a
//! script run.

use super::{
    Entry,
    clients::{Many, Variables, filled},
    entry::Read,
    parts::{Content, request},
};
use crate::record::{Version, grammar::is_token};

/// The requests of a text.
pub(super) fn requests(text: &str) -> Many {
    let mut variables = Variables::new();
    let mut found = Vec::new();
    for part in parts(text) {
        let lines = head_of(&part, &mut variables);
        if lines.iter().all(|line| line.trim().is_empty()) {
            continue;
        }
        found.push(of(&lines, &variables).map_err(|why| (found.len() as u64, why))?);
    }
    if found.is_empty() { Err((0, "there is no request in it".to_owned())) } else { Ok(found) }
}

/// The lines between those that begin with `###`.
fn parts(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<_> = text.lines().collect();
    lines.split(|line| line.starts_with("###")).map(<[_]>::to_vec).collect()
}

/// The lines from the request line on. What stands before it are comments and variables, which are taken in.
fn head_of<'t>(part: &[&'t str], variables: &mut Variables) -> Vec<&'t str> {
    let mut at = 0;
    for line in part {
        let line = line.trim();
        if let Some((name, value)) = line.strip_prefix('@').and_then(|line| line.split_once('=')) {
            let value = filled(value.trim(), variables);
            variables.insert(name.trim().to_owned(), value);
        } else if !line.is_empty() && !is_comment(line) {
            break;
        }
        at += 1;
    }
    part[at..].to_vec()
}

fn is_comment(line: &str) -> bool {
    line.starts_with('#') || line.starts_with("//")
}

fn of(lines: &[&str], variables: &Variables) -> Read<Entry> {
    let end = lines.iter().position(|line| line.trim().is_empty()).unwrap_or(lines.len());
    let (head, body) = (&lines[..end], lines.get(end + 1..).unwrap_or_default());
    let (first, rest) = head.split_first().ok_or("it has no request line")?;
    let (method, mut url, version) = request_line(first);
    let mut headers = Vec::new();
    for line in rest.iter().filter(|line| !is_comment(line.trim())) {
        let line = line.trim();
        match line.split_once(':') {
            // A query may go on in lines of its own.
            _ if headers.is_empty() && line.starts_with(['?', '&']) => url.push_str(line),
            Some((name, value)) if is_token(name.trim_end().as_bytes()) => {
                let value = filled(value.trim(), variables);
                headers.push((name.trim_end().as_bytes().to_vec(), value.into_bytes()));
            }
            _ => return Err(format!("between its head and its body an empty line is missing, before: {}", cut(line))),
        }
    }
    // A script, or a reply that was kept, stands behind the body.
    let is_end = |line: &&str| line.starts_with("> ") || line.starts_with("<> ");
    let body: Vec<_> = body.iter().copied().take_while(|line| !is_end(line)).collect();
    if let Some(file) = body.iter().find_map(|line| line.strip_prefix("< ").or_else(|| line.strip_prefix("<@ "))) {
        return Err(format!("its body is the file {}, and no file that another names is read", cut(file.trim())));
    }
    let body = filled(body.join("\n").trim_end_matches('\n'), variables);
    request(method, &filled(&url, variables), version, headers, Content::kept(body))
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Method, URL and version; GET where there is no method.
fn request_line(line: &str) -> (&str, String, Version) {
    let line = line.trim();
    let (line, version) = match line.rsplit_once(' ') {
        Some((line, version)) if version.starts_with("HTTP/") => (line.trim(), version),
        _ => (line, "HTTP/1.1"),
    };
    let version = match version {
        "HTTP/1.0" => Version::Http10,
        "HTTP/2" | "HTTP/2.0" => Version::Http2,
        _ => Version::Http11,
    };
    match line.split_once(' ') {
        Some((method, url)) if is_method(method) => (method, url.trim().to_owned(), version),
        _ => ("GET", line.to_owned(), version),
    }
}

fn is_method(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

/// Whether a text begins as such a file does: with what separates requests, sets a variable, or with a request line that has a URL and
/// no version, or that has one and is not the only request, or names no host.
pub(super) fn begins(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return false };
    if first.starts_with("###") || (first.starts_with('@') && first.contains('=')) {
        return true;
    }
    let line = std::iter::once(first).chain(lines).find(|line| !is_comment(line)).unwrap_or_default();
    let (method, url) = line.split_once(' ').unwrap_or(("", line));
    let is_url = ["http://", "https://", "{{"].iter().any(|begin| url.starts_with(begin));
    let is_line = is_url && (method.is_empty() || is_method(method));
    is_line && (!line.contains(" HTTP/") || text.contains("\n###") || !has_host(text))
}

/// Whether a head names the host, as one from the wire does.
fn has_host(text: &str) -> bool {
    let head = text.lines().take_while(|line| !line.trim().is_empty());
    head.skip(1).any(|line| line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("host:")))
}
