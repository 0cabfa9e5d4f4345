//! The classes of changes that the doctor tries, a row each: secrets misread, bodies changed on the way, other contents,
//! other spellings of a signature. What is tried is data; how it is tried is the room's `mod.rs`.

use std::borrow::Cow;

use super::super::{encoding::Encoding, form, key::Form, repr, rewrite, transform};

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
        class: "secret-white-space",
        is: "the secret with CR LF after it",
        mend: "The sender's secret ends with a line end: take it out there.",
        make: |secret| Some([secret, b"\r\n"].concat()),
    },
    SecretChange {
        class: "secret-white-space",
        is: "the secret with a blank after it",
        mend: "The sender's secret ends with a blank: take it out there.",
        make: |secret| Some([secret, b" "].concat()),
    },
    SecretChange {
        class: "secret-white-space",
        is: "the secret without the `\\n` at its end",
        mend: "Take the backslash and the n out of the secret's setting.",
        make: |secret| secret.strip_suffix(b"\\n").map(<[u8]>::to_vec),
    },
    SecretChange {
        class: "secret-bom",
        is: "the secret without its byte order mark",
        mend: "Save the secret's file as UTF-8 without a byte order mark.",
        make: |secret| secret.strip_prefix(b"\xef\xbb\xbf").map(|secret| secret.trim_ascii().to_vec()),
    },
    SecretChange {
        class: "secret-quotes",
        is: "the secret without the quotes around it",
        mend: "Take the quotes out of the secret's setting.",
        make: |secret| rewrite::unquoted(secret.trim_ascii()),
    },
    SecretChange {
        class: "secret-quotes",
        is: "the secret with quotes around it",
        mend: "The sender's secret has quotes around it: take them out there.",
        make: |secret| Some([b"\"", secret, b"\""].concat()),
    },
    SecretChange {
        class: "secret-quotes",
        is: "the secret with single quotes around it",
        mend: "The sender's secret has quotes around it: take them out there.",
        make: |secret| Some([b"'", secret, b"'"].concat()),
    },
    SecretChange {
        class: "secret-name",
        is: "what stands in the secret behind a name",
        mend: "Take the name out of the secret's setting.",
        make: rewrite::behind_its_name,
    },
    SecretChange {
        class: "secret-name",
        is: "the last word of the secret",
        mend: "Leave only that in the secret's setting.",
        make: rewrite::last_word,
    },
    SecretChange {
        class: "secret-case",
        is: "the secret in capitals",
        mend: "Sender and creel must have it alike.",
        make: |secret| Some(secret.to_ascii_uppercase()),
    },
    SecretChange {
        class: "secret-case",
        is: "the secret in small letters",
        mend: "Sender and creel must have it alike.",
        make: |secret| Some(secret.to_ascii_lowercase()),
    },
    SecretChange {
        class: "secret-form",
        is: "the secret after its percent signs are undone",
        mend: "The secret was copied out of a URL: configure what its percent signs stand for.",
        make: |secret| Some(rewrite::percent_undone(secret)),
    },
    SecretChange {
        class: "secret-form",
        is: "the secret with percent signs, as in a URL",
        mend: "The sender uses the secret as it stands in a URL: it should undo the percent signs.",
        make: |secret| Some(form::escaped(secret).into_bytes()),
    },
    SecretChange {
        class: "secret-form",
        is: "the secret written in base64",
        mend: "The sender codes the secret, or creel has it decoded: both must have it alike.",
        make: |secret| Some(Encoding::Base64.write(secret).into_bytes()),
    },
    SecretChange {
        class: "secret-form",
        is: "the secret written in hex",
        mend: "The sender codes the secret, or creel has it decoded: both must have it alike.",
        make: |secret| Some(Encoding::Hex.write(secret).into_bytes()),
    },
    SecretChange {
        class: "secret-form",
        is: "the secret decoded from base64url",
        mend: "The sender decodes the secret, or creel has it coded: both must have it alike.",
        make: rewrite::from_base64url,
    },
    SecretChange {
        class: "secret-form",
        is: "the secret in Unicode's form NFKD",
        mend: "Configure the secret with its accents decomposed (NFKD).",
        make: |secret| rewrite::decomposed(secret),
    },
];

/// What a sender signs with that found no secret. HMAC fills a key up with zeros (RFC 2104, section 2), so that one of a single zero is
/// the empty one, which no check here takes.
pub(super) const UNSET: &[(&str, &str)] = &[
    ("\0", "an empty secret"),
    ("undefined", "the secret `undefined`, which JavaScript writes for what is not there"),
    ("null", "the secret `null`"),
    ("None", "the secret `None`, which Python writes for what is not there"),
    ("<nil>", "the secret `<nil>`, which Go writes for what is not there"),
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
        class: "body-encoding",
        is: "the body after its base64 is undone",
        make: |body| Encoding::Base64.read(body.trim_ascii()).map(Cow::into_owned),
    },
    BodyChange {
        class: "body-encoding",
        is: "the body in base64",
        make: |body| Some(Encoding::Base64.write(body).into_bytes()),
    },
    BodyChange {
        class: "body-object",
        is: "the text `[object Object]`, which JavaScript makes of an object that nobody wrote as JSON",
        make: |_| Some(b"[object Object]".to_vec()),
    },
    BodyChange {
        class: "body-object",
        is: "the text that Python's `str()` makes of the object, in the place of its JSON",
        make: repr::of,
    },
    BodyChange {
        class: "body-charset",
        is: "the body written in UTF-16, little end first, instead of UTF-8",
        make: |body| rewrite::utf8_to_utf16(body, u16::to_le_bytes),
    },
    BodyChange {
        class: "body-charset",
        is: "the body written in UTF-16, big end first, instead of UTF-8",
        make: |body| rewrite::utf8_to_utf16(body, u16::to_be_bytes),
    },
    BodyChange {
        class: "body-charset",
        is: "the body written in UTF-8 instead of UTF-16, little end first",
        make: |body| rewrite::utf16_to_utf8(body, u16::from_le_bytes),
    },
    BodyChange {
        class: "body-charset",
        is: "the body written in UTF-8 instead of UTF-16, big end first",
        make: |body| rewrite::utf16_to_utf8(body, u16::from_be_bytes),
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
    BodyChange {
        class: "body-charset",
        is: "the body written in UTF-8 instead of Windows-1252",
        make: rewrite::windows_to_utf8,
    },
    BodyChange {
        class: "body-charset",
        is: "the body written in Windows-1252 instead of UTF-8",
        make: rewrite::utf8_to_windows,
    },
    BodyChange {
        class: "body-charset",
        is: "the body with each letter and its accents as one sign (NFC)",
        make: rewrite::composed,
    },
    BodyChange {
        class: "body-charset",
        is: "the body with each accent as a sign of its own (NFD)",
        make: rewrite::taken_apart,
    },
    BodyChange {
        class: "body-json-string",
        is: "the text within the JSON string that came",
        make: rewrite::in_json_string,
    },
    BodyChange {
        class: "body-json-string",
        is: "the body as a JSON string",
        make: |body| Some(transform::as_json_string(body)),
    },
    BodyChange { class: "body-form", is: "the form with %20 for every +", make: rewrite::plus_as_percent },
    BodyChange { class: "body-form", is: "the form with + for every %20", make: rewrite::percent_as_plus },
    BodyChange {
        class: "body-form",
        is: "the form as PHP writes it",
        make: |body| rewrite::form_anew(body, b"-_.", "+"),
    },
    BodyChange {
        class: "body-form",
        is: "the form as Python writes it",
        make: |body| rewrite::form_anew(body, b"-_.~", "+"),
    },
    BodyChange {
        class: "body-form",
        is: "the form as JavaScript's URLSearchParams writes it",
        make: |body| rewrite::form_anew(body, b"-_.*", "+"),
    },
    BodyChange {
        class: "body-form",
        is: "the form as JavaScript's encodeURIComponent writes it",
        make: |body| rewrite::form_anew(body, b"-_.~!*'()", "%20"),
    },
    BodyChange { class: "body-form", is: "the JSON that was taken for a form", make: rewrite::json_as_form },
    BodyChange { class: "body-form", is: "the form after decoding", make: rewrite::form_decoded },
    BodyChange { class: "body-form", is: "the JSON in the form's field payload", make: rewrite::form_payload },
    BodyChange { class: "body-empty", is: "an empty body", make: |body| (!body.is_empty()).then(Vec::new) },
];

/// The classes of changes that are tried along with another one: what happens to a body without anybody noticing.
pub(super) const LIKELY: &[&str] =
    &["body-final-newline", "body-line-ends", "body-white-space", "body-json-string", "body-form"];

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

/// What a hash without a key is made of, with what that is.
pub(super) const HASHED: &[(&str, &str)] = &[
    ("{body}", "the body alone, which anybody can make: no secret is in it"),
    ("{secret}{body}", "secret and body in a row"),
    ("{body}{secret}", "body and secret in a row"),
    ("{secret}{timestamp}{body}", "secret, timestamp and body in a row"),
];

/// What stands between a sender and creel may change a body after it was signed.
pub(super) const MEND_BODY: &str = "Something between the sender and creel changes the body after it is signed, or the sender signs other bytes than \
     it sends: send the bytes that were signed.";

/// What may stand before a signature.
pub(super) const SIGNATURE_PREFIXES: &[&str] = &["", "sha256=", "sha1=", "sha512=", "v0=", "v1="];
