//! Times as people say them: `18:00`, `yesterday`, `last Friday 9:00`, `2 hours ago`.
//!
//! A time of day without a day is the last one that has passed, and so is a weekday: telemetry lies in the past. A day
//! without a time of day is all of it: its start, or with [`Round::Up`] its end.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::error::Fault;
use super::unit::{Round, span};

/// Days of the week, and the shortest beginning that tells them apart.
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];
/// Letters that a weekday is told by.
const SHORTEST: usize = 3;

/// Longest text that is read, bytes.
const LONGEST: usize = 64;

/// The time that a text names, µs; nothing where it is none of these forms.
pub(super) fn read(
    text: &str,
    now: i64,
    round: Round,
    zone: &TimeZone,
) -> Option<Result<i64, Fault>> {
    if text.len() > LONGEST {
        return None;
    }
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split([' ', ','])
        .filter(|word| !word.is_empty() && *word != "at")
        .collect();
    let now = Timestamp::from_microsecond(now).ok()?;
    let now = now.to_zoned(zone.clone());
    if let [count, unit, "ago"] = words.as_slice() {
        return Some(ago(count, unit, &now)?.map(|time| micros(&time)));
    }
    let (day, rest) = day(&words);
    let time = match rest {
        [] => None,
        words => Some(time_of_day(words)?),
    };
    if day.is_none() && time.is_none() {
        return None;
    }
    Some(moment(day, time, &now, round).map(|time| micros(&time)))
}

fn micros(time: &Zoned) -> i64 {
    time.timestamp().as_microsecond()
}

/// A day as it is said.
#[derive(Debug, Clone, Copy)]
enum Day {
    /// So many days before today.
    Before(i64),
    /// The last such day; today only where it may be.
    Last(Weekday, bool),
    On(Date),
}

/// The day at the start of a text, and the words after it.
fn day<'a, 'w>(words: &'a [&'w str]) -> (Option<Day>, &'a [&'w str]) {
    let weekday = |word: &str| {
        let found = WEEKDAYS
            .iter()
            .find(|(name, _)| word.len() >= SHORTEST && name.starts_with(word));
        found.map(|(_, day)| *day)
    };
    match words {
        ["today", rest @ ..] => (Some(Day::Before(0)), rest),
        ["yesterday", rest @ ..] => (Some(Day::Before(1)), rest),
        ["last", name, rest @ ..] if weekday(name).is_some() => {
            (weekday(name).map(|day| Day::Last(day, false)), rest)
        }
        [name, rest @ ..] if weekday(name).is_some() => {
            (weekday(name).map(|day| Day::Last(day, true)), rest)
        }
        // A date with a time of day as people write it: `2026-11-28 6pm`.
        [date, rest @ ..] if date.len() == 10 && !rest.is_empty() => match date.parse() {
            Ok(date) => (Some(Day::On(date)), rest),
            Err(_) => (None, words),
        },
        _ => (None, words),
    }
}

/// `18:00`, `9:30:15`, `9am`, `9:30 pm`, `noon`, `midnight`.
fn time_of_day(words: &[&str]) -> Option<Time> {
    let text = words.concat();
    match text.as_str() {
        "noon" => return Time::new(12, 0, 0, 0).ok(),
        "midnight" => return Time::new(0, 0, 0, 0).ok(),
        _ => {}
    }
    let half = ["am", "pm"].into_iter().find(|half| text.ends_with(half));
    let digits = half.map_or(text.as_str(), |half| text.trim_end_matches(half));
    let parts: Vec<&str> = digits.split(':').collect();
    let is_number = |part: &&str| {
        (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    // `9` alone may be anything.
    if parts.len() > 3 || (parts.len() == 1 && half.is_none()) || !parts.iter().all(is_number) {
        return None;
    }
    let number = |place: usize| {
        parts
            .get(place)
            .map_or(Some(0), |part| part.parse::<i8>().ok())
    };
    let hour = match (number(0)?, half) {
        (hour, None) => hour,
        (12, Some("am")) => 0,
        (12, Some(_)) => 12,
        (hour @ 1..=11, Some("am")) => hour,
        (hour @ 1..=11, Some(_)) => hour + 12,
        _ => return None,
    };
    Time::new(hour, number(1)?, number(2)?, 0).ok()
}

fn moment(day: Option<Day>, time: Option<Time>, now: &Zoned, round: Round) -> Result<Zoned, Fault> {
    let today = now.date();
    let back = |days: i64| {
        today
            .checked_sub(days.days())
            .map_err(|_| Fault::OutOfRange)
    };
    let at = |date: Date, time: Time| {
        let zoned = date.to_datetime(time).to_zoned(now.time_zone().clone());
        zoned.map_err(|_| Fault::OutOfRange)
    };
    let of_day = time.unwrap_or(Time::midnight());
    // The date that is meant, and the one before it where that has not come yet.
    let (date, earlier) = match day {
        None => (today, Some(back(1)?)),
        Some(Day::Before(days)) => (back(days)?, None),
        Some(Day::On(date)) => (date, None),
        Some(Day::Last(weekday, may_be_today)) => {
            let days = i64::from(weekday.until(today.weekday()));
            match days {
                0 if !may_be_today => (back(7)?, None),
                0 => (today, Some(back(7)?)),
                days => (back(days)?, None),
            }
        }
    };
    let found = at(date, of_day)?;
    // At nine in the morning, `18:00` is that of yesterday: telemetry has no future.
    if let Some(earlier) = earlier.filter(|_| time.is_some() && found > *now) {
        return at(earlier, of_day);
    }
    match (time, round) {
        (None, Round::Up) => found.checked_add(1.day()).map_err(|_| Fault::OutOfRange),
        _ => Ok(found),
    }
}

/// `2 hours ago`
fn ago(count: &str, unit: &str, now: &Zoned) -> Option<Result<Zoned, Fault>> {
    let unit = match unit.trim_end_matches('s') {
        "second" | "sec" => b's',
        "minute" | "min" => b'm',
        "hour" => b'h',
        "day" => b'd',
        "week" => b'w',
        "month" => b'M',
        "year" => b'y',
        _ => return None,
    };
    let count = match count {
        "a" | "an" | "one" => 1,
        count => count.parse().ok().filter(|count| *count >= 0)?,
    };
    let time = span(count, unit).and_then(|span| now.checked_sub(span).ok());
    Some(time.ok_or(Fault::OutOfRange))
}

#[cfg(test)]
mod tests;
