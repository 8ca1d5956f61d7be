//! The samples of a metricset.

use serde::de::MapAccess;

use super::key::Key;
use super::object::Members;
use crate::intake::found::{Found, Kind};
use crate::intake::schema::{SAMPLE, Slot};

pub(super) fn walk_samples<'de, A: MapAccess<'de>>(
    found: &mut Found<'de>,
    mut map: A,
) -> Result<bool, A::Error> {
    let mut any = false;
    while let Some(name) = map.next_key_seed(Key)? {
        any = true;
        let mut inner = Found::default();
        let set = map.next_value_seed(Members::nested(&SAMPLE, &mut inner))?;
        if let Some(violation) = inner.violation.take() {
            found.violation.get_or_insert(violation);
        } else if set && let Some(with) = unpaired(&inner) {
            found.violate(Kind::RequiredWith(with.0, with.1));
        }
        if name.contains(['*', '"']) {
            found.violate(Kind::Rule("patternKeys(patternNoAsteriskQuote)".into()));
        }
        if let Some(value) = inner.number(Slot::Duration) {
            found.samples.push((name, value));
        }
        found.irregular |= inner.irregular;
    }
    Ok(any)
}

/// Values come with counts, and counts with values.
fn unpaired(sample: &Found<'_>) -> Option<(&'static str, &'static str)> {
    match (sample.bool(Slot::Start), sample.bool(Slot::Id)) {
        (Some(true), None) => Some(("counts", "values")),
        (None, Some(true)) => Some(("values", "counts")),
        _ => None,
    }
}
