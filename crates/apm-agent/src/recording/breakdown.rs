//! Breakdown metrics: how much of a transaction's time each kind of span took.
//!
//! A transaction sums the self time of its spans by (type, subtype); when it ends the sums join those of its group,
//! which the metrics thread takes away once per interval. Spans that were dropped, compressed or over the limit count
//! as well.

use std::sync::Arc;

use foldhash::HashMap;

use crate::recording::span_kind::SpanKind;
use crate::util::striped::Striped;
use crate::util::{Mutex, lock};

/// Distinct (transaction, span) groups per interval, also for one stripe of threads.
const MAX_GROUPS: usize = 1000;

/// Count of self times, and their sum in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) count: u64,
    sum: u64,
}

impl Time {
    #[inline]
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// The sum in microseconds.
    pub(crate) fn micros(self) -> u64 {
        self.sum / 1_000
    }
}

/// The self times of one transaction's spans. Few kinds occur in one transaction: a list is the fastest map.
#[derive(Debug, Default)]
pub(crate) struct SpanTimes {
    /// Mostly there is one kind, which takes no memory of its own.
    first: Option<(Arc<SpanKind>, Time)>,
    others: Vec<(Arc<SpanKind>, Time)>,
}

impl SpanTimes {
    #[inline]
    pub(crate) fn add(&mut self, kind: &Arc<SpanKind>, self_time: u64) {
        let time = Time {
            count: 1,
            sum: self_time,
        };
        let Some(first) = &mut self.first else {
            self.first = Some((Arc::clone(kind), time));
            return;
        };
        if Arc::ptr_eq(&first.0, kind) {
            return first.1.add(time);
        }
        let room = 1 + self.others.len() < MAX_GROUPS;
        let mut all = std::iter::once(first).chain(&mut self.others);
        match all.find(|(known, _)| is_same_group(known, kind)) {
            Some((_, sum)) => sum.add(time),
            None if room => self.others.push((Arc::clone(kind), time)),
            None => {}
        }
    }

    fn iter(&self) -> impl Iterator<Item = &(Arc<SpanKind>, Time)> {
        self.first.iter().chain(&self.others)
    }
}

/// Whether spans of two kinds are counted together.
fn is_same_group(one: &Arc<SpanKind>, other: &Arc<SpanKind>) -> bool {
    Arc::ptr_eq(one, other) || (one.span_type == other.span_type && one.subtype == other.subtype)
}

/// The key of a sum: the transaction's type and name, and the span's type and subtype.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) transaction_type: String,
    pub(crate) transaction_name: String,
    pub(crate) span_type: String,
    pub(crate) span_subtype: Option<String>,
}

type SpanSums = Vec<(Arc<SpanKind>, Time)>;

/// The sums of all transactions since the last report: those of each thread apart, until they are reported.
#[derive(Debug, Default)]
pub(crate) struct Breakdown(Striped<Mutex<Sums>>);

#[derive(Debug, Default)]
struct Sums {
    /// By transaction name, then type: one look-up by `&str` for a transaction that was seen before.
    names: HashMap<String, Vec<(String, Time, SpanSums)>>,
    groups: usize,
    overflowed: bool,
}

impl Sums {
    /// Adds the self times of transactions, and those of their spans.
    fn add<'a>(
        &mut self,
        kind: &str,
        name: &str,
        app: Time,
        spans: impl Iterator<Item = &'a (Arc<SpanKind>, Time)>,
    ) {
        let types = match self.names.get_mut(name) {
            Some(types) => types,
            None if self.groups < MAX_GROUPS => self.names.entry(name.to_owned()).or_default(),
            None => {
                self.overflowed = true;
                return;
            }
        };
        let place = match types.iter().position(|(known, ..)| known == kind) {
            Some(place) => place,
            None if self.groups < MAX_GROUPS => {
                types.push((kind.to_owned(), Time::default(), Vec::new()));
                self.groups += 1;
                types.len() - 1
            }
            None => {
                self.overflowed = true;
                return;
            }
        };
        let (_, own, known_spans) = &mut types[place];
        own.add(app);
        for (kind, time) in spans {
            let known = known_spans
                .iter_mut()
                .find(|(known, _)| is_same_group(known, kind));
            match known {
                Some((_, sum)) => sum.add(*time),
                None if self.groups < MAX_GROUPS => {
                    known_spans.push((Arc::clone(kind), *time));
                    self.groups += 1;
                }
                None => self.overflowed = true,
            }
        }
    }

    /// Adds the sums of other threads.
    fn merge(&mut self, other: Self) {
        self.overflowed |= other.overflowed;
        for (name, types) in other.names {
            for (kind, own, spans) in types {
                self.add(&kind, &name, own, spans.iter());
            }
        }
    }
}

impl Breakdown {
    /// Adds an ended transaction: its own self time (`app`) and those of its spans.
    pub(crate) fn add(&self, kind: &str, name: &str, app: u64, spans: &SpanTimes) {
        let app = Time { count: 1, sum: app };
        lock(self.0.own()).add(kind, name, app, spans.iter());
    }

    /// Takes the sums away; `true` when groups were left out.
    pub(crate) fn take(&self) -> (Vec<(Group, Time)>, bool) {
        let mut sums = Sums::default();
        for stripe in self.0.iter() {
            let taken = std::mem::take(&mut *lock(stripe));
            sums.merge(taken);
        }
        let mut groups = Vec::with_capacity(sums.groups);
        for (name, types) in sums.names {
            for (kind, own, spans) in types {
                let group = |span_type: &str, span_subtype: Option<&str>| Group {
                    transaction_type: kind.clone(),
                    transaction_name: name.clone(),
                    span_type: span_type.to_owned(),
                    span_subtype: span_subtype.map(str::to_owned),
                };
                groups.push((group("app", None), own));
                for (span, time) in &spans {
                    groups.push((group(&span.span_type, span.subtype.as_deref()), *time));
                }
            }
        }
        groups.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        (groups, sums.overflowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(span_type: &'static str, subtype: &'static str) -> Arc<SpanKind> {
        Arc::new(SpanKind {
            span_type: span_type.into(),
            subtype: Some(subtype.into()),
            exit: true,
            target: None,
        })
    }

    #[test]
    fn times_are_summed_by_transaction_and_span_kind_and_reset_when_taken() {
        let breakdown = Breakdown::default();
        for _ in 0..2 {
            let mut spans = SpanTimes::default();
            spans.add(&kind("db", "sqlite"), 10_000);
            spans.add(&kind("db", "sqlite"), 5_000);
            spans.add(&kind("external", "http"), 7_000);
            breakdown.add("request", "GET /", 100_000, &spans);
        }
        let (groups, overflowed) = breakdown.take();
        assert!(!overflowed);
        let shown: Vec<_> = groups
            .iter()
            .map(|(group, time)| (group.span_type.as_str(), time.count, time.micros()))
            .collect();
        assert_eq!(shown, [("app", 2, 200), ("db", 4, 30), ("external", 2, 14)]);
        assert!(breakdown.take().0.is_empty());
    }

    #[test]
    fn the_sums_of_all_threads_are_reported_as_one() {
        let breakdown = Breakdown::default();
        std::thread::scope(|scope| {
            for thread in 0..40 {
                let breakdown = &breakdown;
                scope.spawn(move || {
                    let mut spans = SpanTimes::default();
                    spans.add(&kind("db", "sqlite"), 3_000);
                    let name = if thread % 2 == 0 {
                        "GET /"
                    } else {
                        "GET /people"
                    };
                    breakdown.add("request", name, 10_000, &spans);
                });
            }
        });
        let (groups, overflowed) = breakdown.take();
        assert!(!overflowed);
        let shown: Vec<_> = groups
            .iter()
            .map(|(group, time)| {
                let name = group.transaction_name.as_str();
                (name, group.span_type.as_str(), time.count, time.micros())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("GET /", "app", 20, 200),
                ("GET /", "db", 20, 60),
                ("GET /people", "app", 20, 200),
                ("GET /people", "db", 20, 60)
            ]
        );
    }

    #[test]
    fn a_thousand_groups_are_kept_and_the_overflow_is_told() {
        let breakdown = Breakdown::default();
        for name in 0..1500 {
            breakdown.add("request", &name.to_string(), 1_000, &SpanTimes::default());
        }
        let (groups, overflowed) = breakdown.take();
        assert_eq!(groups.len(), MAX_GROUPS);
        assert!(overflowed);
    }
}
