//! Limits of the number of different names, by kind.
//!
//! Names are what a sender can make as many of as it likes: an id in a transaction's name, a host in a destination.
//! Each one costs a row, its rollups, and time on every page that lists it. So there is a number for each service, and
//! one for all services together, as in APM Server. A name beyond it is counted under [`OTHER`], and its event says the
//! name that was sent.

/// The name under which everything beyond a limit is counted, as in APM Server.
pub const OTHER: &str = "_other";

/// Names that one service has at most, of each kind, unless it is said otherwise.
pub const NAMES: usize = 2_000;

/// All services together have so many times the limit of one.
const TOGETHER: usize = 10;

/// Different results of one service: charts show them side by side, and each multiplies the rollup rows of its
/// transactions.
const RESULTS: usize = 200;

/// Services, counted once per environment.
const SERVICES: usize = 1_000;

/// Kinds of names that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// Services, by name and environment.
    Service,
    /// Transactions, by type and name.
    Transaction,
    /// `transaction.result`
    Result,
    /// Databases and services that are called.
    Destination,
    /// SQL, by what it asks.
    Statement,
    /// Errors, by grouping key.
    Error,
    /// Metrics, by name.
    Metric,
    /// Types and subtypes of spans in the breakdown of a service's time.
    SelfTime,
    /// Labels, by name.
    Label,
    /// Series of a metric, by their labels.
    Series,
    /// Instances of a service, by how they describe themselves.
    Instance,
}

impl NameKind {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 11] = [
        Self::Service,
        Self::Transaction,
        Self::Result,
        Self::Destination,
        Self::Statement,
        Self::Error,
        Self::Metric,
        Self::SelfTime,
        Self::Label,
        Self::Series,
        Self::Instance,
    ];

    /// Their names in counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "services",
            Self::Transaction => "transactions",
            Self::Result => "results",
            Self::Destination => "destinations",
            Self::Statement => "statements",
            Self::Error => "errors",
            Self::Metric => "metrics",
            Self::SelfTime => "self_times",
            Self::Label => "labels",
            Self::Series => "series",
            Self::Instance => "instances",
        }
    }
}

/// The limit of one kind of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameLimit {
    /// Of one service; of [`NameKind::Series`] those of one metric.
    pub of_service: usize,
    /// Of all services together.
    pub in_all: usize,
}

/// The limits of all kinds of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameLimits {
    /// Names of one service; `None`: no limit of any kind.
    names: Option<usize>,
}

impl Default for NameLimits {
    fn default() -> Self {
        Self::new(NAMES)
    }
}

impl NameLimits {
    /// So many names of each kind for one service, and ten times as many for all together; 0: no limit of any kind.
    #[must_use]
    pub fn new(names: usize) -> Self {
        Self {
            names: (names > 0).then_some(names),
        }
    }

    /// The limit of a kind; nothing where there is none.
    #[must_use]
    pub fn limit(&self, kind: NameKind) -> Option<NameLimit> {
        let names = self.names?;
        let of_service = match kind {
            NameKind::Service => {
                let services = SERVICES.max(names / 2);
                return Some(NameLimit {
                    of_service: services,
                    in_all: services,
                });
            }
            NameKind::Result | NameKind::SelfTime => RESULTS.min(names),
            // As many fields as an index of Elasticsearch has by default.
            NameKind::Label => names.div_ceil(2),
            NameKind::Series => {
                return Some(NameLimit {
                    of_service: names.div_ceil(4),
                    in_all: names.saturating_mul(TOGETHER),
                });
            }
            _ => names,
        };
        Some(NameLimit {
            of_service,
            in_all: of_service.saturating_mul(TOGETHER),
        })
    }
}

/// Numbers of names beyond the limits, by [`NameKind`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beyond([u64; NameKind::ALL.len()]);

impl Beyond {
    /// The number of names of one kind that were beyond its limit.
    #[must_use]
    pub fn number(&self, kind: NameKind) -> u64 {
        self.0[kind as usize]
    }

    /// Counts one.
    pub(super) fn count(&mut self, kind: NameKind) {
        self.0[kind as usize] += 1;
    }

    /// Adds the numbers of another one.
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, number) in self.0.iter_mut().zip(other.0) {
            *sum += number;
        }
    }

    /// Sets the number of a kind.
    pub(super) fn set(&mut self, kind: NameKind, count: u64) {
        self.0[kind as usize] = count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_limit_and_none_has_one_where_they_are_off() {
        for (place, kind) in NameKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place, "a kind is its place");
            let limit = NameLimits::default().limit(kind).expect("a limit");
            assert!(limit.of_service > 0 && limit.in_all >= limit.of_service);
            assert_eq!(NameLimits::new(0).limit(kind), None);
        }
        let few = NameLimits::new(5);
        assert_eq!(few.limit(NameKind::Result).expect("a limit").of_service, 5);
        assert_eq!(few.limit(NameKind::Statement).expect("a limit").in_all, 50);
        assert_eq!(few.limit(NameKind::Service).expect("a limit").in_all, 1_000);
    }
}
