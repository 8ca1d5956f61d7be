//! The counts behind one key.

use apm_store::event::{Outcome, StoredEvent};
use apm_store::rollup::weight;
use serde::Deserialize;

use super::histogram::Histogram;

/// The counts behind one key: durations of transactions, or responses of a destination.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Count {
    /// Durations of transactions.
    pub(super) durations: Histogram,
    /// Transactions that succeeded.
    pub(super) successes: f64,
    /// Transactions whose outcome is known.
    pub(super) outcomes: f64,
    /// Responses.
    pub(super) responses: f64,
    /// The time until them, µs.
    pub(super) response_time: f64,
    is_used: bool,
}

/// A transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed {
    duration: i64,
    count: f64,
    outcome: Outcome,
}

/// Responses of a destination.
#[derive(Clone, Copy, Debug)]
pub(super) struct Responses {
    count: f64,
    /// µs
    sum: f64,
}

impl Count {
    /// Counts a transaction; gives back how many bars are new.
    pub(super) fn observe(&mut self, observed: Observed) -> usize {
        // An event of the rate 0 stands for none.
        if observed.count <= 0.0 {
            return 0;
        }
        match observed.outcome {
            Outcome::Success => {
                self.successes += observed.count;
                self.outcomes += observed.count;
            }
            Outcome::Failure => self.outcomes += observed.count,
            Outcome::Unknown => {}
        }
        self.durations.observe(observed.duration, observed.count)
    }

    /// Counts responses.
    pub(super) fn respond(&mut self, responses: Responses) -> usize {
        self.responses += responses.count;
        self.response_time += responses.sum;
        0
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.durations.add(&other.durations);
        self.successes += other.successes;
        self.outcomes += other.outcomes;
        self.responses += other.responses;
        self.response_time += other.response_time;
        self.is_used = true;
    }

    /// Whether nothing was ever added to it.
    pub(super) fn is_new(&self) -> bool {
        !self.is_used
    }

    pub(super) fn bars(&self) -> usize {
        self.durations.bars()
    }
}

/// The counts of a transaction.
pub(super) fn transaction(event: &StoredEvent) -> Observed {
    Observed {
        duration: event.duration.unwrap_or_default(),
        count: weight(event.sample_rate),
        outcome: event.outcome.unwrap_or_default(),
    }
}

/// The counts of a span: a composite one counts as many as it stands for.
pub(super) fn span(event: &StoredEvent) -> Responses {
    #[derive(Deserialize)]
    struct Rest {
        composite: Option<Composite>,
    }
    /// `sum`: milliseconds.
    #[derive(Deserialize)]
    struct Composite {
        count: f64,
        sum: f64,
    }
    let weight = weight(event.sample_rate);
    // The name is found faster than the JSON of every span is read.
    let composite = match event.rest.contains("\"composite\"") {
        true => serde_json::from_str(&event.rest)
            .ok()
            .and_then(|rest: Rest| rest.composite),
        false => None,
    };
    match composite {
        Some(composite) => Responses {
            count: weight * composite.count,
            sum: weight * composite.sum * 1000.0,
        },
        None => Responses {
            count: weight,
            sum: weight * event.duration.unwrap_or_default() as f64,
        },
    }
}

/// Spans that the agent left out, and counted.
#[derive(Debug, Deserialize)]
pub(super) struct Dropped {
    #[serde(default)]
    pub(super) destination_service_resource: String,
    #[serde(default)]
    pub(super) service_target_type: Option<String>,
    #[serde(default)]
    pub(super) service_target_name: Option<String>,
    #[serde(default)]
    pub(super) outcome: Option<String>,
    duration: Option<DroppedDuration>,
}

#[derive(Debug, Deserialize)]
struct DroppedDuration {
    #[serde(default)]
    count: f64,
    sum: Option<DroppedSum>,
}

#[derive(Debug, Deserialize)]
struct DroppedSum {
    #[serde(default)]
    us: f64,
}

impl Dropped {
    /// Their counts.
    pub(super) fn responses(&self, event: &StoredEvent) -> Responses {
        let weight = weight(event.sample_rate);
        let duration = self.duration.as_ref();
        Responses {
            count: weight * duration.map_or(0.0, |duration| duration.count),
            sum: weight
                * duration
                    .and_then(|duration| duration.sum.as_ref())
                    .map_or(0.0, |sum| sum.us),
        }
    }
}

/// The spans that the agent left out of a transaction, by destination.
pub(super) fn dropped(event: &StoredEvent) -> Vec<Dropped> {
    #[derive(Deserialize)]
    struct Rest {
        #[serde(default)]
        dropped_spans_stats: Vec<Dropped>,
    }
    if !event.rest.contains("\"dropped_spans_stats\"") {
        return Vec::new();
    }
    serde_json::from_str(&event.rest)
        .map_or_else(|_| Vec::new(), |rest: Rest| rest.dropped_spans_stats)
}
