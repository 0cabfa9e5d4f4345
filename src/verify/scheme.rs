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

/// How many texts that may hold a signature are looked at. Senders write one; each costs a check.
const MAX_SIGNATURE_HEADERS: usize = 4;

/// A scheme.
#[derive(Clone, Debug)]
pub(super) struct Scheme {
    /// What a request must have for the scheme to count.
    pub(super) when: Option<Place>,
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
    /// Whether the body cannot be changed without the signature becoming wrong.
    pub(super) fn covers_body(&self) -> bool {
        self.content.has_body() || self.body_sha256.is_some()
    }

    /// Whether the scheme may count for a request. The URL somebody configured speaks for the target here.
    pub(super) fn applies(&self, request: &Request<'_>) -> bool {
        let view = View::of(request);
        let configured = View { url: request.url, ..view };
        self.when.as_ref().is_none_or(|place| place.find(view).or_else(|| place.find(configured)).is_some())
    }

    /// Whether the request holds a signature of this scheme.
    pub(super) fn is_signed(&self, request: &Request<'_>) -> bool {
        self.places.iter().any(|place| place.find(View::of(request)).is_some())
    }

    /// Every text that holds a signature, with its place: several where there are several places, or a header came
    /// several times. One that is right is enough.
    pub(super) fn received<'a>(&'a self, request: &'a Request<'a>) -> Vec<(&'a Place, Cow<'a, [u8]>)> {
        let view = View::of(request);
        let texts = |place: &'a Place| place.find_all(view).into_iter().map(move |text| (place, text));
        self.places.iter().flat_map(texts).take(MAX_SIGNATURE_HEADERS).collect()
    }

    /// The place in which the signature is expected. A file that names none is refused.
    pub(super) fn first_place(&self) -> &Place {
        &self.places[0]
    }

    /// The URLs to try: one None where the scheme does not look at the URL, or there is none.
    pub(super) fn urls(&self, request: &Request<'_>) -> Vec<Option<String>> {
        if !self.content.has_url() {
            return vec![None];
        }
        let urls = address::candidates(request, &self.url_spellings);
        if urls.is_empty() { vec![None] } else { urls.into_iter().map(Some).collect() }
    }

    /// A signature as the scheme writes it into its header.
    pub(super) fn written(&self, tag: &Tag, timestamp: &[u8]) -> String {
        let key = self.clock.as_ref().and_then(|clock| clock.place.pair());
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
            (_, Some(place)) => format!("{}, with the body's SHA-256 in {place}", self.content.text()),
            (_, None) => self.content.text().to_owned(),
        }
    }

    /// The names of the places where the signature may sit: `A or B`.
    pub(super) fn place_titles(&self) -> String {
        self.places.iter().map(Place::title).collect::<Vec<_>>().join(" or ")
    }
}
