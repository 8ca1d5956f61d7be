//! The number of events that a stored row stands for.

use apm_store::rollup;
use diesel::QueryableByName;
use diesel::sql_types::{Double, Nullable};

/// The columns `sample_rate` and `weight` of a request or span.
#[derive(Debug, Clone, Copy, Default, PartialEq, QueryableByName)]
pub(super) struct Weight {
    /// The share of such events that the agent sent; none where it sent no rate.
    #[diesel(sql_type = Nullable<Double>)]
    sample_rate: Option<f64>,
    /// The number of sent events that the row stands for since tail sampling (ADR 385); none where it left out none.
    #[diesel(sql_type = Nullable<Double>)]
    weight: Option<f64>,
}

impl Weight {
    /// The number of events that the row stands for, as rollups counted it; 0 for one that counts nothing.
    pub(super) fn number(self) -> f64 {
        // One rate for both, so that the limit of a weight holds for their product.
        let rate = match self.weight {
            None => self.sample_rate,
            Some(weight) => Some(self.sample_rate.unwrap_or(1.0) / weight),
        };
        rollup::weight(rate)
    }
}

#[cfg(test)]
impl From<Option<f64>> for Weight {
    /// That of an event that tail sampling did not touch.
    fn from(sample_rate: Option<f64>) -> Self {
        Self {
            sample_rate,
            weight: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_and_tail_sampling_both_leave_events_out() {
        let number = |sample_rate, weight| {
            Weight {
                sample_rate,
                weight,
            }
            .number()
        };
        assert_eq!(number(None, None), 1.0);
        assert_eq!(number(Some(0.25), None), 4.0);
        assert_eq!(number(None, Some(3.0)), 3.0);
        assert_eq!(number(Some(0.25), Some(3.0)), 12.0);
        assert_eq!(number(Some(0.0), Some(3.0)), 0.0, "it was not sampled");
        assert_eq!(number(Some(f64::MIN_POSITIVE), Some(3.0)), 1e9);
    }
}
