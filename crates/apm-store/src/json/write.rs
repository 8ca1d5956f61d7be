//! Writing.

use serde::ser::{Serialize, Serializer};

use super::{Json, Members};

impl Json<'_> {
    /// Adds it to a text.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self).expect("memory takes all bytes, and names are texts");
    }
}

/// Adds an object to a text.
pub(crate) fn write_members(members: &Members<'_>, out: &mut Vec<u8>) {
    serde_json::to_writer(out, members).expect("memory takes all bytes, and names are texts");
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Number(number) => number.serialize(to),
            Self::Text(text) => to.serialize_str(text),
            Self::List(values) => to.collect_seq(values),
            Self::Object(members) => to.collect_map(members),
            Self::Shared(value) => value.serialize(to),
        }
    }
}
