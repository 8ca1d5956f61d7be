//! Points in time from text.

use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::error::{Fault, TimeError};
use super::spoken;
use super::unit::{Round, span};

/// The present, in microseconds since the epoch.
#[must_use]
pub fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Reads one time. `parameter` is the request parameter to blame in an error.
///
/// Accepted: RFC 3339 with an offset; a date, or a date and time without offset (taken as UTC, see [`parse_in`]);
/// `now` followed by any number of `+<n><unit>`, `-<n><unit>` and at most one final `/<unit>`,
/// where the unit is one of `s m h d w M y`; and times as people say them, such as `18:00`, `yesterday`,
/// `last Friday 9:00` or `2 hours ago`.
pub fn parse(
    parameter: &'static str,
    text: &str,
    now: i64,
    round: Round,
) -> Result<i64, TimeError> {
    parse_in(parameter, text, now, round, &TimeZone::UTC)
}

/// The same for a reader in `zone`: a date without offset is one of that zone, and a day begins there at midnight.
pub fn parse_in(
    parameter: &'static str,
    text: &str,
    now: i64,
    round: Round,
    zone: &TimeZone,
) -> Result<i64, TimeError> {
    let text = text.trim();
    let read = |text: &str| read(text, now, round, zone);
    let fault = match read(text) {
        Ok(micros) if micros >= 0 => return Ok(micros),
        Ok(_) => Fault::OutOfRange,
        Err(fault) => fault,
    };
    let is_blank = || text.contains(' ') && read(&text.replace(' ', "+")).is_ok();
    let text = cut(text);
    Err(match fault {
        Fault::OutOfRange => TimeError::OutOfRange { parameter, text },
        Fault::Syntax if is_blank() => TimeError::Blank { parameter, text },
        Fault::Syntax => TimeError::Syntax { parameter, text },
    })
}

fn read(text: &str, now: i64, round: Round, zone: &TimeZone) -> Result<i64, Fault> {
    match text.strip_prefix("now") {
        Some(math) => relative(math, now, round, zone),
        None => match absolute(text, zone) {
            Err(Fault::Syntax) => {
                spoken::read(text, now, round, zone).unwrap_or(Err(Fault::Syntax))
            }
            read => read,
        },
    }
}

pub(super) fn absolute(text: &str, zone: &TimeZone) -> Result<i64, Fault> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_microsecond());
    }
    // A time whose parts are right and which yet is no instant lies too far. `DateTime` would read it and forget its
    // offset.
    let parts = Pieces::parse(text).ok();
    if parts.is_some_and(|parts| parts.offset().is_some() && parts.time().is_some()) {
        return Err(Fault::OutOfRange);
    }
    let civil = text
        .parse::<Date>()
        .map(|date| date.at(0, 0, 0, 0))
        .ok()
        // Jiff reads a date and time as a date as well, and drops the time.
        .filter(|_| text.len() == 10)
        .or_else(|| text.parse::<DateTime>().ok())
        .ok_or(Fault::Syntax)?;
    let zoned = civil.to_zoned(zone.clone());
    let zoned = zoned.map_err(|_| Fault::OutOfRange)?;
    Ok(zoned.timestamp().as_microsecond())
}

/// A moment and what is added to it or taken from it: `-1d/d`.
pub(super) fn relative(
    mut math: &str,
    now: i64,
    round: Round,
    zone: &TimeZone,
) -> Result<i64, Fault> {
    let now = Timestamp::from_microsecond(now).map_err(|_| Fault::OutOfRange)?;
    let mut time = now.to_zoned(zone.clone());
    while let Some(sign) = math.chars().next() {
        math = &math[sign.len_utf8()..];
        if sign == '/' {
            // Rounding comes last: nothing may follow its unit.
            let [unit] = math.as_bytes() else {
                return Err(Fault::Syntax);
            };
            time = rounded(&time, *unit, round)?;
            break;
        }
        let digits = math.bytes().take_while(u8::is_ascii_digit).count();
        let (count, rest) = math.split_at(digits);
        let unit = *rest.as_bytes().first().ok_or(Fault::Syntax)?;
        math = rest.get(1..).ok_or(Fault::Syntax)?;
        if count.is_empty() || !b"smhdwMy".contains(&unit) {
            return Err(Fault::Syntax);
        }
        let span = count.parse().ok().and_then(|count| span(count, unit));
        let span = span.ok_or(Fault::OutOfRange)?;
        time = match sign {
            '+' => time.checked_add(span),
            '-' => time.checked_sub(span),
            _ => return Err(Fault::Syntax),
        }
        .map_err(|_| Fault::OutOfRange)?;
    }
    Ok(time.timestamp().as_microsecond())
}

/// The start of the unit that `time` lies in, or for [`Round::Up`] of the one after it.
fn rounded(time: &Zoned, unit: u8, round: Round) -> Result<Zoned, Fault> {
    let start = match unit {
        b's' => time.with().subsec_nanosecond(0).build(),
        b'm' => time.with().subsec_nanosecond(0).second(0).build(),
        b'h' => {
            let hour = time.with().subsec_nanosecond(0).second(0).minute(0);
            hour.build()
        }
        b'd' => time.start_of_day(),
        // A week begins on Monday, as in Elasticsearch.
        b'w' => {
            let days = i64::from(time.weekday().to_monday_zero_offset());
            let day = time.start_of_day();
            day.and_then(|day| day.checked_sub(days.days()))
        }
        b'M' => time.first_of_month().and_then(|day| day.start_of_day()),
        b'y' => time.first_of_year().and_then(|day| day.start_of_day()),
        _ => return Err(Fault::Syntax),
    };
    let start = start.map_err(|_| Fault::OutOfRange)?;
    match round {
        Round::Down => Ok(start),
        Round::Up => {
            let next = span(1, unit).map(|one| start.checked_add(one));
            next.and_then(Result::ok).ok_or(Fault::OutOfRange)
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}
