//! The members of an object and the elements of an array, as the texts that they are.

use std::fmt;

use serde::de::{Deserializer as _, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::otlp::lenient::Key;
use crate::otlp::malformed::Malformed;

/// The parser's error about a text.
pub(super) fn wrong(error: serde_json::Error) -> Malformed {
    let text = error.to_string();
    // The parser quotes what it met, which may be long.
    Malformed::new(&text[..text.floor_char_boundary(512)])
}

/// The wanted members of an object. Of two with the same name the last one wins. `null` counts as absent.
pub(super) fn members<'a, const N: usize>(
    text: &'a str,
    names: [&'static str; N],
) -> Result<[Option<&'a RawValue>; N], Malformed> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_map(Wanted(names)).map_err(wrong)?;
    reader.end().map_err(wrong)?;
    Ok(found)
}

struct Wanted<const N: usize>([&'static str; N]);

impl<'de, const N: usize> Visitor<'de> for Wanted<N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(Key(key)) = map.next_key()? {
            match self.0.iter().position(|name| *name == key) {
                Some(at) => {
                    let raw: &RawValue = map.next_value()?;
                    found[at] = Some(raw).filter(|raw| raw.get() != "null");
                }
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(found)
    }
}

/// Hands on the elements of an array, without those that are `null`.
pub(super) fn each<'a>(
    raw: Option<&'a RawValue>,
    name: &'static str,
    take: impl FnMut(&'a RawValue) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let Some(raw) = raw else { return Ok(()) };
    let mut failed = None;
    let elements = Elements {
        name,
        take,
        failed: &mut failed,
    };
    let result = serde_json::Deserializer::from_str(raw.get()).deserialize_seq(elements);
    match failed {
        Some(failed) => Err(failed),
        None => result.map_err(|error| wrong(error).within(name)),
    }
}

struct Elements<'f, F> {
    name: &'static str,
    take: F,
    failed: &'f mut Option<Malformed>,
}

impl<'de, F: FnMut(&'de RawValue) -> Result<(), Malformed>> Visitor<'de> for Elements<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let mut count = 0;
        while let Some(raw) = seq.next_element::<&RawValue>()? {
            if raw.get() != "null"
                && let Err(error) = (self.take)(raw)
            {
                // The parser's errors are texts: this one goes around the parser to keep its place.
                *self.failed = Some(error.within(format_args!("{}[{count}]", self.name)));
                return Err(A::Error::custom("an element cannot be read"));
            }
            count += 1;
        }
        Ok(())
    }
}
