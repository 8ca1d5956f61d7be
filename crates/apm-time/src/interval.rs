//! The interval that a written time stands for: `2026-11-28` is a day, `2026-11` a month, `2026` a year, as in
//! Elasticsearch.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::error::Fault;
use super::read::{absolute, relative};
use super::unit::{Round, span};

/// The resolution of times in documents: milliseconds.
const MILLISECOND: i64 = 1_000;

/// The first microsecond of what `text` names, and the first one after it; both are the same for a moment such as
/// `now-15m`.
/// Nothing where it is no time.
///
/// Accepted: a year, a month, a day, a time down to any unit, with or without an offset; milliseconds since 1970 in
/// more than four digits; `now` with its calculations, and `2026-11-28||-1M/M`.
#[must_use]
pub fn interval(text: &str, now: i64, zone: &TimeZone) -> Option<(i64, i64)> {
    let (start, end) = read(text.trim(), now, zone).ok()?;
    (start >= 0 && end >= start).then_some((start, end))
}

fn read(text: &str, now: i64, zone: &TimeZone) -> Result<(i64, i64), Fault> {
    let calculated = |math: &str, from: i64| {
        let down = relative(math, from, Round::Down, zone)?;
        let up = relative(math, from, Round::Up, zone)?;
        Ok((down, up))
    };
    if let Some(math) = text.strip_prefix("now") {
        return calculated(math, now);
    }
    if let Some((anchor, math)) = text.split_once("||") {
        let (from, to) = named(anchor, zone)?;
        return match math {
            "" => Ok((from, to)),
            math => calculated(math, from),
        };
    }
    named(text, zone)
}

/// A time without calculations.
fn named(text: &str, zone: &TimeZone) -> Result<(i64, i64), Fault> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Four digits are a year, more of them milliseconds.
    if is_number && text.len() > 4 {
        let start = text
            .parse()
            .ok()
            .and_then(|millis: i64| millis.checked_mul(MILLISECOND));
        return start
            .map(|start| (start, start.saturating_add(MILLISECOND)))
            .ok_or(Fault::OutOfRange);
    }
    let whole = match text.len() {
        4 if is_number => format!("{text}-01-01"),
        7 if text.as_bytes()[4] == b'-' => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let start = match whole.len() {
        10 => whole
            .parse::<Date>()
            .map_err(|_| Fault::Syntax)
            .and_then(|date| date.to_zoned(zone.clone()).map_err(|_| Fault::OutOfRange))
            .map(|day| day.timestamp().as_microsecond())?,
        _ => absolute(&whole, zone)?,
    };
    if start < 0 {
        return Err(Fault::OutOfRange);
    }
    let unit = match text.len() {
        4 => b'y',
        7 => b'M',
        10 => b'd',
        _ => match unit_of(text) {
            Some(unit) => unit,
            None => {
                let start = start.div_euclid(MILLISECOND) * MILLISECOND;
                return Ok((start, start + MILLISECOND));
            }
        },
    };
    let from = Timestamp::from_microsecond(start).map_err(|_| Fault::OutOfRange)?;
    let from = from.to_zoned(zone.clone());
    let end = span(1, unit).and_then(|one| from.checked_add(one).ok());
    let end = end.ok_or(Fault::OutOfRange)?;
    Ok((start, end.timestamp().as_microsecond()))
}

/// The smallest unit of a date and time; nothing for parts of a second.
fn unit_of(text: &str) -> Option<u8> {
    // The hyphens of the date before it are no sign of an offset.
    let time = text.get(11..).unwrap_or_default();
    let offset = time.find(['Z', 'z', '+', '-', '[']);
    let time = &time[..offset.unwrap_or(time.len())];
    if time.contains(['.', ',']) {
        return None;
    }
    // `1015` is a minute, too: the separators may be left out.
    match time.bytes().filter(u8::is_ascii_digit).count() {
        0..=2 => Some(b'h'),
        3..=4 => Some(b'm'),
        _ => Some(b's'),
    }
}

#[cfg(test)]
mod tests;
