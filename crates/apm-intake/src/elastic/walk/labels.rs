//! Labels: any key, scalar values.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::key::Key;
use crate::elastic::fields::{Fields, Kind};

pub(super) fn walk_labels<'de, A: MapAccess<'de>>(
    fields: &mut Fields<'de>,
    mut map: A,
) -> Result<bool, A::Error> {
    let mut any = false;
    while let Some(key) = map.next_key_seed(Key)? {
        any = true;
        match map.next_value_seed(Label)? {
            LabelIs::Fine => fields.labels.push(key),
            LabelIs::Number(number) => {
                if key.starts_with("sqlite_") {
                    fields.label_of_sqlite(&key, number);
                }
                fields.labels.push(key);
            }
            LabelIs::TooLong => fields.violate(Kind::Rule("maxLengthVals(1024)".into())),
            LabelIs::Nested => {
                fields.violate(Kind::Key(
                    "inputTypesVals(string;bool;number)",
                    key.into_owned(),
                ));
            }
        }
    }
    Ok(any)
}

/// The value of a label.
struct Label;

enum LabelIs {
    Fine,
    /// A whole number.
    Number(i64),
    TooLong,
    Nested,
}

impl<'de> DeserializeSeed<'de> for Label {
    type Value = LabelIs;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LabelIs, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Label {
    type Value = LabelIs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a boolean or a number")
    }

    fn visit_unit<E>(self) -> Result<LabelIs, E> {
        Ok(LabelIs::Fine)
    }

    fn visit_bool<E>(self, _: bool) -> Result<LabelIs, E> {
        Ok(LabelIs::Fine)
    }

    fn visit_i64<E>(self, number: i64) -> Result<LabelIs, E> {
        Ok(LabelIs::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<LabelIs, E> {
        Ok(LabelIs::Number(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<LabelIs, E> {
        Ok(LabelIs::Fine)
    }

    fn visit_str<E>(self, text: &str) -> Result<LabelIs, E> {
        Ok(match text.len() > 1024 && text.chars().count() > 1024 {
            true => LabelIs::TooLong,
            false => LabelIs::Fine,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<LabelIs, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LabelIs::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LabelIs, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(LabelIs::Nested)
    }
}
