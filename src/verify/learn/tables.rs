//! What senders do to sign: algorithms by the length of what they make, and what is signed.

use std::ops::RangeInclusive;

/// An algorithm: its name in a file, how many bytes it makes, and the forms in which a secret for it is handed out.
pub(super) struct Algorithm {
    pub(super) name: &'static str,
    pub(super) bytes: RangeInclusive<usize>,
    pub(super) forms: &'static [&'static str],
    pub(super) contents: &'static [&'static str],
}

const SHARED: &[&str] = &["text", "base64", "hex"];

pub(super) const ALGORITHMS: &[Algorithm] = &[
    Algorithm { name: "hmac-sha256", bytes: 32..=32, forms: SHARED, contents: CONTENTS },
    Algorithm { name: "hmac-sha1", bytes: 20..=20, forms: SHARED, contents: CONTENTS },
    Algorithm { name: "hmac-sha512", bytes: 64..=64, forms: SHARED, contents: CONTENTS },
    Algorithm { name: "hmac-sha384", bytes: 48..=48, forms: SHARED, contents: CONTENTS },
    Algorithm { name: "hmac-md5", bytes: 16..=16, forms: SHARED, contents: CONTENTS },
    Algorithm { name: "ed25519", bytes: 64..=64, forms: &["hex", "base64", "pem"], contents: CONTENTS },
    Algorithm { name: "rsa-sha256", bytes: 128..=512, forms: &["pem"], contents: CONTENTS },
    Algorithm { name: "rsa-sha1", bytes: 128..=512, forms: &["pem"], contents: CONTENTS },
    Algorithm { name: "ecdsa-p256-sha256", bytes: 68..=72, forms: &["pem", "base64"], contents: CONTENTS },
    Algorithm { name: "sha256", bytes: 32..=32, forms: &["text"], contents: HASHED },
    Algorithm { name: "sha1", bytes: 20..=20, forms: &["text"], contents: HASHED },
    Algorithm { name: "sha512", bytes: 64..=64, forms: &["text"], contents: HASHED },
    Algorithm { name: "md5", bytes: 16..=16, forms: &["text"], contents: HASHED },
];

/// What stands before a secret and is no part of it.
pub(super) const PREFIXES: &[&str] = &["", "whsec_", "whpk_"];

/// What is signed, the likeliest first: `TIME` is each moment that stands in the request, `ID` each id.
pub(super) const CONTENTS: &[&str] = &[
    "{body}",
    "TIME.{body}",
    "TIME:{body}",
    "TIME{body}",
    "v0:TIME:{body}",
    "v1:TIME:{body}",
    "{body}.TIME",
    "{body}TIME",
    "{body}:TIME",
    "TIME|{body}",
    "TIME\n{body}",
    "TIME,{body}",
    "ID.TIME.{body}",
    "ID.{body}",
    "ID:TIME:{body}",
    "IDTIME{body}",
    "TIME.ID.{body}",
    "TIMEID{body}",
    "TIME:ID:{body}",
    "{url}{body}",
    "{url}.{body}",
    "{url}:{body}",
    "{body}{url}",
    "{method}{url}{body}",
    "{method}{url}{body}TIME",
    "TIME{method}{url}{body}",
    "TIME.{url}.{body}",
    "TIME{url}{body}",
    "{method}{target}{body}",
    "TIME{method}{target}{body}",
    "TIME.{method}.{target}.{body}",
    "TIME{target}{body}",
    "{method}\n{target}\n{body}",
    "{method}\n{target}\nTIME\n{body}",
    "{target}{body}",
    "{path}{body}",
    "{url}{sorted-form}",
    "{body-sha256}",
    "TIME.{body-sha256}",
    "TIME{body-sha256}",
    "{url}",
    "TIME.{url}",
    "TIME",
    "ID",
    "ID.TIME",
    "IDTIME",
];

/// What a plain hash is made of.
pub(super) const HASHED: &[&str] = &[
    "{body}{secret}",
    "{secret}{body}",
    "{body}.{secret}",
    "{secret}.{body}",
    "{secret}:{body}",
    "{body}:{secret}",
    "TIME{body}{secret}",
    "{secret}TIME{body}",
    "TIME{secret}{body}",
    "{body}TIME{secret}",
    "TIME.{body}.{secret}",
    "{secret}{method}{url}{body}",
    "TIME{secret}",
    "{secret}TIME",
    "ID{secret}",
    "IDTIME{secret}",
];
