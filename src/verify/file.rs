//! The grammar of a provider's file: what may stand in `assets/providers/NAME.toml`.
//!
//! ```toml
//! title = "Stripe"                                  # for eyes
//! docs = "https://docs.stripe.com/webhooks"         # the provider's own page
//! confidence = "high"                               # high: read in the provider's own words or code; medium; low
//!
//! [[detect]]                                        # any of these rules marks a request; none: never detected
//! with = ["Stripe-Signature"]                       # each a header's name, or `NAME: PATTERN` with `*` for anything
//! without = []                                      # and none of these
//!
//! [event]                                           # each a list of places; the first that holds something counts
//! id = ["json:id"]
//! type = ["json:type"]
//! created = ["json:created"]
//! created-unit = "s"                                # s, ms, rfc3339
//!
//! [[scheme]]                                        # the first whose signature is there is the one that counts
//! when = "query:x"                                  # only for requests that have something at this place
//! signature = { in = ["header:Stripe-Signature"], prefix = "", split = ",", pair = "=", key = "v1" }
//! algorithm = "hmac-sha256"                         # hmac-sha1, hmac-sha256, hmac-sha512, ed25519, token
//! encoding = "hex"                                  # hex, base64, base64url, text
//! secret = { form = "text", prefix = "whsec_" }     # text, base64, hex; for public keys also private-prefix
//! content = "{timestamp}.{body}"                    # what is signed; see `content`
//! timestamp = { in = "pair:t", unit = "s", tolerance = 300, window = "past" }      # window: past, both
//! body-sha256 = "query:bodySHA256"                  # where the body's SHA-256 stands in hex, if it is signed in its place
//! url-spellings = ["port", "query"]                 # other spellings of {url} that the provider may have signed
//!
//! [[example]]                                       # each proves the file; every scheme has one
//! about = "a charge"
//! method = "POST"                                   # POST where it is left out
//! url = "https://example.com/stripe"
//! headers = [["Stripe-Signature", "t=…,v1=…"]]
//! body = "{}"
//! secret = "whsec_example"
//! now = 1700000000                                  # Unix seconds at which it came
//! id = "evt_1"                                      # what the event shall be
//! type = "charge.succeeded"
//! created = "2023-11-14T22:13:20Z"
//! detected-as = "other"                             # whose it looks like by its headers, where not this provider's
//! ```

use serde::Deserialize;
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
    pub(super) detect: Vec<DetectTable>,
    #[serde(default)]
    pub(super) event: EventTable,
    pub(super) scheme: Spanned<Vec<SchemeTable>>,
    #[serde(default)]
    pub(super) example: Vec<ExampleTable>,
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
    pub(super) created_unit: Unit,
}

/// `[[scheme]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SchemeTable {
    pub(super) when: Option<Text>,
    pub(super) signature: Spanned<SignatureTable>,
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
    pub(super) split: Option<String>,
    pub(super) pair: Option<String>,
    pub(super) key: Option<String>,
}

/// `secret = { … }`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct SecretTable {
    pub(super) form: Form,
    pub(super) prefix: String,
    pub(super) private_prefix: Option<String>,
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
    pub(super) now: i64,
    pub(super) id: Option<String>,
    pub(super) r#type: Option<String>,
    pub(super) created: Option<Text>,
    pub(super) detected_as: Option<String>,
}
