//! The provider's event: its id, its type, when it happened.

use std::fmt;

use super::{
    Provider, Request,
    file::{EventTable, Text},
    place::{Place, View},
    provider::Wrong,
    shape::Sent,
    time::Unit,
};
use crate::record::{Event, Timestamp, json::Paths, text};

/// The longest id or type that is taken, in bytes. A longer one is no name: it stays in the body, where it came.
const MAX_NAME: usize = 1024;

/// Where the parts of an event are: each a list of places, the first that holds something counts.
#[derive(Clone, Debug)]
pub(super) struct EventPlaces {
    pub(super) id: Vec<Choice>,
    pub(super) kind: Vec<Choice>,
    pub(super) created: Vec<Choice>,
    /// How the moment is written; the first that reads it counts. None: as is usual.
    units: Vec<Unit>,
    /// Every place in the JSON body, found in one pass.
    paths: Paths,
    slots: usize,
}

/// One of the places of a part, or several that hold it together: `json:webhook.id + json:timestamp`.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// The first of them, where an event that is made up has what it is.
    pub(super) place: Place,
    /// Its slot among the values of the JSON body, where it is one of them.
    slot: Option<usize>,
    /// The others.
    with: Vec<Choice>,
}

/// What stands between two places that hold a part together, in a file; and between what they hold.
const AND: &str = " + ";
const BETWEEN: &str = "/";

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        self.with.iter().try_for_each(|other| write!(f, "{AND}{other}"))
    }
}

impl EventPlaces {
    /// Makes them of their table.
    pub(super) fn build(table: &EventTable) -> Result<Self, Wrong> {
        let (mut paths, mut slots) = (Paths::default(), 0);
        let mut choices = |texts: &[Text]| -> Result<Vec<_>, Wrong> {
            texts.iter().map(|text| choice(text, &mut paths, &mut slots)).collect()
        };
        let (id, kind, created) = (choices(&table.id)?, choices(&table.r#type)?, choices(&table.created)?);
        Ok(Self { id, kind, created, units: table.created_unit.clone(), paths, slots })
    }
}

impl EventPlaces {
    fn moment(&self, text: &[u8]) -> Option<Timestamp> {
        self.units().iter().find_map(|unit| unit.read(text))
    }

    fn units(&self) -> &[Unit] {
        if self.units.is_empty() { &[Unit::Seconds] } else { &self.units }
    }

    /// Writes a moment as the one is written that stands there, where one does.
    pub(super) fn written(&self, moment: Timestamp, before: Option<&[u8]>) -> String {
        let same = before.and_then(|text| self.units().iter().find(|unit| unit.read(text).is_some()));
        same.or(self.units().first()).copied().unwrap_or_default().write(moment)
    }
}

fn choice(text: &Text, paths: &mut Paths, slots: &mut usize) -> Result<Choice, Wrong> {
    let (first, others) = text.get_ref().split_once(AND).map_or((&text.get_ref()[..], None), |(a, b)| (a, Some(b)));
    let mut one = |text_of_it: &str| {
        let place = Place::parse(text_of_it).map_err(|why| Wrong::with(text, why))?;
        if place.pair().is_some() {
            // What stands in a token may be named, what stands beside a signature may not: that has no meaning of its own.
            return Err(Wrong::with(text, "an event is not in the signature"));
        }
        let slot = place.json_path().map(|path| {
            paths.add(path, *slots);
            *slots += 1;
            *slots - 1
        });
        Ok(Choice { place, slot, with: Vec::new() })
    };
    let others = others.into_iter().flat_map(|others| others.split(AND));
    Ok(Choice { with: others.map(&mut one).collect::<Result<_, _>>()?, ..one(first)? })
}

impl Provider {
    /// What the request says about its event, as far as the provider's file says where to look. What is not there, or is
    /// longer than a name, is left out.
    pub fn event(&self, request: &Request<'_>) -> Event {
        let places = &self.event;
        let mut values = Values { provider: self, request, places, found: None };
        Event {
            id: values.first(&places.id).filter(|id| is_name(id)),
            kind: values.first(&places.kind).filter(|kind| is_name(kind)),
            created_at: values.first(&places.created).and_then(|text| places.moment(text.as_bytes())),
        }
    }
}

struct Values<'a> {
    provider: &'a Provider,
    request: &'a Request<'a>,
    places: &'a EventPlaces,
    /// The values of the JSON body, once somebody asked for one.
    found: Option<Vec<Option<String>>>,
}

impl Values<'_> {
    fn first(&mut self, choices: &[Choice]) -> Option<String> {
        choices.iter().find_map(|choice| self.whole(choice))
    }

    /// What all of its places hold; none where one of them holds nothing.
    fn whole(&mut self, choice: &Choice) -> Option<String> {
        let mut value = |choice: &Choice| self.value(choice).filter(|value| !value.is_empty());
        let first = value(choice)?;
        choice.with.iter().try_fold(first, |all, other| Some(all + BETWEEN + &value(other)?))
    }

    fn value(&mut self, choice: &Choice) -> Option<String> {
        let Some(slot) = choice.slot else {
            return self.provider.value_at(&choice.place, self.request);
        };
        let (request, places) = (self.request, self.places);
        let found = self.found.get_or_insert_with(|| {
            let mut found = vec![None; places.slots];
            places.paths.find(request.body, &mut found);
            found
        });
        found.get(slot).cloned().flatten()
    }
}

impl Provider {
    /// What is at a place, the claims of the request's token among them.
    fn value_at(&self, place: &Place, request: &Request<'_>) -> Option<String> {
        let scheme = self.scheme(request);
        let received = if place.is_in_signature() { scheme.received(request) } else { Vec::new() };
        let sent = received.first().map(|(_, text)| Sent { shape: &scheme.shape, text });
        let view = View { sent, ..View::of(request) };
        place.find(view).map(|bytes| text::lossless(&bytes).into_owned())
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Headers;

    fn event(places: &str, body: &str) -> Event {
        let file = format!(
            "title = 'A'\ndocs = ''\nconfidence = 'low'\n[event]\n{places}\n[[scheme]]\nalgorithm = 'token'\nencoding = \
             'text'\nsignature = {{ in = ['header:X'] }}"
        );
        let headers: Headers = [("X-Id", "h1")].into_iter().collect();
        let request = Request {
            method: "POST",
            url: None,
            target: b"/",
            headers: &headers,
            body: body.as_bytes(),
            truncated: false,
            rewritten: false,
            received_at: Timestamp::default(),
        };
        Provider::parse("a", &file).unwrap().event(&request)
    }

    #[test]
    fn the_first_place_that_holds_something_counts() {
        let places = "id = ['json:id', 'header:X-Id']\ntype = ['json:event.type', 'json:type']\ncreated = ['json:at']";
        let full = event(places, r#"{"type":"outer","id":7,"event":{"type":"inner"},"at":17}"#);
        assert_eq!((full.id.as_deref(), full.kind.as_deref()), (Some("7"), Some("inner")));
        assert_eq!(full.created_at, Some(Timestamp::from_unix_s(17)));
        let bare = event(places, r#"{"type":"outer"}"#);
        assert_eq!((bare.id.as_deref(), bare.kind.as_deref()), (Some("h1"), Some("outer")));
        assert_eq!(event(places, "no json").kind, None);
    }

    #[test]
    fn what_several_places_hold_together_is_one_id() {
        let places = "id = ['json:hook + json:at + header:X-Id', 'json:hook']";
        let id = |body: &str| event(places, body).id;
        assert_eq!(id(r#"{"hook":"w1","at":17}"#).as_deref(), Some("w1/17/h1"));
        assert_eq!(id(r#"{"hook":"w1","at":""}"#).as_deref(), Some("w1"), "a part of it alone is another place");
        assert_eq!(id(r#"{"at":17}"#), None);
    }

    #[test]
    fn a_moment_is_read_in_each_of_several_units() {
        let at = |units: &str, body: &str| event(&format!("created = ['json:at']\n{units}"), body).created_at;
        for body in [r#"{"at":17}"#, r#"{"at":"1970-01-01T00:00:17Z"}"#] {
            assert_eq!(at("created-unit = ['s', 'rfc3339']", body), Some(Timestamp::from_unix_s(17)), "{body}");
        }
        assert_eq!(at("created-unit = 'ms'", r#"{"at":17}"#), Some(Timestamp::from_unix_ms(17)));
        assert_eq!(at("created-unit = ['ms']", r#"{"at":"1970-01-01T00:00:17Z"}"#), None);
    }

    #[test]
    fn an_endless_name_is_none() {
        let id = |length: usize| event("id = ['json:id']", &format!("{{\"id\":\"{}\"}}", "x".repeat(length))).id;
        assert_eq!((id(MAX_NAME).map(|id| id.len()), id(MAX_NAME + 1), id(0)), (Some(MAX_NAME), None, None));
    }
}
