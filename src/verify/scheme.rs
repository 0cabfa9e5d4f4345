//! One way to sign: everything that a `[[scheme]]` says, ready to be used.

use std::borrow::Cow;

use super::{
    Request,
    address::{self, Spelling},
    compare::Tag,
    content::Content,
    encoding::Encoding,
    key::SecretForm,
    mac::Algorithm,
    place::{Place, View},
    sha256,
    shape::Shape,
    time::{Tolerance, Unit},
};

/// How many texts that may hold a signature are looked at. Senders write one to a few; each costs a check.
const MAX_SIGNATURE_HEADERS: usize = 8;

/// A scheme.
#[derive(Clone, Debug)]
pub(super) struct Scheme {
    /// What a request must have for the scheme to count.
    pub(super) when: Option<Condition>,
    /// Where the signature may sit; never empty.
    pub(super) places: Vec<Place>,
    /// Its shape there.
    pub(super) shape: Shape,
    /// How it is made.
    pub(super) algorithm: Algorithm,
    /// How it is written.
    pub(super) encoding: Encoding,
    /// How the secret is written.
    pub(super) secret: SecretForm,
    /// What is signed; empty for a token.
    pub(super) content: Content,
    /// Where its timestamp is.
    pub(super) clock: Option<Clock>,
    /// Where the body's SHA-256 stands, if that is signed in the body's place.
    pub(super) body_sha256: Option<Place>,
    /// Other spellings of the URL to try.
    pub(super) url_spellings: Vec<Spelling>,
    /// What a token says, each with what it must be.
    pub(super) claims: Vec<(String, Content)>,
    /// What a second secret is, which is part of what is signed: the id of PayPal's webhook.
    pub(super) beside: Option<String>,
    /// What its secrets begin with, as a part of them: what does not is another key.
    pub(super) begins: Option<String>,
    /// What a check would have to ask for on the network; creel does not.
    pub(super) needs: Option<String>,
    /// Whether the signature covers the body, where that cannot be told from the content.
    pub(super) says_covers_body: Option<bool>,
}

/// What must be in a request.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// Where something must be.
    pub(super) place: Place,
    /// What it must be; None: anything.
    pub(super) value: Option<String>,
    /// Whether it must not be so.
    pub(super) is_negated: bool,
}

impl Condition {
    /// Reads `PLACE`, `PLACE = VALUE` or either after `not `.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (text, is_negated) = text.strip_prefix("not ").map_or((text, false), |rest| (rest, true));
        let (place, value) = text.split_once(" = ").map_or((text, None), |(place, value)| (place, Some(value)));
        Ok(Self { place: Place::parse(place)?, value: value.map(str::to_owned), is_negated })
    }

    /// Whether it holds.
    pub(super) fn holds(&self, view: View<'_>) -> bool {
        let found = self.place.find(view);
        let holds = match (&found, &self.value) {
            (Some(found), Some(value)) => **found == *value.as_bytes(),
            (found, None) => found.is_some(),
            (None, Some(_)) => false,
        };
        holds != self.is_negated
    }

    /// The condition as it is written in the file.
    pub(super) fn described(&self) -> String {
        let value = self.value.as_ref().map_or(String::new(), |value| format!(" = {value}"));
        format!("{}{}{value}", if self.is_negated { "not " } else { "" }, self.place)
    }
}

/// Where a scheme's timestamp is, and how old it may be.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// Where.
    pub(super) place: Place,
    /// How it is written.
    pub(super) unit: Unit,
    /// How old it may be; None: nobody says.
    pub(super) tolerance: Option<Tolerance>,
}

impl Scheme {
    /// Whether it says when it was made. A JWT always says when it ends.
    pub(super) fn signs_time(&self) -> bool {
        self.clock.is_some() || self.algorithm == Algorithm::Jwt
    }

    /// Whether the body cannot be changed without the signature becoming wrong.
    pub(super) fn covers_body(&self) -> bool {
        let of_claims = || self.claims.iter().any(|(_, content)| content.has_body());
        self.says_covers_body.unwrap_or_else(|| self.content.has_body() || self.body_sha256.is_some() || of_claims())
    }

    /// Whether the scheme may count for a request. The URL somebody configured speaks for the target here.
    pub(super) fn applies(&self, request: &Request<'_>) -> bool {
        let view = View::of(request);
        let configured = View { url: request.url, ..view };
        self.when.as_ref().is_none_or(|when| {
            let both = [view, configured].map(|view| when.holds(view));
            if when.is_negated { both == [true, true] } else { both != [false, false] }
        })
    }

    /// Whether the request holds a signature of this scheme.
    pub(super) fn is_signed(&self, request: &Request<'_>) -> bool {
        self.places.iter().any(|place| place.find(View::of(request)).is_some())
    }

    /// Every text that holds a signature, with its place: several where there are several places, or a header came
    /// several times. One that is right is enough.
    pub(super) fn received<'s, 'r>(&'s self, request: &'r Request<'r>) -> Vec<(&'s Place, Cow<'r, [u8]>)> {
        let view = View::of(request);
        let texts = |place: &'s Place| {
            place.find_all(view).into_iter().flat_map(|text| self.shape.sets(text)).map(move |text| (place, text))
        };
        self.places.iter().flat_map(texts).take(MAX_SIGNATURE_HEADERS).collect()
    }

    /// Whether another scheme reads the same places: then either may be the one the sender used.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        let same = |(a, b): (&Place, &Place)| a.to_string() == b.to_string();
        self.places.len() == other.places.len() && self.places.iter().zip(&other.places).all(same)
    }

    /// The place in which the signature is expected. A file that names none is refused.
    pub(super) fn first_place(&self) -> &Place {
        &self.places[0]
    }

    /// Whether the URL is signed.
    pub(super) fn signs_url(&self) -> bool {
        self.content.has_url() || self.claims.iter().any(|(_, content)| content.has_url())
    }

    /// The URLs to try: one None where the scheme does not look at the URL, or there is none.
    pub(super) fn urls(&self, request: &Request<'_>) -> Vec<Option<String>> {
        if !self.signs_url() {
            return vec![None];
        }
        let urls = address::candidates(request, &self.url_spellings);
        if urls.is_empty() { vec![None] } else { urls.into_iter().map(Some).collect() }
    }

    /// A signature as the scheme writes it into its header.
    pub(super) fn written(&self, tag: &Tag, timestamp: &[u8]) -> String {
        let place = self.clock.as_ref().map(|clock| &clock.place).filter(|place| place.is_in_signature());
        let key = place.map(|place| place.pair().unwrap_or_default());
        self.shape.write(&tag.written(self.encoding), key.map(|key| (key, timestamp)))
    }

    /// Whether the SHA-256 that stands at that place is the body's. It is looked for in the URL that is signed, and
    /// nowhere else: one in a URL that nobody signed would prove nothing.
    pub(super) fn is_body_named(place: &Place, view: View<'_>) -> bool {
        let named = place.find(view).and_then(|text| Encoding::Hex.read(&text).map(Cow::into_owned));
        named.is_some_and(|named| Tag::new(sha256(view.request.body)).is(&named))
    }

    /// What is signed, for eyes.
    pub(super) fn content_described(&self) -> String {
        match (&self.algorithm, &self.body_sha256) {
            (Algorithm::Token, _) => "nothing: the secret itself is sent".to_owned(),
            (Algorithm::Remote, _) => self.needs.clone().unwrap_or_default(),
            (Algorithm::Jwt, _) if self.claims.is_empty() => "the token alone".to_owned(),
            (Algorithm::Jwt, _) => {
                let claims: Vec<_> =
                    self.claims.iter().map(|(name, content)| format!("{name} = {}", content.text())).collect();
                format!("the token, in which {}", claims.join(" and "))
            }
            (_, Some(place)) => format!("{}, with the body's SHA-256 in {place}", self.content.text()),
            (_, None) => self.content.text().to_owned(),
        }
    }

    /// The names of the places where the signature may sit: `A or B`.
    pub(super) fn place_titles(&self) -> String {
        self.places.iter().map(Place::title).collect::<Vec<_>>().join(" or ")
    }
}
