//! The growth of a statement with the rows of one table.

use schemars::JsonSchema;
use serde::Serialize;

use super::steps::Steps;
use super::{BETTER, Point, Regime, Source};

/// Latency against rows.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Growth {
    /// The table; of several the one that drives it.
    pub table: String,
    /// The source of the number of its rows.
    pub source: Source,
    /// Whether there were calls, and nothing that tells how many rows there were.
    #[serde(skip)]
    pub rows_unknown: bool,
    /// Oldest first.
    pub points: Vec<Point>,
    /// Oldest first; the last one holds today.
    pub regimes: Vec<Regime>,
    /// Steps of SQLite against the rows; none where they are not known.
    pub steps: Option<Steps>,
    /// The statement that asked for the durations, as the `sqlite3` shell takes it; the rows at each time are worked
    /// out beside it.
    #[serde(skip)]
    pub sql: String,
}

impl Growth {
    /// The regime that grows now: the last one, or an earlier one that nothing better has followed. A stretch in which
    /// the machine was busy is no end of growth.
    #[must_use]
    pub fn growing(&self) -> Option<&Regime> {
        let (at, grows) = self.grew()?;
        let later = &self.regimes[at + 1..];
        (!later.iter().any(|regime| is_better(regime, grows))).then_some(grows)
    }

    /// When growth ended, if it did: seconds since the epoch.
    #[must_use]
    pub fn ended(&self) -> Option<f64> {
        let (at, grows) = self.grew()?;
        let mut later = self.regimes[at + 1..].iter();
        later
            .find(|regime| is_better(regime, grows))
            .map(|regime| regime.from)
    }

    /// The last regime that grows, and its place.
    fn grew(&self) -> Option<(usize, &Regime)> {
        let mut newest_first = self.regimes.iter().enumerate().rev();
        newest_first.find(|(_, regime)| regime.grows())
    }
}

/// Whether calls take well less than growth would have made of them by then.
fn is_better(regime: &Regime, than: &Regime) -> bool {
    let rows = (regime.rows_min + regime.rows_max) / 2.0;
    than.fit
        .is_some_and(|fit| regime.mean < BETTER * fit.at(rows).max(1.0))
}
