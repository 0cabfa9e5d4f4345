//! What lets somebody in: the names by which it stands in headers, queries and bodies, and the mask in its place.
//!
//! Known by its name alone: what a key looks like is not guessed at. One thing needs no name, the password that a URL holds
//! (`https://user:password@host`; RFC 3986, section 3.2.1, wants it hidden). Signatures are none of it; they are what a request
//! is judged by. In a body the mask is as long as what it hides, so that every length that was told stays true.

use std::{borrow::Cow, ops::Range};

use super::{
    Header,
    json::looks_like_json,
    pairs,
    token::{Kind, Token, Tokens, text_of},
};

/// What stands in the place of a value that lets somebody in.
pub const MASK: &str = "******";

/// What stands in a receipt in the place of a secret.
pub const HIDDEN: &str = "(a secret)";

/// The name by which the key of a guard stands in a query.
pub const KEY_IN_QUERY: &str = "token";

/// Headers whose values let somebody in, in lower case.
const HEADERS: &[&str] = &["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// What stands in the names of others.
const HEADER_PARTS: &[&str] = &["token", "secret", "api-key", "apikey", "password"];
/// How the names of others end, but for those two, which let nobody in.
const HEADER_END: &str = "-key";
const HARMLESS: &[&str] = &["idempotency-key", "sec-websocket-key"];

/// How the names of fields end, in small letters and digits alone: `access_token`, `X-Amz-Security-Token`, `clientSecret`.
const FIELD_ENDS: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
];
/// Names that mean a secret only in a query: in a body a `key` is as a rule what something is found by.
const QUERY_NAMES: &[&str] = &["key", "sig", "auth", "pwd", "pass"];

impl Header<'_> {
    /// Whether its value lets somebody in, so that it is masked until somebody asks.
    pub fn lets_in(self) -> bool {
        let name = self.name_text().to_ascii_lowercase();
        let is_key = name.ends_with(HEADER_END) && !HARMLESS.iter().any(|known| name.ends_with(known));
        is_key || HEADERS.contains(&&name[..]) || HEADER_PARTS.iter().any(|part| name.contains(part))
    }
}

/// Whether a field of that name holds what lets somebody in.
pub fn is_secret(name: &[u8]) -> bool {
    let name = plain(name);
    FIELD_ENDS.iter().any(|end| name.ends_with(end.as_bytes()))
}

/// Whether one at that path does, or lies in one that does.
pub(super) fn is_secret_at(path: &[u8]) -> bool {
    is_secret(path) || path.split(|byte| b".[]\" ".contains(byte)).any(is_secret)
}

/// The same of a field in a query.
pub fn is_secret_in_query(name: &[u8]) -> bool {
    is_secret(name) || QUERY_NAMES.iter().any(|known| plain(name) == known.as_bytes())
}

/// The letters and digits of a name, in small letters.
fn plain(name: &[u8]) -> Vec<u8> {
    name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}

/// A target with the secrets in its query masked, and how many they are; none where it has none. All else of it stays as it
/// was written.
pub fn target(target: &[u8]) -> Option<(Vec<u8>, usize)> {
    let at = memchr::memchr(b'?', target)? + 1;
    let mut count = 0;
    let pairs = target[at..].split(|&byte| byte == b'&').map(|pair| {
        let passwords = || in_value(pair, passwords);
        let secrets = value_of(pair, is_secret_in_query).map_or_else(passwords, |value| vec![value]);
        count += secrets.len();
        // From the last to the first, since a mask is not as long as what it hides.
        secrets.into_iter().rev().fold(Cow::Borrowed(pair), |pair, place| {
            Cow::Owned([&pair[..place.start], MASK.as_bytes(), &pair[place.end..]].concat())
        })
    });
    let query = pairs.collect::<Vec<_>>().join(&b'&');
    (count > 0).then(|| ([&target[..at], &query].concat(), count))
}

/// Where the value of a pair stands that has a name of that kind, and is not empty.
fn value_of(pair: &[u8], is_secret: impl Fn(&[u8]) -> bool) -> Option<Range<usize>> {
    let at = memchr::memchr(b'=', pair)? + 1;
    (at < pair.len() && is_secret(&pairs::decode(&pair[..at - 1]))).then_some(at..pair.len())
}

/// Masks what is secret in JSON, one document or several, valid or not; gives how much that was.
pub fn json(bytes: &mut [u8]) -> usize {
    let secrets = in_json(bytes, 0);
    secrets.iter().for_each(|secret| secret.hide(bytes));
    secrets.len()
}

/// Masks what stands in a line of a text behind a name and `:` or `=`; gives how much that was. The name is one word, since what stands
/// before a colon in a sentence names nothing.
pub fn lines(bytes: &mut [u8]) -> usize {
    bytes.split_mut(|&byte| byte == b'\n').filter_map(in_line).count()
}

fn in_line(line: &mut [u8]) -> Option<()> {
    let at = memchr::memchr2(b':', b'=', line)?;
    let name = line[..at].trim_ascii();
    let name = name.strip_prefix(b"export ").unwrap_or(name).trim_ascii();
    let start = line.len() - line[at + 1..].trim_ascii_start().len();
    let end = line.trim_ascii_end().len();
    let is_one = !name.iter().any(u8::is_ascii_whitespace) && is_secret(name) && start < end;
    is_one.then(|| line[start..end].fill(b'*'))
}

/// Masks what is secret in a form, and in JSON that a field of it holds; gives how much that was.
pub fn form(bytes: &mut [u8]) -> usize {
    bytes.split_mut(|&byte| byte == b'&').map(in_field).sum()
}

/// Masks what is secret in a field of a form: all of its value, or parts of the JSON there.
fn in_field(field: &mut [u8]) -> usize {
    if let Some(place) = value_of(field, is_secret) {
        field[place].fill(b'*');
        return 1;
    }
    let in_urls = in_value(field, in_urls);
    in_urls.iter().for_each(|place| field[place.clone()].fill(b'*'));
    let Some(place) = value_of(field, |_| true) else { return in_urls.len() };
    let value = &mut field[place];
    let (json, mut places): (Vec<u8>, Vec<usize>) = pairs::decoded(value).unzip();
    if !looks_like_json(&json) {
        return in_urls.len();
    }
    places.push(value.len());
    let secrets = in_json(&json, 0);
    secrets.iter().for_each(|secret| secret.within(&places).hide(value));
    in_urls.len() + secrets.len()
}

/// Where something stands in the value of a field that is found in it without its escapes.
fn in_value(field: &[u8], find: fn(&[u8]) -> Vec<Range<usize>>) -> Vec<Range<usize>> {
    let Some(place) = value_of(field, |_| true) else { return Vec::new() };
    let (value, mut places): (Vec<u8>, Vec<usize>) = pairs::decoded(&field[place.clone()]).unzip();
    places.push(place.len());
    find(&value).into_iter().map(|it| place.start + places[it.start]..place.start + places[it.end]).collect()
}

/// Masks the secrets in the URLs of a text of any kind; gives how many there were.
pub fn urls(bytes: &mut [u8]) -> usize {
    let places = in_urls(bytes);
    places.iter().for_each(|place| bytes[place.clone()].fill(b'*'));
    places.len()
}

/// Where they stand: passwords, and in queries what has the name of a secret.
fn in_urls(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = passwords(text);
    let mut after = 0;
    for start in authorities(text) {
        // One that stands in the query of another has been looked at with that.
        if start < after {
            continue;
        }
        after = start + text[start..].iter().position(|byte| ends_url(*byte)).unwrap_or(text.len() - start);
        let Some(query) = memchr::memchr(b'?', &text[start..after]).map(|at| start + at + 1) else { continue };
        let mut at = query;
        for pair in text[query..after].split(|byte| b"&?".contains(byte)) {
            let value = value_of(pair, is_secret_in_query).filter(|value| !is_masked(&pair[value.clone()]));
            found.extend(value.map(|value| at + value.start..at + value.end));
            at += pair.len() + 1;
        }
    }
    found
}

/// Where passwords stand: between the first colon behind `://` and the last `@` before what ends an authority.
fn passwords(text: &[u8]) -> Vec<Range<usize>> {
    let in_authority = |start: usize| {
        let rest = &text[start..];
        let ends = |byte: &u8| ends_url(*byte) || b"/?#".contains(byte);
        let authority = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        let end = memchr::memrchr(b'@', authority)?;
        let colon = memchr::memchr(b':', &authority[..end])?;
        (!is_masked(&authority[colon + 1..end])).then_some(start + colon + 1..start + end)
    };
    authorities(text).filter_map(in_authority).collect()
}

/// The places behind `://`, which PHP writes with backslashes in JSON.
fn authorities(text: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b':', text).filter_map(|colon| {
        let begun = [&b"//"[..], b"\\/\\/"].into_iter().find(|slashes| text[colon + 1..].starts_with(slashes));
        begun.map(|slashes| colon + 1 + slashes.len())
    })
}

/// Whether a byte stands in no URL.
fn ends_url(byte: u8) -> bool {
    !byte.is_ascii_graphic() || b"\\\"'<>`{}|^".contains(&byte)
}

/// Whether there is nothing to mask, or nothing any more.
fn is_masked(value: &[u8]) -> bool {
    value.iter().all(|&byte| byte == b'*')
}

/// A secret in JSON.
struct Secret {
    /// What stands between the quotes of a text; all of a number.
    place: Range<usize>,
    kind: What,
}

/// What a secret is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Text,
    Number,
    /// One in JSON that is a string of JSON, where no quote may stand that is not escaped.
    InnerNumber,
}

impl Secret {
    fn of(bytes: &[u8], token: &Token) -> Option<Self> {
        let Range { start, end } = token.range;
        let is_number = matches!(bytes[start], b'-' | b'0'..=b'9');
        let (place, kind) = match token.kind {
            Kind::Text => (between_quotes(bytes, &token.range), What::Text),
            Kind::Word if is_number => (start..end, What::Number),
            _ => return None,
        };
        (!place.is_empty()).then_some(Self { place, kind })
    }

    /// The same where each byte stands at another place.
    fn within(&self, places: &[usize]) -> Self {
        Self { place: places[self.place.start]..places[self.place.end], ..*self }
    }

    /// A number becomes a text, so that what is left is JSON, or where that cannot be, 0 as long as it was.
    fn hide(&self, bytes: &mut [u8]) {
        let hidden = &mut bytes[self.place.clone()];
        hidden.fill(if self.kind == What::Text { b'*' } else { b'0' });
        match (self.kind, hidden) {
            (What::Number, [first, inner @ .., last]) => {
                (*first, *last) = (b'"', b'"');
                inner.fill(b'*');
            }
            (What::InnerNumber, [first, _]) => *first = b'-',
            (What::InnerNumber, [_, point, _, ..]) => *point = b'.',
            _ => {}
        }
    }
}

/// How many strings of JSON are looked into that lie in each other.
const DEEPEST: u8 = 4;

/// The texts and numbers that stand under the name of a secret, within what stands there too, and those of JSON that is a
/// string of this one, as Amazon SNS sends it. Valid or not, each token is looked at once for each string that it lies in.
fn in_json(bytes: &[u8], depth: u8) -> Vec<Secret> {
    let mut tokens = Tokens::new(bytes, 0).peekable();
    let mut secrets = Vec::new();
    // Whether the value that comes is one, and how many brackets are open of one that is.
    let (mut is_named, mut open) = (false, 0_usize);
    while let Some(token) = tokens.next() {
        let is_name = tokens.peek().is_some_and(|next| next.kind == Kind::Colon);
        match token.kind {
            Kind::Colon => continue,
            Kind::Open if is_named || open > 0 => open += 1,
            Kind::Close => open = open.saturating_sub(1),
            Kind::Text if is_name => {
                is_named = is_secret(&text_of(&bytes[token.range]));
                continue;
            }
            Kind::Text | Kind::Word if is_named || open > 0 => secrets.extend(Secret::of(bytes, &token)),
            Kind::Text if depth < DEEPEST => {
                secrets.extend(in_string(bytes, between_quotes(bytes, &token.range), depth));
            }
            _ => {}
        }
        is_named = false;
    }
    secrets
}

/// What stands between the quotes of a text, of which the last may be missing.
fn between_quotes(bytes: &[u8], &Range { start, end }: &Range<usize>) -> Range<usize> {
    start + 1..end - usize::from(end > start + 1 && bytes[end - 1] == b'"')
}

/// The secrets of JSON that is a string.
fn in_string(bytes: &[u8], place: Range<usize>, depth: u8) -> Vec<Secret> {
    let text = &bytes[place.clone()];
    if !looks_like_json(text) || memchr::memchr(b'\\', text).is_none() {
        return Vec::new();
    }
    let (json, mut places): (Vec<u8>, Vec<usize>) = unescaped(text).map(|(byte, at)| (byte, place.start + at)).unzip();
    places.push(place.end);
    let inner = in_json(&json, depth + 1).into_iter().map(|secret| secret.within(&places));
    inner.map(|it| Secret { kind: if it.kind == What::Text { What::Text } else { What::InnerNumber }, ..it }).collect()
}

/// Each byte that the text of a string says, and the place where it stands; a question mark for what is beyond ASCII and written
/// by its number: no name of a secret has such.
fn unescaped(text: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let place = at;
        let (byte, length) = match text.get(at..)? {
            [] => return None,
            [b'\\', b'u', digits @ ..] => {
                let digits = digits.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
                let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                (code.filter(u8::is_ascii).unwrap_or(b'?'), 6.min(text.len() - at))
            }
            [b'\\', b'n' | b'r' | b't' | b'b' | b'f', ..] => (b' ', 2),
            [b'\\', other, ..] => (*other, 2),
            [first, ..] => (*first, 1),
        };
        at += length;
        Some((byte, place))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_let_somebody_in_are_known() {
        let lets_in = |name: &str| Header { name: name.as_bytes(), value: b"" }.lets_in();
        for name in ["Authorization", "cookie", "X-Gitlab-Token", "x-api-key", "X-Webhook-Secret", "X-Functions-Key"] {
            assert!(lets_in(name), "{name}");
        }
        for name in
            ["X-Hub-Signature-256", "Content-Type", "Idempotency-Key", "X-Idempotency-Key", "Sec-WebSocket-Key", "Key"]
        {
            assert!(!lets_in(name), "{name}");
        }
    }

    #[test]
    fn a_target_loses_its_secrets_and_nothing_else() {
        const ROWS: &[(&str, &str)] = &[
            ("/a?x=1&token=abc&y=%20", "/a?x=1&token=******&y=%20"),
            ("/a?api_key=k&API-KEY=k&apikey=k", "/a?api_key=******&API-KEY=******&apikey=******"),
            ("/a?access%5Ftoken=a=b&&sig=x%3D", "/a?access%5Ftoken=******&&sig=******"),
            (
                "/a?key=1&X-Amz-Security-Token=z&clientSecret=s",
                "/a?key=******&X-Amz-Security-Token=******&clientSecret=******",
            ),
            ("http://h/?password=p?&user=u", "http://h/?password=******&user=u"),
            (
                "/a?to=https%3A%2F%2Fme%3Apa%2Bss%40h&x=ftp://u:p@h/",
                "/a?to=https%3A%2F%2Fme%3A******%40h&x=ftp://u:******@h/",
            ),
        ];
        for (came, left) in ROWS {
            let (masked, count) = target(came.as_bytes()).unwrap();
            assert_eq!(String::from_utf8_lossy(&masked), *left);
            assert_eq!(count, left.matches(MASK).count(), "{came}");
        }
        for clean in
            ["/token=1", "/a?", "/a?token", "/a?token=", "/a?monkey=1&tokens=2&signature=3&keys=4&design=5", "*"]
        {
            assert_eq!(target(clean.as_bytes()), None, "{clean}");
        }
    }

    fn masked(text: &str, mask: fn(&mut [u8]) -> usize) -> (String, usize) {
        let mut bytes = text.as_bytes().to_vec();
        let count = mask(&mut bytes);
        (String::from_utf8(bytes).unwrap(), count)
    }

    #[test]
    fn json_loses_its_secrets_stays_json_and_as_long_as_it_was() {
        const ROWS: &[(&str, &str, usize)] = &[
            (r#"{"token":"abc","id":"x"}"#, r#"{"token":"***","id":"x"}"#, 1),
            (
                r#"{ "a" : { "client_secret" : "pi_1\"2" }, "key":"K" }"#,
                r#"{ "a" : { "client_secret" : "*******" }, "key":"K" }"#,
                1,
            ),
            (r#"[{"accessToken":"é"},{"t\u006fken":"a"}]"#, r#"[{"accessToken":"**"},{"t\u006fken":"*"}]"#, 2),
            (r#"{"password":-12.5e3,"passwd":7,"secret":null}"#, r#"{"password":"*****","passwd":0,"secret":null}"#, 2),
            (
                r#"{"secret":{"value":"a","more":["b",12]},"value":"a"}"#,
                r#"{"secret":{"value":"*","more":["*",""]},"value":"a"}"#,
                3,
            ),
            (r#"{"a":"token","b":["token","c"],"token":"","token":true}"#, "", 0),
            ("{\"api_key\":\"a\"}\n{\"api_key\":\"b\"}\n", "{\"api_key\":\"*\"}\n{\"api_key\":\"*\"}\n", 2),
            // It broke off.
            (r#"{"token":"abc"#, r#"{"token":"***"#, 1),
            (r#"{"token":"#, "", 0),
            (r#"{"token":}"a""#, "", 0),
            // A string that is JSON itself.
            (
                r#"{"Message":"{\"t\u006fken\":\"a\\\"b\",\"pin\":7,\"password\":12,\"passwd\":-1.5e3}"}"#,
                r#"{"Message":"{\"t\u006fken\":\"******\",\"pin\":7,\"password\":-0,\"passwd\":0.0000}"}"#,
                3,
            ),
            (
                r#"["[\"{\\\"secret\\\":\\\"abc\\\"}\"]","{\"token\":\"#,
                r#"["[\"{\\\"secret\\\":\\\"***\\\"}\"]","{\"token\":\"#,
                1,
            ),
            (r#"{"a":"[token","b":"{\\"}"#, "", 0),
        ];
        for &(came, left, count) in ROWS {
            let left = if count == 0 { came } else { left };
            assert_eq!(masked(came, json), (left.to_owned(), count));
        }
    }

    #[test]
    fn forms_lose_theirs_also_those_in_json_of_a_field() {
        const ROWS: &[(&str, &str, usize)] = &[
            ("token=gIkuvaNzQIHg&team=T1&key=x", "token=************&team=T1&key=x", 1),
            (
                "payload=%7B%22token%22%3A%22a%2Bb%22%2C%22x%22%3A1%7D&x=1",
                "payload=%7B%22token%22%3A%22*****%22%2C%22x%22%3A1%7D&x=1",
                1,
            ),
            ("a+password=%20&&b", "a+password=***&&b", 1),
            ("to=https%3A%2F%2Fu%3Ap%2B%40h%2F&x=1", "to=https%3A%2F%2Fu%3A****%40h%2F&x=1", 1),
            ("a={&b=[&token", "", 0),
        ];
        for &(came, left, count) in ROWS {
            let left = if count == 0 { came } else { left };
            assert_eq!(masked(came, form), (left.to_owned(), count));
        }
    }

    #[test]
    fn a_url_loses_its_password_wherever_it_stands() {
        const ROWS: &[(&str, &str, usize)] = &[
            (
                "see https://me:p%40ss:w@host:8080/a@b:c and ftp://u:@h",
                "see https://me:********@host:8080/a@b:c and ftp://u:@h",
                1,
            ),
            (
                r#"{"db":"postgres:\/\/u:p\/w@h","b":"x://a:b@c@d"}"#,
                r#"{"db":"postgres:\/\/u:p\/w@h","b":"x://a:***@d"}"#,
                1,
            ),
            (r#"{"db":"redis:\/\/:pw@h"}"#, r#"{"db":"redis:\/\/:**@h"}"#, 1),
            ("://://http://u@h:1 mailto:a@b http://h:80, a@b http://é:x@h", "", 0),
            ("http://u:p", "", 0),
            (
                "http://h/a?x=1&Token=ab&y=http://i?sig=c\" token=d <http://h?api%5Fkey=e>",
                "http://h/a?x=1&Token=**&y=http://i?sig=*\" token=d <http://h?api%5Fkey=*>",
                3,
            ),
        ];
        for &(came, left, count) in ROWS {
            let left = if count == 0 { came } else { left };
            assert_eq!(masked(came, urls), (left.to_owned(), count));
            assert_eq!(masked(left, urls), (left.to_owned(), 0), "once is enough");
        }
    }

    #[test]
    fn what_lies_in_a_secret_is_one_by_its_path() {
        for (path, expected) in [
            ("data.client_secret", true),
            ("body secret.value[0]", true),
            ("$[\"token\"].x", true),
            ("a.tokens", false),
        ] {
            assert_eq!(is_secret_at(path.as_bytes()), expected, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_no_danger(bytes: Vec<u8>, is_form: bool) {
            let mut masked = bytes.clone();
            let count = if is_form { form(&mut masked) } else { json(&mut masked) };
            proptest::prop_assert!(count > 0 || masked == bytes);
        }

        #[test]
        fn json_without_its_end_or_with_odd_bytes_is_none_either(text in r#"[\[{]([\[\]{}:,"\\ 0-9a%+&=-]|"token"|:"|"\{|\\"token\\":|\\u00|://u:){0,40}"#, is_form: bool) {
            let mut masked = if is_form { format!("x={text}") } else { text }.into_bytes();
            let _ = if is_form { form(&mut masked) } else { json(&mut masked) };
        }
    }
}
