//! What lets somebody in: the names by which it stands in headers, queries and bodies, and the mask in its place.
//!
//! Known by its name alone: what a key looks like is not guessed at. Signatures are none of it; they are what a request is
//! judged by. In a body the mask is as long as what it hides, so that every length that was told stays true.

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

/// Whether a field of that name, or one at that path, holds what lets somebody in.
pub fn is_secret(name: &[u8]) -> bool {
    let name = plain(name);
    FIELD_ENDS.iter().any(|end| name.ends_with(end.as_bytes()))
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
    let pairs = target[at..].split(|&byte| byte == b'&').map(|pair| match value_of(pair, is_secret_in_query) {
        Some(value) => {
            count += 1;
            Cow::Owned([&pair[..value.start], MASK.as_bytes()].concat())
        }
        None => Cow::Borrowed(pair),
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
    let secrets = in_json(bytes);
    secrets.iter().for_each(|secret| secret.hide(bytes));
    secrets.len()
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
    let Some(place) = value_of(field, |_| true) else { return 0 };
    let value = &mut field[place];
    let (json, mut places): (Vec<u8>, Vec<usize>) = pairs::decoded(value).unzip();
    if !looks_like_json(&json) {
        return 0;
    }
    places.push(value.len());
    let secrets = in_json(&json);
    secrets.iter().for_each(|secret| secret.within(&places).hide(value));
    secrets.len()
}

/// A secret in JSON.
struct Secret {
    /// What stands between the quotes of a text; all of a number.
    place: Range<usize>,
    is_number: bool,
}

impl Secret {
    fn of(bytes: &[u8], token: &Token) -> Option<Self> {
        let Range { start, end } = token.range;
        let is_number = matches!(bytes[start], b'-' | b'0'..=b'9');
        let place = match token.kind {
            Kind::Text => start + 1..end - usize::from(end > start + 1 && bytes[end - 1] == b'"'),
            Kind::Word if is_number => start..end,
            _ => return None,
        };
        (!place.is_empty()).then_some(Self { place, is_number })
    }

    /// The same where each byte stands at another place.
    fn within(&self, places: &[usize]) -> Self {
        Self { place: places[self.place.start]..places[self.place.end], ..*self }
    }

    /// A number becomes a text, so that what is left is JSON; one of a single digit becomes 0.
    fn hide(&self, bytes: &mut [u8]) {
        match &mut bytes[self.place.clone()] {
            [digit] if self.is_number => *digit = b'0',
            [first, inner @ .., last] if self.is_number => {
                (*first, *last) = (b'"', b'"');
                inner.fill(b'*');
            }
            text => text.fill(b'*'),
        }
    }
}

/// The texts and numbers that stand under the name of a secret, within what stands there too. Valid or not, each token is
/// looked at once.
fn in_json(bytes: &[u8]) -> Vec<Secret> {
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
            _ => {}
        }
        is_named = false;
    }
    secrets
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
            ("a={&b=[&token", "", 0),
        ];
        for &(came, left, count) in ROWS {
            let left = if count == 0 { came } else { left };
            assert_eq!(masked(came, form), (left.to_owned(), count));
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
        fn json_without_its_end_or_with_odd_bytes_is_none_either(text in r#"[\[{]([\[\]{}:,"\\ 0-9a%+&=-]|"token"|:"){0,40}"#, is_form: bool) {
            let mut masked = if is_form { format!("x={text}") } else { text }.into_bytes();
            let _ = if is_form { form(&mut masked) } else { json(&mut masked) };
        }
    }
}
