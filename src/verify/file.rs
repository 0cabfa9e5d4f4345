//! The grammar of a provider's file: what may stand in `assets/providers/NAME.toml`.
//!
//! ```toml
//! title = "Stripe"                                  # for eyes
//! docs = "https://docs.stripe.com/webhooks"         # the provider's own page
//! confidence = "high"                               # high: read in the provider's own words or code; medium; low
//!
//! addresses = ["192.0.2.0/24"]                      # networks it says it sends from, where it says so
//!
//! [[detect]]                                        # any of these rules marks a request; none: never detected
//! with = ["Stripe-Signature"]                       # each a header's name, or `NAME: PATTERN` with `*` for anything,
//!                                                   # or a place of another kind, or `PLACE = PATTERN`
//! without = []                                      # and none of these
//!
//! [event]                                           # each a list of places; the first that holds something counts
//! id = ["json:id"]                                  # `json:a + json:b` where one of them alone is of several events
//! type = ["json:type"]
//! created = ["json:created"]
//! created-unit = "s"                                # s, ms, rfc3339, utc (no zone: UTC), http-date; a list: the first
//!                                                   # that reads it, where some events have it in another
//!
//! [[scheme]]                                        # the first whose signature is there is the one that counts
//! when = "query:x"                                  # only for requests that have something at this place; also
//!                                                   # `PLACE = VALUE`, and `not ` before either
//! signature = { in = ["header:Stripe-Signature"], prefix = "", split = ",", pair = "=", key = "v1" }
//!                                                   # key "*" is any; `sets = " "` where a header holds several lists;
//!                                                   # `time-last = true` where the timestamp stands behind it
//! algorithm = "hmac-sha256"                         # hmac-md5, -sha1, -sha256, -sha384, -sha512; md5, sha1, sha256,
//!                                                   # sha512 over a content with {secret}; ed25519, ecdsa-p256-sha256,
//!                                                   # rsa-sha1, rsa-sha256; jwt, jws-detached; token; remote
//! encoding = "hex"                                  # hex, base64, base64url, text
//! secret = { form = "text", prefix = "whsec_" }     # text, base64, hex, sha1, sha256, nfkd, seed, pem; for public keys
//!                                                   # also private-prefix; `beside` says what a second secret is;
//!                                                   # `begins` what all begin with, where that is a part of them
//! content = "{timestamp}.{body}"                    # what is signed; see `content`
//! claims = { payload_hash = "{body-sha256}" }       # for a jwt: what the token says, each with what it must be
//! needs = "keys that …"                             # for remote: what a check would have to ask for
//! covers-body = true                                # where the content does not show it
//! timestamp = { in = "pair:t", unit = "s", tolerance = 300, window = "past" }      # window: past, both
//! body-sha256 = "query:bodySHA256"                  # where the body's SHA-256 stands in hex, if it is signed in its place
//! url-spellings = ["port", "query"]                 # other spellings of {url} that the provider may have signed
//!
//! [[handshake]]                                     # the first that fits is answered in the place of the endpoint
//! about = "Slack asks whether the URL is yours"
//! when = ["json:type = url_verification"]           # conditions as in `when` of a scheme; all must hold
//! verdict = "passed"                                # only where the check came out so: passed, failed; else any
//! token = "query:hub.verify_token"                  # what must be the endpoint's `verify-token`, where it has one
//! status = 200
//! headers = [["Content-Type", "text/plain"]]        # values and body are templates; `{mac PLACE…}` is made with the
//! body = "{json:challenge}"                         # scheme's key, `{json PLACE}` is a JSON string
//! learns = "header:X-Hook-Secret"                   # where the secret of the hook stands
//! show = "json:SubscribeURL"                        # what a person must see
//!
//! [delivery]                                        # how it delivers, by its own page
//! timeout = 10                                      # seconds it waits for the answer
//! success = ["2xx"]                                 # what it takes for success: 200, 2xx, 200-204
//! retries = ["5s", "5m"]                            # the gaps between its tries, in s, m, h or d; []: it tries once
//! about = "…"                                      # what the gaps do not say
//! headers = [["Box-Signature-Version", "1"]]        # what else it sends that its library asks for: `creel send` does too
//! docs = "https://…"                                # that page, where it is another
//!
//! [[example]]                                       # each proves the file; every scheme has one
//! about = "a charge"
//! method = "POST"                                   # POST where it is left out
//! url = "https://example.com/stripe"
//! headers = [["Stripe-Signature", "t=…,v1=…"]]
//! body = "{}"
//! secret = "whsec_example"
//! second-secret = "…"                               # for a scheme with one beside
//! now = 1700000000                                  # Unix seconds at which it came
//! id = "evt_1"                                      # what the event shall be
//! type = "charge.succeeded"
//! created = "2023-11-14T22:13:20Z"
//! detected-as = "other"                             # whose it looks like by its headers, where not this provider's
//! ```

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, IntoDeserializer, SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use toml::Spanned;

use super::{
    address::Spelling,
    encoding::Encoding,
    key::Form,
    mac::Algorithm,
    time::{Unit, Window},
};

/// How sure a provider's file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Read in the provider's own documentation or code.
    High,
    /// Read in the code or words of somebody else.
    Medium,
    /// Not read anywhere.
    Low,
}

impl Confidence {
    /// The name in a provider's file.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// Text that knows where it stands in its file, so that what is wrong with it can be shown there.
pub(super) type Text = Spanned<String>;

/// A whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    pub(super) title: String,
    pub(super) docs: String,
    pub(super) confidence: Confidence,
    #[serde(default)]
    pub(super) addresses: Vec<String>,
    #[serde(default)]
    pub(super) detect: Vec<DetectTable>,
    #[serde(default)]
    pub(super) event: EventTable,
    pub(super) scheme: Spanned<Vec<SchemeTable>>,
    #[serde(default)]
    pub(super) handshake: Vec<HandshakeTable>,
    #[serde(default)]
    pub(super) delivery: DeliveryTable,
    #[serde(default)]
    pub(super) example: Vec<ExampleTable>,
}

/// `[delivery]`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct DeliveryTable {
    pub(super) timeout: Option<f64>,
    pub(super) success: Vec<Text>,
    pub(super) retries: Option<Vec<Text>>,
    pub(super) about: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) docs: Option<String>,
}

/// `[[handshake]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct HandshakeTable {
    pub(super) about: String,
    pub(super) when: Vec<Text>,
    pub(super) verdict: Option<Outcome>,
    pub(super) token: Option<Text>,
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) headers: Vec<(String, Text)>,
    pub(super) body: Option<Text>,
    pub(super) learns: Option<Text>,
    pub(super) show: Option<Text>,
}

/// How a check must have come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// Right.
    Passed,
    /// Wrong.
    Failed,
}

/// `[[detect]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct DetectTable {
    pub(super) with: Spanned<Vec<Text>>,
    #[serde(default)]
    pub(super) without: Vec<Text>,
}

/// `[event]`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct EventTable {
    pub(super) id: Vec<Text>,
    pub(super) r#type: Vec<Text>,
    pub(super) created: Vec<Text>,
    #[serde(deserialize_with = "units")]
    pub(super) created_unit: Vec<Unit>,
}

/// One unit, or a list of them. Serde's own way to say so (`untagged`) would lose which word is wrong.
fn units<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Unit>, D::Error> {
    struct Units;
    impl<'de> Visitor<'de> for Units {
        type Value = Vec<Unit>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a unit of time, or a list of them")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Unit::deserialize(text.into_deserializer()).map(|unit| vec![unit])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(list))
        }
    }
    from.deserialize_any(Units)
}

/// `[[scheme]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SchemeTable {
    pub(super) when: Option<Text>,
    pub(super) signature: Spanned<SignatureTable>,
    #[serde(default)]
    pub(super) claims: BTreeMap<String, Text>,
    pub(super) needs: Option<String>,
    pub(super) covers_body: Option<bool>,
    pub(super) algorithm: Spanned<Algorithm>,
    pub(super) encoding: Encoding,
    #[serde(default)]
    pub(super) secret: SecretTable,
    pub(super) content: Option<Text>,
    pub(super) timestamp: Option<TimestampTable>,
    pub(super) body_sha256: Option<Text>,
    #[serde(default)]
    pub(super) url_spellings: Vec<Spelling>,
}

/// `signature = { … }`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SignatureTable {
    pub(super) r#in: Vec<Text>,
    #[serde(default)]
    pub(super) prefix: String,
    pub(super) sets: Option<String>,
    pub(super) split: Option<String>,
    pub(super) pair: Option<String>,
    pub(super) key: Option<String>,
    #[serde(default)]
    pub(super) time_last: bool,
}

/// `secret = { … }`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct SecretTable {
    pub(super) form: Form,
    pub(super) prefix: String,
    pub(super) private_prefix: Option<String>,
    pub(super) beside: Option<String>,
    pub(super) begins: Option<String>,
}

/// `timestamp = { … }`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TimestampTable {
    pub(super) r#in: Text,
    #[serde(default)]
    pub(super) unit: Unit,
    pub(super) tolerance: Option<u32>,
    #[serde(default)]
    pub(super) window: Window,
}

/// `[[example]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ExampleTable {
    pub(super) about: String,
    pub(super) method: Option<String>,
    pub(super) url: String,
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(super) body: String,
    pub(super) secret: String,
    pub(super) second_secret: Option<String>,
    pub(super) now: i64,
    pub(super) id: Option<String>,
    pub(super) r#type: Option<String>,
    pub(super) created: Option<Text>,
    pub(super) detected_as: Option<String>,
}
