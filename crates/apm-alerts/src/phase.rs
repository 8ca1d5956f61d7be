//! The state machine of a subject: pending until its condition has held long enough, firing until it has been calm long
//! enough. It knows no clock and no database.
//!
//! A level of 1 is the bound. A subject that fires stays so until its level is below [`CALM`] for the hold time, so
//! that a value that moves around its bound sends one alert and not one a minute.

/// The level below which a firing subject is calm.
const CALM: f64 = 0.9;

/// The shortest time that a subject has to be calm, seconds.
const LEAST_CALM: i64 = 60;

/// The phase of a subject that is watched. Times in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The condition holds, not long enough yet.
    Pending {
        /// Since when.
        since: i64,
    },
    /// It was told.
    Firing {
        /// Since when.
        since: i64,
        /// Since when the condition does not hold.
        calm: Option<i64>,
    },
}

/// The next phase, and what there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// There is nothing to watch.
    Quiet,
    /// Nothing is told.
    Stay(Phase),
    /// It has held long enough.
    Fire,
    /// It has been calm long enough.
    Resolve,
}

/// The step from a phase, at a level. `hold`: seconds.
pub(crate) fn step(phase: Option<Phase>, level: f64, now: i64, hold: i64) -> Step {
    match phase {
        Some(Phase::Firing { since, .. }) if level >= CALM => {
            Step::Stay(Phase::Firing { since, calm: None })
        }
        Some(Phase::Firing { since, calm }) => {
            // A clock that was set back does not keep it firing.
            let from = calm.unwrap_or(now).min(now);
            match now - from >= hold.max(LEAST_CALM) {
                true => Step::Resolve,
                false => Step::Stay(Phase::Firing {
                    since,
                    calm: Some(from),
                }),
            }
        }
        pending if level >= 1.0 => {
            let since = match pending {
                Some(Phase::Pending { since }) => since.min(now),
                _ => now,
            };
            match now - since >= hold {
                true => Step::Fire,
                false => Step::Stay(Phase::Pending { since }),
            }
        }
        // Only what fires has a margin: what is pending is forgotten at once.
        _ => Step::Quiet,
    }
}

#[cfg(test)]
mod tests;
