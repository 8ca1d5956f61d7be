//! Columns that events of several kinds have.

use apm_store::event::{Batch, ServiceOverride, Text};

use super::fields::Fields;
use super::schema::Slot;
use crate::limits;

/// The service that the event names for itself.
pub(super) fn service(fields: &Fields<'_>, batch: &mut Batch) -> ServiceOverride {
    ServiceOverride {
        name: fields.word(Slot::ServiceName).map(|name| batch.keep(name)),
        environment: fields
            .word(Slot::ServiceEnvironment)
            .map(|name| batch.keep(name)),
    }
}

/// Milliseconds as agents send them, as whole microseconds: cut to nanoseconds first, as APM Server does.
#[expect(
    clippy::cast_possible_truncation,
    reason = "that is the rule; a cast saturates"
)]
pub(super) fn microseconds(milliseconds: f64) -> i64 {
    limits::duration((milliseconds * 1e6) as i64 / 1000)
}

/// A kept text, where there is one.
pub(super) fn keep(fields: &Fields<'_>, slot: Slot, batch: &mut Batch) -> Option<Text> {
    fields.word(slot).map(|text| batch.keep(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_cut_to_whole_microseconds() {
        assert_eq!(microseconds(32.592_981), 32_592);
        assert_eq!(microseconds(0.000_9), 0);
        assert_eq!(microseconds(f64::MAX), limits::duration(i64::MAX));
    }
}
