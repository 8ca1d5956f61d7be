//! The samples of a metricset.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::object::{IRREGULAR, Members};
use crate::elastic::fields::{Fields, Kind, SampleField};
use crate::elastic::schema::{SAMPLE, Slot};
use crate::elastic::walk::key::Key;

pub(super) fn walk_samples<'de, A: MapAccess<'de>>(
    fields: &mut Fields<'de>,
    mut map: A,
) -> Result<bool, A::Error> {
    let mut any = false;
    while let Some(name) = map.next_key_seed(Key)? {
        any = true;
        let mut inner = Fields::default();
        let sample = map.next_value_seed(Sample(&mut inner));
        // An odd key ends the sample with an error, so it is noted before that ends the walk.
        fields.irregular |= inner.irregular;
        let sample = sample?;
        if let Some(violation) = inner.violation.take() {
            fields.violation.get_or_insert(violation);
        } else if sample == Some(false) {
            fields.violate(Kind::AnyOf("value;values"));
        } else if let Some(with) = unpaired(&inner) {
            fields.violate(Kind::RequiredWith(with.0, with.1));
        }
        if name.contains(['*', '"']) {
            fields.violate(Kind::Rule("patternKeys(patternNoAsteriskQuote)".into()));
        }
        // The table of samples leaves the value in `Duration`.
        fields.samples.push((name, inner.number(Slot::Duration)));
    }
    if are_doubled(&fields.samples) {
        fields.irregular = true;
        return Err(A::Error::custom(IRREGULAR));
    }
    Ok(any)
}

/// One sample: `None` where it is null, else whether any of its fields is set.
struct Sample<'w, 'de>(&'w mut Fields<'de>);

impl<'de> DeserializeSeed<'de> for Sample<'_, 'de> {
    type Value = Option<bool>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Sample<'_, 'de> {
    type Value = Option<bool>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let members = Members::nested(&SAMPLE, self.0);
        members.deserialize(deserializer).map(Some)
    }
}

/// Values come with counts, and counts with values.
fn unpaired(sample: &Fields<'_>) -> Option<(&'static str, &'static str)> {
    match (sample.bool(Slot::Start), sample.bool(Slot::Id)) {
        (Some(true), None) => Some(("counts", "values")),
        (None, Some(true)) => Some(("values", "counts")),
        _ => None,
    }
}

/// Whether two samples have the same name. Many agents sort them, which costs least to see.
fn are_doubled(samples: &[SampleField<'_>]) -> bool {
    if samples.is_sorted_by(|one, next| one.0 < next.0) {
        return false;
    }
    let mut names: Vec<&str> = samples.iter().map(|sample| &*sample.0).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}
