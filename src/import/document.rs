//! One JSON document that holds a list of entries: read as a stream, one entry in memory at a time.

use std::{
    fmt,
    io::{BufReader, Read},
};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::Stop;

/// How much is read at once, in bytes.
const PART: usize = 64 << 10;

/// Why reading a document ended early.
pub(super) enum End {
    /// An entry, or the one who takes it.
    Stop(Stop),
    /// The document itself.
    Bad(String),
}

/// Gives each value of the list, wherever it is: the document itself, or its member `entries` (in `log`), `data` or
/// `requests`.
pub(super) fn read(input: impl Read, add: &mut dyn FnMut(&Value) -> Result<(), Stop>) -> Result<(), End> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(PART, input));
    let mut state = State { stop: None, is_list: false };
    let walked = Walk { add, state: &mut state }.deserialize(&mut json).and_then(|()| json.end());
    match (state.stop, walked) {
        (Some(stop), _) => Err(End::Stop(stop)),
        (None, Err(why)) => Err(End::Bad(super::words(&why, true))),
        (None, Ok(())) if !state.is_list => Err(End::Bad("there is no list of requests in it".to_owned())),
        (None, Ok(())) => Ok(()),
    }
}

struct State {
    stop: Option<Stop>,
    is_list: bool,
}

/// On the way to the list.
struct Walk<'w> {
    add: &'w mut dyn FnMut(&Value) -> Result<(), Stop>,
    state: &'w mut State,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of requests")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            match &name[..] {
                "log" | "entries" | "data" | "requests" => {
                    members.next_value_seed(Walk { add: &mut *self.add, state: &mut *self.state })?;
                }
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.state.is_list = true;
        while let Some(value) = entries.next_element::<Value>()? {
            if let Err(stop) = (self.add)(&value) {
                self.state.stop = Some(stop);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
