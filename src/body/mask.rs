//! Bodies without what lets somebody in. In its place stand as many other bytes, so that every length and place that is told
//! of a body stays true.

use std::ops::Range;

use bytes::Bytes;
use memchr::memchr;

use super::{
    Content, json,
    markup::{self, Kind},
    multipart,
};
use crate::record::{
    json::{looks_like_json, mark_bytes},
    mask,
};

/// How deep in parts of parts is looked.
const DEEPEST: u8 = 8;
/// Attributes that say what the value of their element is.
const NAMING: &[&[u8]] = &[b"name", b"key", b"id"];
/// The attribute that holds such a value.
const VALUE: &[u8] = b"value";

/// What came of looking for secrets in a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// How many were masked.
    pub count: usize,
    /// Whether there is something in which nobody can look.
    pub unread: bool,
}

impl Looked {
    fn found(count: usize) -> Self {
        Self { count, unread: false }
    }
}

/// Masks the secrets in a body, of which `bytes` is a copy: in JSON, forms, the parts of a multipart body and XML, and in
/// those where they lie in each other; and in a text of any kind the passwords of URLs. HTML and plain text are for people: of them
/// the values of fields and lines that say a name are masked, and they count as unread all the same.
pub fn mask(content: &Content, bytes: &mut [u8]) -> Looked {
    let text = mark_bytes(bytes);
    let mut looked = if looks_like_json(&bytes[text..]) {
        in_json(content, &mut bytes[text..])
    } else if content.is_form() {
        Looked::found(mask::form(bytes))
    } else if content.depth < DEEPEST && multipart::fits(content) {
        in_parts(content, bytes)
    } else if markup::can_be_xml(content) {
        Looked::found(in_xml(bytes, false))
    } else if markup::fits_html(content) {
        Looked { count: in_html(bytes), unread: true }
    } else {
        Looked { count: mask::lines(bytes), unread: !bytes.is_empty() }
    };
    looked.count += mask::urls(bytes);
    looked
}

/// What begins as JSON and is none may be anything that begins with a bracket: the fields of a form, the lines of a log.
fn in_json(content: &Content, bytes: &mut [u8]) -> Looked {
    let is_json = json::check(bytes).map_or_else(|broken| broken.is_end, |_| true);
    let count = mask::json(bytes);
    match (is_json, content.is_form()) {
        (true, _) => Looked::found(count),
        (false, true) => Looked::found(count + mask::form(bytes)),
        (false, false) => Looked { count, unread: true },
    }
}

/// Masks fields by their names, and what lies in the others.
fn in_parts(content: &Content, bytes: &mut [u8]) -> Looked {
    let mut all = Looked::default();
    for field in multipart::fields(content) {
        let part = &mut bytes[field.place.clone()];
        if field.name.as_deref().is_some_and(|name| mask::is_secret(name.as_bytes())) {
            part.fill(b'*');
            all.count += usize::from(!part.is_empty());
            continue;
        }
        let within = content.within_it(content.bytes.slice(field.place), field.content_type);
        // The text of a named field has been looked at by its name.
        let is_plain = field.name.is_some() && !field.is_file && matches!(&within.media()[..], "" | "text/plain");
        let looked = mask(&within, part);
        all.count += looked.count;
        all.unread |= looked.unread && !is_plain;
    }
    all
}

/// Masks what fields hold that are secret by their names. What is written between the tags is for people, and a name there says little.
fn in_html(bytes: &mut [u8]) -> usize {
    let mut count = 0;
    for (kind, place) in markup::tokens(Bytes::copy_from_slice(bytes)) {
        if matches!(kind, Kind::Start | Kind::Whole) {
            let token = &mut bytes[place];
            let secrets = Tag::of(token).secrets;
            secrets.iter().for_each(|place| token[place.clone()].fill(b'*'));
            count += secrets.len();
        }
    }
    count
}

/// Elements whose text says what the next element holds: those of a `plist` and of XML-RPC.
const NAMING_ELEMENTS: &[&[u8]] = &[b"name", b"key"];

/// Where in such a pair of elements something stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pair {
    Other,
    /// In the first, which may name a secret.
    Name,
    /// In the first, which does.
    Named,
    /// Behind it, before the second.
    Value,
}

/// An element that is a secret, and how many of its name are open in it.
struct Named {
    name: Vec<u8>,
    open: usize,
}

/// Masks what stands in elements and attributes that have the name of a secret, and in those that say that name. Well-formed or
/// not, each tag is looked at once.
fn in_xml(bytes: &mut [u8], is_comment: bool) -> usize {
    let (mut count, mut secret) = (0, None::<Named>);
    let mut pair = Pair::Other;
    for (kind, place) in markup::tokens(Bytes::copy_from_slice(bytes)) {
        let token = &mut bytes[place];
        match kind {
            Kind::Start | Kind::Whole => {
                let tag = Tag::of(token);
                tag.secrets.iter().for_each(|place| token[place.clone()].fill(b'*'));
                count += tag.secrets.len();
                let opens = kind == Kind::Start;
                let is_secret = tag.is_secret || pair == Pair::Value;
                pair = if NAMING_ELEMENTS.contains(&local(&tag.name)) { Pair::Name } else { Pair::Other };
                match &mut secret {
                    Some(named) => named.open += usize::from(opens && named.name == tag.name),
                    None if opens && is_secret => secret = Some(Named { name: tag.name, open: 1 }),
                    None => {}
                }
            }
            Kind::End => {
                secret = secret.and_then(|named| named.after(token));
                pair = if pair == Pair::Named { Pair::Value } else { Pair::Other };
            }
            Kind::Text => {
                if pair == Pair::Name && mask::is_secret(&token[inner_text(token)]) {
                    pair = Pair::Named;
                }
                count += in_text(token, secret.is_some());
            }
            Kind::Aside => count += in_aside(token, secret.is_some(), is_comment),
        }
    }
    count
}

impl Named {
    /// What of it is still open after an end tag.
    fn after(mut self, tag: &[u8]) -> Option<Self> {
        // One that is cut off is its first sign alone.
        let name = tag.get(2..).unwrap_or_default();
        self.open -= usize::from(name[name_in(name)] == self.name[..]);
        (self.open > 0).then_some(self)
    }
}

/// A text, or CDATA: masked as a whole where it stands in a secret, else the JSON in it.
fn in_text(text: &mut [u8], is_secret: bool) -> usize {
    let place = inner_text(text);
    let text = &mut text[place];
    if is_secret && !text.is_empty() {
        text.fill(b'*');
        return 1;
    }
    if looks_like_json(text) { mask::json(text) } else { 0 }
}

/// A text without the blanks around it, and without the marks of CDATA.
fn inner_text(text: &[u8]) -> Range<usize> {
    let place = inner(text, b"<![CDATA[", b"]]>");
    let within = &text[place.clone()];
    let start = place.start + within.len() - within.trim_ascii_start().len();
    start..start + within.trim_ascii().len()
}

/// What a comment holds is looked into as if it were none.
fn in_aside(aside: &mut [u8], is_secret: bool, is_comment: bool) -> usize {
    if !aside.starts_with(b"<!--") || is_comment {
        return 0;
    }
    let place = inner(aside, b"<!--", b"-->");
    let comment = &mut aside[place];
    if is_secret { in_text(comment, true) } else { in_xml(comment, true) }
}

/// What stands between two marks, of which the last may be missing.
fn inner(bytes: &[u8], first: &[u8], last: &[u8]) -> Range<usize> {
    if !bytes.starts_with(first) {
        return 0..bytes.len();
    }
    first.len()..bytes.strip_suffix(last).map_or(bytes.len(), <[u8]>::len).max(first.len())
}

/// A tag that begins an element.
struct Tag {
    name: Vec<u8>,
    /// Whether what stands in the element is a secret.
    is_secret: bool,
    /// Where values of attributes are one.
    secrets: Vec<Range<usize>>,
}

impl Tag {
    fn of(tag: &[u8]) -> Self {
        let name = &tag[1..];
        let name = &name[name_in(name)];
        let attributes = attributes(tag, 1 + name.len());
        let value = |place: &Range<usize>| &tag[place.clone()];
        let says = attributes.iter().filter(|(name, _)| NAMING.contains(&local(value(name))));
        let is_secret = mask::is_secret(name) || says.clone().any(|(_, what)| mask::is_secret(value(what)));
        let is_one = |name: &[u8]| mask::is_secret(name) || (is_secret && local(name) == VALUE);
        let secrets = attributes.iter().filter(|(name, what)| !what.is_empty() && is_one(value(name)));
        Self { name: name.to_vec(), is_secret, secrets: secrets.map(|(_, what)| what.clone()).collect() }
    }
}

/// A name without the prefix of its namespace.
fn local(name: &[u8]) -> &[u8] {
    memchr(b':', name).map_or(name, |at| &name[at + 1..])
}

/// Where the name lies with which these bytes begin.
fn name_in(bytes: &[u8]) -> Range<usize> {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'>' | b'/' | b'"' | b'\'');
    0..bytes.iter().position(ends).unwrap_or(bytes.len())
}

/// Where names and values of attributes lie in a tag, from a place on.
fn attributes(tag: &[u8], from: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let (mut all, mut at) = (Vec::new(), from);
    let blanks = |at: usize| tag[at..].len() - tag[at..].trim_ascii_start().len();
    while at < tag.len() {
        at += blanks(at);
        let name = at..at + name_in(&tag[at..]).end;
        at = name.end + blanks(name.end);
        if name.is_empty() || tag.get(at) != Some(&b'=') {
            // A mark that stands alone.
            at += usize::from(name.is_empty());
            continue;
        }
        at += 1 + blanks(at + 1);
        let value = match tag.get(at) {
            Some(&quote @ (b'"' | b'\'')) => {
                let start = at + 1;
                start..memchr(quote, &tag[start..]).map_or(tag.len(), |length| start + length)
            }
            _ => at..at + name_in(&tag[at..]).end,
        };
        at = value.end;
        all.push((name, value));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str, kind: &str) -> (String, Looked) {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let content = Content { bytes: bytes.clone(), content_type: Some(kind.to_owned()), ..Content::default() };
        let mut left = bytes.to_vec();
        let looked = mask(&content, &mut left);
        (String::from_utf8(left).unwrap(), looked)
    }

    #[test]
    fn xml_loses_its_secrets_and_nothing_else() {
        const ROWS: &[(&str, &str, usize)] = &[
            ("<a><token>abc</token><b>c</b></a>", "<a><token>***</token><b>c</b></a>", 1),
            ("<a>\n <n:Api-Key> é </n:Api-Key>\n</a>", "<a>\n <n:Api-Key> ** </n:Api-Key>\n</a>", 1),
            (
                "<a token='x' id=\"1\" n:clientSecret = \"y&gt;\" token=''/>",
                "<a token='*' id=\"1\" n:clientSecret = \"*****\" token=''/>",
                2,
            ),
            (
                "<add key=\"password\" value=\"x\" type=\"y\"/><add key=\"x\" value=\"y\"/>",
                "<add key=\"password\" value=\"*\" type=\"y\"/><add key=\"x\" value=\"y\"/>",
                1,
            ),
            ("<f name='secret'>x<b/>y</f>z", "<f name='secret'>*<b/>*</f>z", 2),
            ("<token><a>x</a><token>y</token>z</token>w", "<token><a>*</a><token>*</token>*</token>w", 3),
            ("<token><![CDATA[ab]]></token>", "<token><![CDATA[**]]></token>", 1),
            ("<p><![CDATA[{\"token\":\"a\",\"b\":1}]]></p>", "<p><![CDATA[{\"token\":\"*\",\"b\":1}]]></p>", 1),
            ("<p><!-- <token>x</token> --><!--y--></p>", "<p><!-- <token>*</token> --><!--y--></p>", 1),
            ("<secret><!--x--></secret>", "<secret><!--*--></secret>", 1),
            // The first of a pair of elements says what the second is.
            (
                "<dict><key>Password</key>\n<string>x</string><key>a</key><string>y</string></dict>",
                "<dict><key>Password</key>\n<string>*</string><key>a</key><string>y</string></dict>",
                1,
            ),
            (
                "<member><name><![CDATA[token]]></name><value><string>x</string></value></member><b>z</b>",
                "<member><name><![CDATA[token]]></name><value><string>*</string></value></member><b>z</b>",
                1,
            ),
            ("<p><name>token</name></p><b>z</b><key>token</key>", "", 0),
            ("<a href='http://u:p@h'>http://u:p@h</a>", "<a href='http://u:*@h'>http://u:*@h</a>", 2),
            // They broke off.
            ("<token>ab", "<token>**", 1),
            ("<a token=\"ab", "", 0),
            ("<token", "", 0),
            ("<token>ab</", "<token>**<*", 2),
            ("<a><b>token</b><tokens>1</tokens></token><c>2</c></a>", "", 0),
        ];
        for &(came, left, count) in ROWS {
            let left = if count == 0 { came } else { left };
            assert_eq!(masked(came, "text/xml"), (left.to_owned(), Looked::found(count)));
        }
        assert_eq!(masked("\u{feff}<token>a</token>", ""), ("\u{feff}<token>*</token>".to_owned(), Looked::found(1)));
    }

    #[test]
    fn parts_lose_the_fields_of_such_names_and_what_lies_in_the_others() {
        const KIND: &str = "multipart/form-data; boundary=x";
        const HEAD: &str = "--x\r\nContent-Disposition: form-data; name=";
        let body = |fields: &[(&str, &str)]| {
            let parts = fields.iter().map(|(head, text)| format!("{HEAD}{head}\r\n\r\n{text}\r\n"));
            parts.collect::<String>() + "--x--\r\n"
        };
        let json = "\"event\"\r\nContent-Type: application/json";
        let file = "\"private_key\"; filename=\"key.pem\"";
        let came = body(&[
            ("\"access_token\"", "a\r\nb"),
            ("\"user[password]\"", "c"),
            ("\"token\"", ""),
            ("\"text\"", "token=x"),
            (json, "{\"token\":\"d\"}"),
            ("\"xml\"", "<token>e</token>"),
            (file, "--y"),
        ]);
        let left = body(&[
            ("\"access_token\"", "****"),
            ("\"user[password]\"", "*"),
            ("\"token\"", ""),
            ("\"text\"", "token=*"),
            (json, "{\"token\":\"*\"}"),
            ("\"xml\"", "<token>*</token>"),
            (file, "***"),
        ]);
        assert_eq!(masked(&came, KIND), (left, Looked::found(6)));
        let unread = Looked { count: 0, unread: true };
        let picture = body(&[("\"a\"; filename=\"a.png\"\r\nContent-Type: image/png", "\u{1}")]);
        assert_eq!(masked(&picture, KIND), (picture.clone(), unread));
        assert_eq!(masked("token a", "text/plain").1, unread);
        for (text, kind, left) in [
            ("user: a\r\nAPI_KEY = abc\r\nz: 1", "text/plain", "user: a\r\nAPI_KEY = ***\r\nz: 1"),
            ("export TOKEN='abc d'\n", "", "export TOKEN=*******\n"),
            ("password: abc\nReset your password: here", "text/plain", "password: ***\nReset your password: here"),
            (
                "<!doctype html><div id=token>a<input name=password value='abc'><p>b",
                "text/html",
                "<!doctype html><div id=token>a<input name=password value='***'><p>b",
            ),
        ] {
            assert_eq!(masked(text, kind), (left.to_owned(), Looked { count: 1, unread: true }), "{text}");
        }
        assert_eq!(masked("<html><token>a</token>", "text/html").1, unread);
        assert_eq!(masked("", "").1, Looked::default());
    }

    #[test]
    fn what_begins_as_json_and_is_none_is_not_taken_for_looked_into() {
        const FORM: &str = "application/x-www-form-urlencoded";
        for (came, kind, left, unread) in [
            ("[x]=1&password=abc", FORM, "[x]=1&password=***", false),
            ("{\"token\":\"a&b\"}", FORM, "{\"token\":\"***\"}", false),
            ("{\"token\":\"a", FORM, "{\"token\":\"*", false),
            ("[2026-11-23] token=abc http://u:p@h", "text/plain", "[2026-11-23] token=abc http://u:*@h", true),
            ("{\"token\":\"a\"}{\"token\":\"b\"", "", "{\"token\":\"*\"}{\"token\":\"*\"", false),
        ] {
            let (masked, looked) = masked(came, kind);
            assert_eq!((&masked[..], looked.unread), (left, unread), "{came}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_no_danger(text in r#"(<[!?/]?|-->|>|--|\[CDATA\[|]]>|token|<key>|</key>|="|=|"|'|/| |--x\r\n|a|\{|é|\x00){0,60}"#, kind in "text/xml|multipart/form-data; boundary=x") {
            let (left, looked) = masked(&text, &kind);
            proptest::prop_assert!(looked.count > 0 || left == text);
        }
    }
}
