//! Units of time in texts: `s m h d w M y`.

use jiff::Span;

/// The direction in which a time with a rounding unit (`/d`) is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// To the start of the unit.
    Down,
    /// To the start of the next unit.
    Up,
}

/// So many units; nothing where there is no such unit, or too many of it.
pub(super) fn span(count: i64, unit: u8) -> Option<Span> {
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
