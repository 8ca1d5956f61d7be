//! The ticks of an axis and their labels.

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::super::{moment::Micros, number::NARROW};
use super::labels::value_label;
use super::scale::Scale;
use crate::sort_rows::SortRows as _;

/// A tick on a horizontal axis: its place as a share, and its words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) place: f64,
    pub(crate) label: String,
}

/// Below this, a step would be too small for a number.
const LEAST: f64 = 1e-300;

/// Values from 0 to at least `max` in about `steps` steps of 1, 2, 2.5 or 5 × 10ⁿ; `whole` for what is counted.
pub(crate) fn from_zero(max: f64, steps: usize, whole: bool) -> Vec<f64> {
    if !max.is_finite() || max < LEAST {
        return vec![0.0, 1.0];
    }
    let raw = max / steps.max(1) as f64;
    let magnitude = 10f64.powf(raw.log10().floor());
    let mut step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        // Powers are rounded: a step may be a hair too small.
        .find(|step| *step >= raw * (1.0 - 1e-9))
        .unwrap_or(10.0 * magnitude)
        .min(f64::MAX);
    if whole {
        // 2.5 is a step for 250, never for 2.5 requests.
        step = if step < 1.0 { 1.0 } else { step.ceil() };
    }
    let count = ((max / step - 1e-9).ceil() as usize).max(1);
    // The last step may be beyond the largest number.
    let value = |i: usize| (i as f64 * step).min(f64::MAX);
    (0..=count).map(value).collect()
}

/// The same from at most `least`, where that is below zero.
pub(crate) fn between(least: f64, most: f64, steps: usize, whole: bool) -> Vec<f64> {
    if least >= 0.0 || least.is_nan() {
        return from_zero(most, steps, whole);
    }
    let (least, most) = (least.max(-f64::MAX), most.clamp(0.0, f64::MAX));
    let all = from_zero((most - least).min(f64::MAX), steps, whole);
    let step = all.get(1).copied().unwrap_or(1.0);
    let first = (least / step + 1e-9).floor() as i64;
    let last = (most / step - 1e-9).ceil() as i64;
    // A value that is next to zero still has an axis.
    (first..=last.max(first + 1))
        .map(|i| (i as f64 * step).clamp(-f64::MAX, f64::MAX))
        .collect()
}

/// The unit in which an axis of durations up to `max_us` is written: its name and its length in µs.
pub(crate) fn duration_unit(max_us: f64) -> (&'static str, f64) {
    match max_us {
        us if us < 1e3 => ("µs", 1.0),
        us if us < 1e6 => ("ms", 1e3),
        us if us < 6e8 => ("s", 1e6),
        us if us < 7.2e9 => ("min", 6e7),
        us if us < 1.728e11 => ("h", 3.6e9),
        _ => ("d", 8.64e10),
    }
}

/// Least distance, as a share of the plot, between two labels of a log axis.
const NEAR: f64 = 0.045;
/// The same for the labels that are there only where they fit (3 and 7).
const NEAR_OPTIONAL: f64 = 0.085;

/// Ticks of a logarithmic axis of durations (µs): 1, then 2 and 5, then 3 and 7 of each decade, as far as they fit.
///
/// The unit stands on the last tick only, but on every tick of an axis that runs over more than three decades.
pub(crate) fn log_durations(scale: Scale) -> Vec<Tick> {
    let (from, to) = scale.ends();
    let (unit, length) = duration_unit(to);
    let wide = to / from > 1_000.0;
    let mut taken: Vec<(f64, f64)> = Vec::new();
    // Round in the unit that is written: 1 h and 2 h, not 1e10 µs.
    let base = if wide { 1.0 } else { length };
    let (first, last) = (
        (from / base).log10().floor() as i32,
        (to / base).log10().ceil() as i32,
    );
    // 3 and 7 where they fit; the rest only on an axis that would else have next to none.
    let rounds = [
        (&[1.0][..], NEAR, usize::MAX),
        (&[2.0, 5.0][..], NEAR, usize::MAX),
        (&[3.0, 7.0][..], NEAR_OPTIONAL, usize::MAX),
        (&[1.5, 4.0, 6.0, 8.0, 9.0][..], NEAR_OPTIONAL, 3),
    ];
    for (factors, near, enough) in rounds.into_iter().take(if wide { 1 } else { 4 }) {
        if taken.len() > enough {
            continue;
        }
        for decade in first..=last {
            for factor in factors {
                let value = factor * 10f64.powi(decade) * base;
                if value < from * (1.0 - 1e-9) || value > to * (1.0 + 1e-9) {
                    continue;
                }
                let place = scale.place(value);
                if taken.iter().all(|(_, other)| (other - place).abs() >= near) {
                    taken.push((value, place));
                }
            }
        }
    }
    taken.sort_rows_by(|a, b| a.0.total_cmp(&b.0));
    if wide {
        let own_unit = |(us, place): (f64, f64)| {
            let (unit, length) = duration_unit(us);
            Tick {
                place,
                label: format!(
                    "{}{NARROW}{unit}",
                    value_label((us / length * 1e3).round() / 1e3)
                ),
            }
        };
        return taken.into_iter().map(own_unit).collect();
    }
    with_unit(
        taken.into_iter().map(|(us, place)| (us / length, place)),
        unit,
    )
}

/// Ticks of a linear axis; the unit stands on the last one only.
pub(crate) fn linear(scale: Scale, steps: usize, unit: &str, length: f64) -> Vec<Tick> {
    let (from, to) = scale.ends();
    let values = between(from / length, to / length, steps, false);
    let inside = values
        .into_iter()
        .filter(|value| (from / length..=to / length * (1.0 + 1e-9)).contains(value));
    with_unit(
        inside.map(|value| (value, scale.place(value * length))),
        unit,
    )
}

fn with_unit(values: impl Iterator<Item = (f64, f64)>, unit: &str) -> Vec<Tick> {
    let mut ticks: Vec<Tick> = values
        .map(|(value, place)| Tick {
            place,
            label: value_label(value),
        })
        .collect();
    if let Some(last) = ticks.last_mut()
        && !unit.is_empty()
    {
        last.label = format!("{}{NARROW}{unit}", last.label);
    }
    ticks
}

const SECOND: Micros = 1_000_000;
const MINUTE: Micros = 60 * SECOND;
const HOUR: Micros = 60 * MINUTE;
const DAY: Micros = 24 * HOUR;

/// Steps that a clock reader knows, from one second to a quarter.
const TIME_STEPS: [Micros; 26] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    3 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    5 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    90 * DAY,
];

/// Four to seven round times between `from` and `to`, round in the reader's zone.
///
/// One zone offset is used for the whole axis: a change of clocks inside the range moves no tick.
pub(crate) fn times(from: Micros, to: Micros, zone: &TimeZone) -> Vec<Tick> {
    let length = to.saturating_sub(from).max(SECOND);
    let step = TIME_STEPS
        .into_iter()
        .find(|step| length / step <= 6)
        .unwrap_or(365 * DAY);
    let scale = Scale::linear(from as f64, to as f64);
    let Ok(start) = Timestamp::from_microsecond(from) else {
        return Vec::new();
    };
    let offset = Micros::from(zone.to_offset(start).seconds()) * SECOND;
    // Steps of several days are counted from the first midnight, since no weekday is round.
    let align = step.min(DAY);
    let first = (from + offset).div_euclid(align) * align - offset;
    let mut ticks = Vec::new();
    let mut at = if first < from { first + align } else { first };
    while at <= to && ticks.len() < 12 {
        let Ok(stamp) = Timestamp::from_microsecond(at) else {
            break;
        };
        let local = stamp.to_zoned(zone.clone());
        let midnight = local.hour() == 0 && local.minute() == 0 && local.second() == 0;
        let format = match step {
            step if step < MINUTE => "%H:%M:%S",
            step if step >= DAY || (midnight && length > 12 * HOUR) => "%-d %b",
            _ => "%H:%M",
        };
        // A day that a clock change made 23 hours long would put every later tick at 01:00.
        let label = match step {
            step if step >= DAY => (local + 2.hours()).strftime(format).to_string(),
            _ => local.strftime(format).to_string(),
        };
        ticks.push(Tick {
            place: scale.place(at as f64),
            label,
        });
        at += step;
    }
    ticks
}

#[cfg(test)]
mod tests;
