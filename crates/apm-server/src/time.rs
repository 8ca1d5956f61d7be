//! Points in time as people and scripts write them: RFC 3339, `now`, `now-15m`, `now-1d/d`.
//!
//! Everything inside the server is whole microseconds since the epoch, UTC. A [`Range`] is half
//! open, `[from, to)`, and never empty. Errors name the request parameter that they are about.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Zoned};
use serde::Serialize;

/// Microseconds in a second, the unit of all stored times.
pub const SECOND: i64 = 1_000_000;

/// The range that a page shows when the address names none.
pub const DEFAULT_FROM: &str = "now-15m";

/// A time that cannot be understood, or a range that holds nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The text is not a time in any accepted form.
    #[error(
        "{parameter}: `{text}` is not a time, use RFC 3339 such as 2026-01-31T12:00:00Z, or now, now-15m, now-1d/d"
    )]
    Syntax {
        /// The request parameter.
        parameter: &'static str,
        /// What was sent, cut to 64 characters.
        text: String,
    },
    /// The time lies outside of the years that can be stored.
    #[error("{parameter}: `{text}` lies outside of the years 1970 to 9999")]
    OutOfRange {
        /// The request parameter.
        parameter: &'static str,
        /// What was sent, cut to 64 characters.
        text: String,
    },
    /// The range ends before it starts.
    #[error("from: must be earlier than to, but {from} is not before {to}")]
    Empty {
        /// RFC 3339.
        from: String,
        /// RFC 3339.
        to: String,
    },
}

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
        let from = parse("from", from.unwrap_or(DEFAULT_FROM), now, Round::Down)?;
        let to = parse("to", to.unwrap_or("now"), now, Round::Up)?;
        Self::new(from, to)
    }

    /// Length in microseconds.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.to - self.from
    }

    /// Length in minutes, the divisor of every “per minute” (reference/ui.md 4).
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

/// Which way a time with a rounding unit (`/d`) goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// To the start of the unit.
    Down,
    /// To the start of the next unit.
    Up,
}

/// The present, in microseconds since the epoch.
#[must_use]
pub fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Reads one time. `parameter` is the request parameter to blame in an error.
///
/// Accepted: RFC 3339 with an offset; a date, or a date and time without offset (taken as UTC);
/// `now` followed by any number of `+<n><unit>`, `-<n><unit>` and at most one final `/<unit>`,
/// where the unit is one of `s m h d w M y`.
pub fn parse(
    parameter: &'static str,
    text: &str,
    now: i64,
    round: Round,
) -> Result<i64, TimeError> {
    let text = text.trim();
    let micros = if let Some(math) = text.strip_prefix("now") {
        relative(math, now, round)
    } else {
        absolute(text)
    };
    match micros {
        Some(micros) if micros >= 0 => Ok(micros),
        Some(_) => Err(TimeError::OutOfRange {
            parameter,
            text: cut(text),
        }),
        None => Err(TimeError::Syntax {
            parameter,
            text: cut(text),
        }),
    }
}

/// RFC 3339 in UTC with as many digits as needed: `2026-01-31T12:00:00.25Z`.
#[must_use]
pub fn rfc3339(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |time| time.to_string())
}

/// RFC 3339 in UTC with exactly three digits, as in a document's `@timestamp`.
#[must_use]
pub fn rfc3339_millis(micros: i64) -> String {
    Timestamp::from_microsecond(micros.div_euclid(1000) * 1000)
        .map_or_else(|_| micros.to_string(), |time| format!("{time:.3}"))
}

fn absolute(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_microsecond());
    }
    // `DateTime` would also read a text with an offset and forget it: that one failed above.
    let civil = text
        .parse::<Date>()
        .map(|date| date.at(0, 0, 0, 0))
        .ok()
        .filter(|_| text.len() == 10)
        .or_else(|| text.parse::<DateTime>().ok())?;
    Some(
        civil
            .to_zoned(TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_microsecond(),
    )
}

fn relative(mut math: &str, now: i64, round: Round) -> Option<i64> {
    let mut time = Timestamp::from_microsecond(now)
        .ok()?
        .to_zoned(TimeZone::UTC);
    while !math.is_empty() {
        let sign = math.chars().next()?;
        math = &math[sign.len_utf8()..];
        if sign == '/' {
            let [unit] = math.as_bytes() else { return None };
            time = rounded(&time, *unit, round)?;
            break;
        }
        let digits = math.bytes().take_while(u8::is_ascii_digit).count();
        let count: i64 = math[..digits].parse().ok()?;
        let unit = *math.as_bytes().get(digits)?;
        math = math.get(digits + 1..)?;
        let span = span(count, unit)?;
        time = match sign {
            '+' => time.checked_add(span),
            '-' => time.checked_sub(span),
            _ => return None,
        }
        .ok()?;
    }
    Some(time.timestamp().as_microsecond())
}

fn span(count: i64, unit: u8) -> Option<Span> {
    let span = Span::new();
    match unit {
        b's' => span.try_seconds(count),
        b'm' => span.try_minutes(count),
        b'h' => span.try_hours(count),
        b'd' => span.try_days(count),
        b'w' => span.try_weeks(count),
        b'M' => span.try_months(count),
        b'y' => span.try_years(count),
        _ => return None,
    }
    .ok()
}

/// The start of the unit that `time` lies in, or for [`Round::Up`] of the one after it.
fn rounded(time: &Zoned, unit: u8, round: Round) -> Option<Zoned> {
    let start = match unit {
        b's' => time.with().subsec_nanosecond(0).build().ok()?,
        b'm' => time.with().subsec_nanosecond(0).second(0).build().ok()?,
        b'h' => {
            let hour = time.with().subsec_nanosecond(0).second(0).minute(0);
            hour.build().ok()?
        }
        b'd' => time.start_of_day().ok()?,
        b'w' => {
            let days = i64::from(time.weekday().to_monday_zero_offset());
            time.start_of_day().ok()?.checked_sub(days.days()).ok()?
        }
        b'M' => time.first_of_month().ok()?.start_of_day().ok()?,
        b'y' => time.first_of_year().ok()?.start_of_day().ok()?,
        _ => return None,
    };
    match round {
        Round::Down => Some(start),
        Round::Up => start.checked_add(span(1, unit)?).ok(),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
