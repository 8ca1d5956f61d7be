//! Spans that the agent only counted.

use serde::de::{DeserializeSeed, Deserializer};

use super::object::Members;
use crate::elastic::fields::{DroppedFields, Fields};
use crate::elastic::schema::{DROPPED_SPANS, Slot};
use crate::limits;

/// One entry of `dropped_spans_stats`; `None` where it is null or empty.
pub(super) struct Dropped<'w, 'de> {
    pub(super) fields: &'w mut Fields<'de>,
}

impl<'de> DeserializeSeed<'de> for Dropped<'_, 'de> {
    type Value = Option<DroppedFields<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut inner = Fields::default();
        let set = Members::nested(&DROPPED_SPANS, &mut inner).deserialize(deserializer);
        self.fields.irregular |= inner.irregular;
        if let Some(violation) = inner.violation.take() {
            self.fields.violation.get_or_insert(violation);
        }
        Ok(set?.then(|| DroppedFields {
            outcome: inner.outcome().unwrap_or_default(),
            count: inner.count(Slot::CompositeCount).unwrap_or(0),
            sum: inner.int(Slot::CompositeSum).map_or(0, limits::duration),
            resource: inner.take_text(Slot::DestinationResource),
            target_type: inner.take_text(Slot::TargetType),
            target_name: inner.take_text(Slot::TargetName),
        }))
    }
}
