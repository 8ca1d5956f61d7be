//! Ranges of time, from the parameters `from` and `to`.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::error::TimeError;
use super::format::rfc3339;
use super::read::parse_in;
use super::unit::Round;

/// Microseconds in a second, the unit of all stored times.
pub const SECOND: i64 = 1_000_000;

/// The end of the year 9999, µs since the epoch: what is later cannot be written as a date.
pub const LATEST: i64 = 253_402_300_799_999_999;

/// The range that a page shows when the address names none.
pub const DEFAULT_FROM: &str = "now-15m";

/// A half-open range of time `[from, to)` in microseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Range {
    /// First microsecond of the range.
    pub from: i64,
    /// First microsecond after the range.
    pub to: i64,
}

impl Range {
    /// A range that holds at least one microsecond.
    pub fn new(from: i64, to: i64) -> Result<Self, TimeError> {
        if from < to {
            Ok(Self { from, to })
        } else {
            Err(TimeError::Empty {
                from: rfc3339(from),
                to: rfc3339(to),
            })
        }
    }

    /// Reads the parameters `from` and `to`; without them the 15 minutes before `now`.
    ///
    /// Rounding (`/d`) goes down in `from` and up in `to`, so that `now-1d/d` to `now-1d/d` is the
    /// whole of yesterday.
    pub fn parse(from: Option<&str>, to: Option<&str>, now: i64) -> Result<Self, TimeError> {
        Self::parse_in(from, to, now, &TimeZone::UTC)
    }

    /// The same for a reader in `zone`, whose days these are where the text names no offset.
    pub fn parse_in(
        from: Option<&str>,
        to: Option<&str>,
        now: i64,
        zone: &TimeZone,
    ) -> Result<Self, TimeError> {
        let from = parse_in("from", from.unwrap_or(DEFAULT_FROM), now, Round::Down, zone)?;
        let to = parse_in("to", to.unwrap_or("now"), now, Round::Up, zone)?;
        Self::new(from, to)
    }

    /// Length in microseconds.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.to - self.from
    }

    /// Length in minutes, the divisor of every “per minute”.
    #[must_use]
    pub fn minutes(self) -> f64 {
        self.micros() as f64 / (60.0 * SECOND as f64)
    }

    /// The range of the same length that lies `by` microseconds earlier.
    #[must_use]
    pub fn shifted_back(self, by: i64) -> Self {
        Self {
            from: self.from - by,
            to: self.to - by,
        }
    }
}
