//! One JSON document that holds a list of entries: read as a stream, one entry in memory at a time.

use std::{
    fmt,
    io::{BufReader, Read},
};

use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
    },
};
use serde_json::{Map, Value};

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
/// `requests`; without a list the document as a whole. Documents may follow each other.
pub(super) fn read(input: impl Read, add: &mut dyn FnMut(&Value) -> Result<(), Stop>) -> Result<(), End> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(PART, input));
    loop {
        let mut stop = None;
        let mut walked = Walk { at: At::Root, add, stop: &mut stop }.deserialize(&mut json);
        let ended = json.end();
        // A document is followed by another one, and by nothing else.
        let is_last = walked.is_err() || ended.is_ok();
        if is_last && walked.is_ok() {
            walked = ended.map(|()| Met::Nothing);
        }
        match (stop, walked) {
            (Some(stop), _) => return Err(End::Stop(stop)),
            (None, Err(why)) => return Err(End::Bad(super::words(&why, true))),
            (None, Ok(_)) if is_last => return Ok(()),
            (None, Ok(_)) => {}
        }
    }
}

/// Where in a document.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// At its top.
    Root,
    /// In its `log`.
    Log,
    /// At a member that may be the list.
    Member,
}

impl At {
    /// Where a member of this name leads to on the way to the list.
    fn way(self, name: &str) -> Option<Self> {
        match (self, name) {
            (Self::Root, "log") => Some(Self::Log),
            (Self::Root, "data" | "requests") | (Self::Root | Self::Log, "entries") => Some(Self::Member),
            _ => None,
        }
    }
}

/// What stood there.
enum Met {
    /// The list, whose values were given.
    List,
    /// Something else.
    Value(Value),
    /// Something that nobody needs.
    Nothing,
}

/// On the way to the list.
struct Walk<'w> {
    at: At,
    add: &'w mut dyn FnMut(&Value) -> Result<(), Stop>,
    stop: &'w mut Option<Stop>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Met;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Met, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Met;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of requests")
    }

    fn visit_unit<E: Error>(self) -> Result<Met, E> {
        Ok(Met::Value(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Met, E> {
        Ok(Met::Value(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Met, E> {
        Ok(Met::Value(value.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Met, A::Error> {
        if self.at == At::Member {
            // A number is a map, too, to who keeps all of its digits.
            return Value::deserialize(MapAccessDeserializer::new(members)).map(Met::Value);
        }
        let mut whole = Map::new();
        let mut is_list = false;
        while let Some(name) = members.next_key::<String>()? {
            let Some(at) = self.at.way(&name).filter(|_| !is_list) else {
                if is_list || self.at == At::Log {
                    members.next_value::<IgnoredAny>()?;
                } else {
                    whole.insert(name, members.next_value()?);
                }
                continue;
            };
            match members.next_value_seed(Walk { at, add: &mut *self.add, stop: &mut *self.stop })? {
                Met::List => is_list = true,
                Met::Value(value) => drop(whole.insert(name, value)),
                Met::Nothing => {}
            }
        }
        if is_list {
            return Ok(Met::List);
        }
        if self.at == At::Root {
            give(&Value::Object(whole), self.add, self.stop)?;
        }
        Ok(Met::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Met, A::Error> {
        while let Some(value) = entries.next_element::<Value>()? {
            give(&value, self.add, self.stop)?;
        }
        Ok(Met::List)
    }
}

fn give<E: Error>(
    value: &Value,
    add: &mut dyn FnMut(&Value) -> Result<(), Stop>,
    stop: &mut Option<Stop>,
) -> Result<(), E> {
    add(value).map_err(|why| {
        *stop = Some(why);
        E::custom("stopped")
    })
}
