//! Counts of other servers.

use super::{Writer, clock};
use crate::error::StoreError;
use crate::options::StoreOptions;
use crate::share::{self, Bounds, Follow, Followed, Merged};

/// Minutes of others may be so far ahead of the clock here, seconds.
const AHEAD: i64 = 24 * 60 * 60;

impl Writer {
    /// Adds counts of another server, and its place: both or neither.
    pub(super) fn follow(&mut self, follow: &Follow) -> Result<Followed, StoreError> {
        self.ready(0)?;
        let now = clock();
        let bounds = bounds(&self.options, now);
        let Self {
            conn,
            memory,
            coarse,
            ..
        } = self;
        let mut cause = None;
        let applied = conn.immediate_transaction(|conn| {
            let mut apply = || {
                // It was taken already, or something before it is missing. The place moves in this transaction, so
                // nothing is counted twice.
                if share::place(conn, &follow.store)? != follow.after {
                    return Ok(None);
                }
                // All deltas are added up first, so that each row of a rollup is written once.
                let mut sum: Option<Merged> = None;
                for delta in &follow.deltas {
                    let merged = memory.merge(conn, delta, now, bounds)?;
                    match &mut sum {
                        Some(sum) => sum.add(merged),
                        None => sum = Some(merged),
                    }
                }
                let dropped = sum.as_ref().map_or(0, |sum| sum.dropped);
                share::advance(conn, follow, dropped, now)?;
                let plan = match &sum {
                    Some(sum) => {
                        share::add_callers(conn, &sum.callers, now * 1_000_000)?;
                        share::add_error_versions(conn, &sum.error_versions)?;
                        Some(coarse.write(conn, &sum.counted)?)
                    }
                    None => None,
                };
                Ok::<_, StoreError>(Some((sum, plan)))
            };
            apply().inspect_err(|error| cause = Some(error.clone()))
        });
        match applied {
            Ok(applied) => {
                // Names that got their ids in memory stay or go with the transaction.
                memory.commit();
                let mut followed = Followed::default();
                if let Some((sum, plan)) = applied {
                    followed.is_taken = true;
                    if let (Some(sum), Some(plan)) = (sum, plan) {
                        followed.dropped = sum.dropped;
                        coarse.committed(&sum.counted, 0, plan);
                        self.counters.add_beyond(&sum.counted.beyond);
                    }
                }
                self.written()?;
                self.counters.changed();
                Ok(followed)
            }
            Err(error) => {
                memory.rollback();
                self.noted();
                Err(cause.unwrap_or(error))
            }
        }
    }
}

/// Counts of a time that retention would delete here are not taken.
fn bounds(options: &StoreOptions, now: i64) -> Bounds {
    let age = options
        .rollup_max_age
        .map(|age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
    Bounds {
        oldest: age.map_or(i64::MIN, |age| now.saturating_sub(age)),
        newest: now.saturating_add(AHEAD),
    }
}
