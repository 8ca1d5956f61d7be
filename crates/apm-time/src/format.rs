//! Points in time as text.

use jiff::Timestamp;

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
