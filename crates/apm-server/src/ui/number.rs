//! The writing of numbers on every page.
//!
//! Durations arrive in microseconds, shares as 0 … 1, rates per minute. Nothing here decides what a number means:
//! `None` stays the reader's "–", and zero is only written for a true zero.

use std::fmt;

use maud::{Markup, Render, html};

use crate::analytics::change::{Change, Comparable};

/// U+202F, the narrow space that keeps a figure and its unit on one line.
pub(crate) const NARROW: &str = "\u{202f}";

/// A figure and its unit, kept apart so that a table can align both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) figure: String,
    pub(crate) unit: &'static str,
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.figure)?;
        if self.unit.is_empty() {
            Ok(())
        } else {
            write!(out, "{NARROW}{}", self.unit)
        }
    }
}

impl Render for Figure {
    fn render(&self) -> Markup {
        html! { span { (self.figure) span.u { @if !self.unit.is_empty() { (NARROW) (self.unit) } } } }
    }
}

/// A number without the zeros that end its decimals.
pub(crate) fn without_zeros(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

/// A duration as people type it, to the microsecond: `250us`, `46.2ms`, `1.2s`.
pub(crate) fn typed_duration(us: i64) -> String {
    let (unit, length) = match us {
        ..1_000 => return format!("{us}us"),
        1_000..1_000_000 => ("ms", 1e3),
        1_000_000.. => ("s", 1e6),
    };
    let number = format!("{:.6}", us as f64 / length);
    without_zeros(&number) + unit
}

fn figure(figure: impl Into<String>, unit: &'static str) -> Figure {
    Figure {
        figure: figure.into(),
        unit,
    }
}

/// Three significant figures, `1,240` from a thousand on.
fn significant(value: f64) -> String {
    // Decided on the rounded value: 9.996 is 10.0, not 10.00.
    if (value * 100.0).round() < 1000.0 {
        format!("{value:.2}")
    } else if (value * 10.0).round() < 1000.0 {
        format!("{value:.1}")
    } else {
        grouped(value.round() as u64)
    }
}

/// A duration in the largest unit that keeps its figure at 1 or above.
pub(crate) fn duration(us: f64) -> Figure {
    let us = us.max(0.0);
    if us == 0.0 {
        return figure("0", "µs");
    }
    if us < 0.1 {
        return figure(format!("<{NARROW}0.1"), "µs");
    }
    if us < 9.95 {
        return figure(format!("{us:.1}"), "µs");
    }
    if us < 999.5 {
        return figure(format!("{us:.0}"), "µs");
    }
    let ms = us / 1e3;
    if ms < 999.5 {
        return figure(significant(ms), "ms");
    }
    let s = ms / 1e3;
    if s < 599.5 {
        return figure(significant(s), "s");
    }
    let h = s / 3_600.0;
    // Decided on the rounded value: 59.97 min is an hour.
    if s < 3_597.0 {
        figure(significant(s / 60.0), "min")
    } else if h < 47.95 {
        figure(significant(h), "h")
    } else {
        figure(significant(h / 24.0), "d")
    }
}

/// `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count in a table: exact below 10,000, then `28.4k`, `142k`, `1.94M`.
pub(crate) fn compact(n: u64) -> String {
    let value = n as f64;
    match n {
        0..10_000 => grouped(n),
        10_000..99_950 => format!("{:.1}k", value / 1e3),
        99_950..999_500 => format!("{:.0}k", value / 1e3),
        999_500..99_950_000 => format!("{:.2}M", value / 1e6),
        99_950_000..999_500_000 => format!("{:.0}M", value / 1e6),
        _ => format!("{:.2}G", value / 1e9),
    }
}

/// A rate, without its `/min`: the head of the column says that.
pub(crate) fn rate(per_minute: f64) -> String {
    if per_minute <= 0.0 {
        "0".to_owned()
    } else if per_minute < 0.1 {
        format!("<{NARROW}0.1")
    } else if per_minute < 99.95 {
        let text = format!("{per_minute:.1}");
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    } else if per_minute < 9_999.5 {
        grouped(per_minute.round() as u64)
    } else {
        compact(per_minute.round() as u64)
    }
}

/// A share of 0 … 1 in per cent: one decimal below 10, none above. Only a whole is 100 %.
pub(crate) fn percent(share: f64) -> Figure {
    let value = share * 100.0;
    let text = if value <= 0.0 {
        "0".to_owned()
    } else if value < 0.1 {
        format!("<{NARROW}0.1")
    } else if value < 9.95 || (99.5..99.95).contains(&value) {
        format!("{value:.1}")
    } else if (99.95..100.0).contains(&value) {
        format!(">{NARROW}99.9")
    } else {
        format!("{value:.0}")
    };
    figure(text, "%")
}

/// Bytes in powers of 1,000, as disks are sold.
pub(crate) fn bytes(n: u64) -> Figure {
    let value = n as f64;
    match n {
        0..1_000 => figure(n.to_string(), "B"),
        1_000..999_500 => figure(significant(value / 1e3), "kB"),
        999_500..999_500_000 => figure(significant(value / 1e6), "MB"),
        999_500_000..999_500_000_000 => figure(significant(value / 1e9), "GB"),
        999_500_000_000..999_500_000_000_000 => figure(significant(value / 1e12), "TB"),
        _ => figure(significant(value / 1e15), "PB"),
    }
}

/// The change of a value against the comparison window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Delta {
    /// No value on one of the two sides, or nothing to compare with was asked for.
    Unknown,
    /// Not all of the earlier window is known.
    NoEarlierData,
    /// Too few events on one of the two sides to tell a change from chance.
    TooFew,
    /// The two sides are of different requests.
    OtherRequests,
    /// A row of a list that the earlier window does not have.
    New,
    /// Something where nothing was.
    FromZero,
    /// Less than 3 % either way.
    Same,
    /// Per cent, whole, with its sign.
    Changed { percent: i64 },
}

/// The change from which on it is said and coloured, per cent.
pub(crate) const FIRM: i64 = 10;

/// Events that each side of a comparison needs.
pub(crate) const FEW: u64 = 10;

impl Delta {
    /// The change of the mean duration of the same requests; `None` without a comparison.
    pub(crate) fn from_change(change: Option<&Change>) -> Self {
        let Some(change) = change else {
            return Self::Unknown;
        };
        match change.comparable {
            Comparable::Yes => delta(change.after_avg, change.before_avg, (FEW, FEW)),
            Comparable::NoEarlierData => Self::NoEarlierData,
            Comparable::TooFewRequests => Self::TooFew,
            Comparable::OtherRequests => Self::OtherRequests,
        }
    }

    /// The change of the mean of a row of a list. `now`, `then`: the mean and the number of events; `is_covered`:
    /// whether all of the earlier window is known.
    pub(crate) fn of_row(
        now: (Option<f64>, u64),
        then: Option<(Option<f64>, u64)>,
        is_covered: bool,
    ) -> Self {
        let change = match then {
            Some(then) => delta(now.0, then.0, (now.1, then.1)),
            None => Self::New,
        };
        change.if_covered(is_covered)
    }

    /// The same, but for a figure that is compared only where all of the earlier window is known.
    pub(crate) fn where_covered(self, change: Option<&Change>) -> Self {
        self.if_covered(change.is_none_or(Change::is_covered))
    }

    /// The same where all of the earlier window is known, and otherwise that there is no earlier data.
    pub(crate) fn if_covered(self, is_covered: bool) -> Self {
        match is_covered {
            true => self,
            false => Self::NoEarlierData,
        }
    }
}

/// Compares `now` with `before`; `events` are the counts on the two sides.
pub(crate) fn delta(now: Option<f64>, before: Option<f64>, events: (u64, u64)) -> Delta {
    let (Some(now), Some(before)) = (now, before) else {
        return Delta::Unknown;
    };
    if events.0.min(events.1) < FEW {
        return Delta::TooFew;
    }
    if before == 0.0 {
        return match now == 0.0 {
            true => Delta::Same,
            false => Delta::FromZero,
        };
    }
    let percent = ((now - before) / before.abs() * 100.0).round() as i64;
    match percent.abs() {
        0..3 => Delta::Same,
        _ => Delta::Changed { percent },
    }
}

#[cfg(test)]
mod tests;
