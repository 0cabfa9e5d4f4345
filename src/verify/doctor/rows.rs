//! The classes of changes that the doctor tries, a row each: secrets misread, bodies changed on the way, other contents,
//! other spellings of a signature. What is tried is data; how it is tried is the room's `mod.rs`.

use super::super::{key::Form, rewrite, transform};

/// A secret read in another way.
pub(super) struct SecretChange {
    pub(super) class: &'static str,
    pub(super) is: &'static str,
    pub(super) mend: &'static str,
    pub(super) make: fn(&[u8]) -> Option<Vec<u8>>,
}

/// The ways to misread a secret. Each gives another text, or nothing where it would be the same.
pub(super) const SECRETS: &[SecretChange] = &[
    SecretChange {
        class: "secret-white-space",
        is: "the secret without the white space around it",
        mend: "Take the white space out of the secret's setting.",
        make: |secret| Some(secret.trim_ascii().to_vec()),
    },
    SecretChange {
        class: "secret-white-space",
        is: "the secret with a line end after it",
        mend: "The sender's secret ends with a line end: take it out there.",
        make: |secret| Some([secret, b"\n"].concat()),
    },
    SecretChange {
        class: "secret-quotes",
        is: "the secret without the quotes around it",
        mend: "Take the quotes out of the secret's setting.",
        make: |secret| match secret {
            [first @ (b'"' | b'\''), inner @ .., last] if first == last => Some(inner.to_vec()),
            _ => None,
        },
    },
    SecretChange {
        class: "secret-quotes",
        is: "the secret with quotes around it",
        mend: "The sender's secret has quotes around it: take them out there.",
        make: |secret| Some([b"\"", secret, b"\""].concat()),
    },
    SecretChange {
        class: "secret-form",
        is: "the secret in Unicode's form NFKD",
        mend: "Configure the secret with its accents decomposed (NFKD).",
        make: |secret| rewrite::decomposed(secret),
    },
];

/// What may stand before a secret, and be taken for a part of it or not.
pub(super) const PREFIXES: &[&str] = &["whsec_", "whsk_", "pdl_ntfset_", "sk_", "v1,whsec_"];

/// The forms a secret may be taken for.
pub(super) const FORMS: &[(Form, &str)] = &[
    (Form::Text, "taken as the text it is"),
    (Form::Base64, "decoded from base64"),
    (Form::Hex, "decoded from hex"),
    (Form::Sha256, "hashed with SHA-256"),
];

/// A body as it may have been when it was signed.
pub(super) struct BodyChange {
    pub(super) class: &'static str,
    pub(super) is: &'static str,
    pub(super) make: fn(&[u8]) -> Option<Vec<u8>>,
}

pub(super) const BODIES: &[BodyChange] = &[
    BodyChange {
        class: "body-final-newline",
        is: "the body without its final newline",
        make: rewrite::without_newline,
    },
    BodyChange {
        class: "body-final-newline",
        is: "the body with a newline after it",
        make: |body| Some([body, b"\n"].concat()),
    },
    BodyChange {
        class: "body-final-newline",
        is: "the body with CR LF after it",
        make: |body| Some([body, b"\r\n"].concat()),
    },
    BodyChange { class: "body-line-ends", is: "the body with LF for every CR LF", make: rewrite::with_lf },
    BodyChange {
        class: "body-line-ends",
        is: "the body with CR LF for every line end",
        make: |body| Some(transform::with_crlf(body)),
    },
    BodyChange {
        class: "body-bom",
        is: "the body without its byte order mark",
        make: |body| body.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec),
    },
    BodyChange {
        class: "body-bom",
        is: "the body with a byte order mark before it",
        make: |body| Some([b"\xef\xbb\xbf", body].concat()),
    },
    BodyChange {
        class: "body-white-space",
        is: "the body without the white space around it",
        make: |body| Some(body.trim_ascii().to_vec()),
    },
    BodyChange {
        class: "body-encoding",
        is: "the body after its gzip is undone",
        make: |body| Some(transform::gunzipped(body).into_owned()),
    },
    BodyChange {
        class: "body-charset",
        is: "the body written in UTF-8 instead of Latin-1",
        make: rewrite::latin1_to_utf8,
    },
    BodyChange {
        class: "body-charset",
        is: "the body written in Latin-1 instead of UTF-8",
        make: rewrite::utf8_to_latin1,
    },
    BodyChange { class: "body-form", is: "the form with %20 for every +", make: rewrite::plus_as_percent },
    BodyChange { class: "body-form", is: "the form with + for every %20", make: rewrite::percent_as_plus },
    BodyChange { class: "body-form", is: "the form after decoding", make: rewrite::form_decoded },
    BodyChange { class: "body-form", is: "the JSON in the form's field payload", make: rewrite::form_payload },
    BodyChange { class: "body-empty", is: "an empty body", make: |body| (!body.is_empty()).then(Vec::new) },
];

/// Lengths at which bodies are cut on their way, in bytes.
pub(super) const CUTS: &[usize] = &[
    1 << 10,
    2 << 10,
    4 << 10,
    8 << 10,
    10_000,
    16 << 10,
    32 << 10,
    64 << 10,
    65_535,
    100_000,
    100 << 10,
    128 << 10,
    256 << 10,
    512 << 10,
    1_000_000,
    1 << 20,
    2 << 20,
    5 << 20,
];

/// What else may have been signed.
pub(super) const CONTENTS: &[&str] = &[
    "{body}",
    "{timestamp}.{body}",
    "{timestamp}{body}",
    "{timestamp}:{body}",
    "v0:{timestamp}:{body}",
    "{body}{timestamp}",
    "{body}.{timestamp}",
    "{url}{body}",
    "{method}{url}{body}{timestamp}",
    "{body-sha256}",
];

/// What stands between a sender and creel may change a body after it was signed.
pub(super) const MEND_BODY: &str = "Something between the sender and creel changes the body after it is signed, or the sender signs other bytes than \
     it sends: send the bytes that were signed.";

/// What may stand before a signature.
pub(super) const SIGNATURE_PREFIXES: &[&str] = &["", "sha256=", "sha1=", "sha512=", "v0=", "v1="];
