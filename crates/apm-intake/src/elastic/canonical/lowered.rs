//! A JSON value whose keys are lowered as they are read, so that the last of two that differ in case wins.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Members whose own members are named by users.
const FREE: [&str; 10] = [
    "headers",
    "tags",
    "labels",
    "custom",
    "env",
    "cookies",
    "marks",
    "attributes",
    "vars",
    "body",
];

/// The kind of an object's keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lowered {
    /// Names of fields.
    Fields,
    /// Names of samples, each of which has fields again.
    Names,
}

impl<'de> DeserializeSeed<'de> for Lowered {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Lowered {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(Self::Fields)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(mut key) = map.next_key::<String>()? {
            if self == Self::Names {
                members.insert(key, map.next_value_seed(Self::Fields)?);
                continue;
            }
            key.make_ascii_lowercase();
            let value = match key.as_str() {
                "samples" => map.next_value_seed(Self::Names)?,
                name if FREE.contains(&name) => map.next_value()?,
                _ => map.next_value_seed(Self::Fields)?,
            };
            // It would have to be escaped again, and no known field has such a name.
            if !key.contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
                members.insert(key, value);
            }
        }
        Ok(Value::Object(members))
    }
}
