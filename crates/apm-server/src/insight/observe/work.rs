//! The work of SQLite for the calls of a statement by one caller.

use std::collections::BTreeMap;

use apm_store::id::StoredId;

use super::rows::SpanRow;

/// Different values that are told apart exactly. Of more, three digits are kept.
const EXACT: usize = 1_000;

/// The work of some calls. A span that stands for several calls counts as that many with their mean.
#[derive(Debug, Clone, Default)]
pub(in crate::insight) struct Work {
    steps: Spread,
    rows_scanned: Spread,
    most: Option<Most>,
    measured: f64,
    /// Calls that succeeded and were not measured.
    pub(in crate::insight) not_measured: f64,
}

/// The most that a call took, with the trace of that call.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::insight) struct Most {
    pub(in crate::insight) steps: (f64, StoredId),
    pub(in crate::insight) rows_scanned: (f64, StoredId),
}

impl Work {
    /// Adds the calls of a span.
    pub(super) fn call(&mut self, span: &SpanRow, trace: &StoredId) {
        let calls = span.calls.max(1) as f64;
        let Some(steps) = span.steps else {
            // A call that failed before SQLite did anything has no counts, and took nothing.
            if !span.failed {
                self.not_measured += calls;
            }
            return;
        };
        let steps = steps as f64 / calls;
        let rows_scanned = span.scan_steps.unwrap_or_default() as f64 / calls;
        self.measured += calls;
        self.steps.add(steps, calls);
        self.rows_scanned.add(rows_scanned, calls);
        self.raise(&Most {
            steps: (steps, trace.clone()),
            rows_scanned: (rows_scanned, trace.clone()),
        });
    }

    /// Adds other calls.
    pub(super) fn add(&mut self, other: Self) {
        self.measured += other.measured;
        self.not_measured += other.not_measured;
        self.steps.merge(other.steps);
        self.rows_scanned.merge(other.rows_scanned);
        if let Some(most) = other.most {
            self.raise(&most);
        }
    }

    fn raise(&mut self, most: &Most) {
        match &mut self.most {
            Some(known) => known.raise(most),
            None => self.most = Some(most.clone()),
        }
    }

    /// Steps and scanned rows of the middle call; none where fewer than half of the calls were measured.
    pub(in crate::insight) fn median(&self) -> Option<(f64, f64)> {
        if self.measured < self.not_measured {
            return None;
        }
        self.steps.median().zip(self.rows_scanned.median())
    }

    /// The most that a call took; none where no call was measured.
    pub(in crate::insight) fn most(&self) -> Option<&Most> {
        self.most.as_ref()
    }
}

impl Most {
    pub(in crate::insight) fn raise(&mut self, other: &Self) {
        if other.steps.0 > self.steps.0 {
            self.steps = other.steps.clone();
        }
        if other.rows_scanned.0 > self.rows_scanned.0 {
            self.rows_scanned = other.rows_scanned.clone();
        }
    }
}

/// The number of calls by what they took.
#[derive(Debug, Clone, Default)]
struct Spread {
    calls: BTreeMap<u64, f64>,
    is_coarse: bool,
}

impl Spread {
    fn add(&mut self, value: f64, calls: f64) {
        let value = value.round() as u64;
        let value = if self.is_coarse { coarse(value) } else { value };
        *self.calls.entry(value).or_default() += calls;
        if !self.is_coarse && self.calls.len() > EXACT {
            self.is_coarse = true;
            for (value, calls) in std::mem::take(&mut self.calls) {
                *self.calls.entry(coarse(value)).or_default() += calls;
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (value, calls) in other.calls {
            self.add(value as f64, calls);
        }
    }

    fn median(&self) -> Option<f64> {
        let half = self.calls.values().sum::<f64>() / 2.0;
        let mut upto = 0.0;
        let middle = self.calls.iter().find(|(_, calls)| {
            upto += **calls;
            upto > half
        });
        middle.map(|(value, _)| *value as f64)
    }
}

/// A number with its first three digits, and zeroes behind them.
fn coarse(value: u64) -> u64 {
    let digits = value.checked_ilog10().unwrap_or_default();
    let unit = 10_u64.pow(digits.saturating_sub(2));
    value / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(calls: i64, steps: Option<i64>, failed: bool) -> SpanRow {
        SpanRow {
            transaction_id: StoredId::Short(1),
            statement_id: 1,
            ts: 0,
            calls,
            total: 10,
            failed,
            of_one_kind: true,
            steps,
            scan_steps: steps.map(|steps| steps / 4),
        }
    }

    fn work(spans: &[SpanRow]) -> Work {
        let mut work = Work::default();
        for (trace, span) in (1..).zip(spans) {
            work.call(span, &StoredId::Short(trace));
        }
        work
    }

    #[test]
    fn a_folded_span_counts_as_its_calls_and_the_most_is_that_of_the_dearest_call() {
        let work = work(&[
            span(4, Some(68), false),
            span(1, Some(1_000), false),
            span(2, Some(2_000), false),
        ]);
        assert_eq!(work.median(), Some((17.0, 4.0)));
        let most = work.most().unwrap();
        assert_eq!(most.steps, (1_000.0, StoredId::Short(2)));
        assert_eq!(most.rows_scanned, (250.0, StoredId::Short(2)));
    }

    #[test]
    fn calls_without_counts_are_told_unless_they_failed() {
        let known = work(&[span(2, Some(24), false), span(1, None, false)]);
        assert_eq!(
            (known.median(), known.not_measured),
            (Some((12.0, 3.0)), 1.0)
        );
        let failed = work(&[span(1, Some(10), false), span(9, None, true)]);
        assert_eq!(
            (failed.median(), failed.not_measured),
            (Some((10.0, 2.0)), 0.0)
        );
        let few = work(&[span(1, Some(10), false), span(9, None, false)]);
        assert_eq!((few.median(), few.not_measured), (None, 9.0));
        assert!(few.most().is_some());
        assert_eq!(work(&[span(1, None, false)]).most(), None);
    }

    #[test]
    fn the_middle_of_very_many_values_is_right_in_its_first_digits_and_takes_little_room() {
        let mut spread = Spread::default();
        for value in 0..1_000_001 {
            spread.add(f64::from(value), 1.0);
        }
        assert_eq!(spread.median(), Some(500_000.0));
        assert!(spread.calls.len() < 5_000, "{}", spread.calls.len());
        assert_eq!([0, 9, 123, 12_399].map(coarse), [0, 9, 123, 12_300]);
    }
}
