//! Tokens: JSON Web Tokens (RFC 7519) and detached JSON Web Signatures (RFC 7515, appendix F), checked with keys that
//! are at hand. No key is ever fetched.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p521::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Map, Value};

use super::{key::Key, mac::Algorithm};

/// How long after its end, and before its beginning, a token is still taken, in seconds: clocks differ. MessageBird's
/// library allows the same.
const LEEWAY_S: i64 = 1;

/// The shared-key algorithms of RFC 7518, section 3.1, that tokens may name.
const SHARED: [(&str, Algorithm); 3] =
    [("HS256", Algorithm::HmacSha256), ("HS384", Algorithm::HmacSha384), ("HS512", Algorithm::HmacSha512)];

/// Those with a public key. `none` is in neither list.
static PUBLIC: [(&str, &dyn VerificationAlgorithm); 3] =
    [("RS256", &RSA_PKCS1_2048_8192_SHA256), ("ES256", &ECDSA_P256_SHA256_FIXED), ("EdDSA", &ED25519)];

/// A token, taken apart.
pub(super) struct Token<'a> {
    /// What is signed: head and claims as they came.
    signed: &'a [u8],
    /// The algorithm that its head names.
    pub(super) algorithm: String,
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Takes a token apart; the error says what is wrong with it, in words that can follow its place.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, &'static str> {
        let end = text.iter().rposition(|&b| b == b'.').ok_or("holds no token")?;
        let (signed, signature) = (&text[..end], &text[end + 1..]);
        let dot = signed.iter().position(|&b| b == b'.').ok_or("holds no token")?;
        let head = object(&signed[..dot]).ok_or("has a head that is no JSON in base64url")?;
        let claims = object(&signed[dot + 1..]).ok_or("has claims that are no JSON in base64url")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "has a signature that is not in base64url")?;
        let algorithm = head.get("alg").and_then(Value::as_str).ok_or("names no algorithm")?.to_owned();
        Ok(Self { signed, algorithm, claims, signature })
    }

    /// Whether one holds the key that made it. A token may only name an algorithm that fits the kind of the key, so a
    /// public key is never taken for a shared secret.
    pub(super) fn is_of(&self, key: &Key) -> bool {
        match key {
            Key::Shared(_) => SHARED.iter().find(|row| row.0 == self.algorithm).is_some_and(|(_, algorithm)| {
                algorithm.tag(key, &[self.signed]).is_some_and(|tag| tag.is(&self.signature))
            }),
            Key::Public(public) => PUBLIC.iter().find(|row| row.0 == self.algorithm).is_some_and(|(_, algorithm)| {
                UnparsedPublicKey::new(*algorithm, public).verify(self.signed, &self.signature).is_ok()
            }),
            Key::Private { .. } => false,
        }
    }

    /// Whether creel can check its algorithm at all.
    pub(super) fn is_known(&self) -> bool {
        SHARED.iter().any(|row| row.0 == self.algorithm) || PUBLIC.iter().any(|row| row.0 == self.algorithm)
    }

    /// A claim as text.
    pub(super) fn claim(&self, name: &str) -> Option<String> {
        text(self.claims.get(name)?)
    }

    /// Seconds by which a moment (Unix seconds) lies outside of the token's time: after its end positive, before its
    /// beginning negative; 0 within.
    pub(super) fn out_of_time(&self, now: i64) -> i64 {
        let number = |name: &str| self.claims.get(name).and_then(Value::as_f64).map(|n| n as i64);
        let late = number("exp").map_or(0, |end| now.saturating_sub(end)).saturating_sub(LEEWAY_S).max(0);
        let early = number("nbf").map_or(0, |start| start.saturating_sub(now)).saturating_sub(LEEWAY_S).max(0);
        if late > 0 { late } else { -early }
    }
}

/// A claim of a token, not checked.
pub(super) fn claim(token: &[u8], name: &str) -> Option<String> {
    Token::parse(token).ok()?.claim(name)
}

/// All claims of a token, not checked; none where it is no token.
pub(super) fn claims(token: &[u8]) -> Vec<(String, Value)> {
    Token::parse(token).map_or_else(|_| Vec::new(), |token| token.claims.into_iter().collect())
}

/// A field of a token's head, not checked.
pub(super) fn header_field(token: &[u8], name: &str) -> Option<String> {
    text(object(token.split(|&b| b == b'.').next()?)?.get(name)?)
}

/// Makes a token with HS256.
pub(super) fn write(key: &Key, claims: &[(String, Value)]) -> Option<String> {
    let claims: Map<String, Value> = claims.iter().cloned().collect();
    let signed = [r#"{"alg":"HS256","typ":"JWT"}"#.to_owned(), Value::Object(claims).to_string()]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let tag = Algorithm::HmacSha256.tag(key, &[signed.as_bytes()])?;
    Some(format!("{signed}.{}", tag.written(super::encoding::Encoding::Base64url)))
}

/// Whether a text is a detached JWS: a head, two dots, a signature.
pub(super) fn is_detached(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"..").is_some_and(|at| object(&text[..at]).is_some() && at + 2 < text.len())
}

/// Whether a detached JWS with ES512 (`head..signature`) was made by the holder of a key over that payload.
pub(super) fn is_detached_of(key: &Key, jws: &[u8], payload: &[&[u8]]) -> bool {
    let Key::Public(public) = key else { return false };
    let check = || {
        let text = std::str::from_utf8(jws).ok()?;
        let (head, signature) = text.split_once("..")?;
        if header_field(jws, "alg")? != "ES512" {
            return None;
        }
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(payload.concat()));
        VerifyingKey::from_sec1_bytes(public).ok()?.verify(signed.as_bytes(), &signature).ok()
    };
    check().is_some()
}

fn object(encoded: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(it) => Some(it.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, appendix A.1.
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const KEY: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    #[test]
    fn the_token_of_the_rfc_is_right() {
        let key = Key::Shared(URL_SAFE_NO_PAD.decode(KEY).unwrap());
        let token = Token::parse(TOKEN.as_bytes()).unwrap();
        assert!(token.is_known() && token.is_of(&key));
        assert_eq!((token.claim("iss").as_deref(), token.claim("absent")), (Some("joe"), None));
        assert!(!token.is_of(&Key::Shared(b"other".to_vec())));
        assert_eq!([1_300_819_381, 1_300_819_390].map(|now| token.out_of_time(now)), [0, 9]);
    }

    #[test]
    fn a_public_key_is_no_shared_secret_and_none_is_no_algorithm() {
        let written = write(&Key::Shared(b"k".to_vec()), &[("a".to_owned(), 1.into())]).unwrap();
        let token = Token::parse(written.as_bytes()).unwrap();
        assert!(token.is_of(&Key::Shared(b"k".to_vec())) && !token.is_of(&Key::Public(b"k".to_vec())));
        let none = format!("{}.e30.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#));
        let none = Token::parse(none.as_bytes()).unwrap();
        assert!(!none.is_known() && !none.is_of(&Key::Shared(Vec::new())));
    }

    #[test]
    fn rubbish_is_no_token() {
        for text in ["", "a", "a.b", "a.b.c", "e30.e30.e30", "e30.e30.%"] {
            assert!(Token::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
