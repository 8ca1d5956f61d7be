//! The time of an event: as text in the forms of RFC 3339 that Elastic's server reads, and what becomes of one that
//! cannot be.

use std::ops::Range;
use std::str::FromStr;

use apm_store::event::Batch;
use jiff::civil::{DateTime, date};

use super::fields::Fields;
use super::schema::Slot;
use crate::limits;

/// 2001-09-09, µs since the epoch. Earlier times come from clocks that were never set, and from seconds, milliseconds
/// and negative numbers in the place of microseconds.
const FIRST: i64 = 1_000_000_000_000_000;
/// A clock may be ahead of ours by this time, µs: a day. Later times come from nanoseconds, too.
const AHEAD: i64 = 24 * 3_600_000_000;

/// Whether an event that came at one time cannot have been at another, µs since the epoch.
pub(crate) fn cannot_be(sent: i64, received: i64) -> bool {
    sent < FIRST || sent > received.saturating_add(AHEAD)
}

/// Whether the time that an event was sent with cannot be.
pub(super) fn is_wrong(fields: &Fields<'_>, batch: &Batch) -> bool {
    let sent = fields.int(Slot::Timestamp);
    sent.is_some_and(|sent| cannot_be(sent, batch.received))
}

/// The time of the event that is about to be added, µs since the epoch; nothing where none was sent.
///
/// No range of time that a reader looks at would hold one that cannot be, so the time of arrival stands for it. What
/// was sent stays in the document, and in the batch, for among each other the times of one clock are right.
pub(super) fn settle(fields: &mut Fields<'_>, line: &str, batch: &mut Batch) -> Option<i64> {
    let sent = fields.int(Slot::Timestamp)?;
    Some(match is_wrong(fields, batch) {
        true => arrival(sent, "\"timestamp\"", fields, line, batch),
        false => sent,
    })
}

/// [`settle`] for a span that says how long after its transaction it began, µs, and not when. The transaction is taken
/// to have begun when the span arrived, so a start of more than a day cannot be.
pub(super) fn settle_relative(
    start: i64,
    fields: &mut Fields<'_>,
    line: &str,
    batch: &mut Batch,
) -> i64 {
    let sent = batch.received.saturating_add(start);
    match (-AHEAD..=AHEAD).contains(&start) {
        true => sent,
        false => arrival(sent, "\"start\"", fields, line, batch),
    }
}

/// The time of arrival in the place of one that cannot be. The member that this comes from stays in the document.
fn arrival(sent: i64, key: &str, fields: &mut Fields<'_>, line: &str, batch: &mut Batch) -> i64 {
    let is_it = |start: usize| line.get(start..).is_some_and(|text| text.starts_with(key));
    for member in fields
        .members
        .iter_mut()
        .filter(|member| is_it(member.start))
    {
        member.kept = true;
    }
    let place = u32::try_from(batch.events.len()).expect("a batch is small");
    batch.sent.push((place, sent));
    batch.received
}

/// `2023-11-14T23:13:20.123Z` in µs since the epoch; the offset may also be `+01:00`, `+0100` or `+01`.
pub(super) fn parse(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !separators
        .iter()
        .all(|(at, byte)| bytes.get(*at) == Some(byte))
    {
        return None;
    }
    let time = DateTime::new(
        digits(text, 0..4)?,
        digits(text, 5..7)?,
        digits(text, 8..10)?,
        digits(text, 11..13)?,
        digits(text, 14..16)?,
        // A leap second is the one before it.
        digits::<i8>(text, 17..19)
            .filter(|second| *second <= 60)?
            .min(59),
        0,
    );
    let seconds = time.ok()?.duration_since(date(1970, 1, 1).at(0, 0, 0, 0));
    let (micros, offset) = fraction(&text[19..])?;
    let micros = (seconds.as_secs() - self::offset(offset)?) * 1_000_000 + micros;
    Some(limits::time(micros))
}

/// The microseconds of a fraction of any length, and what follows it.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(text) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let length = text.len() - rest.len();
    // Digits behind the sixth are cut.
    let micros = (0..6).fold(0, |micros, at| {
        let digit = text.as_bytes().get(at).filter(|_| at < length);
        micros * 10 + digit.map_or(0, |digit| i64::from(digit - b'0'))
    });
    (length > 0).then_some((micros, rest))
}

/// The seconds that a time zone is ahead.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits::<i64>(text, 1..3)?;
    let minutes = match text.len() {
        3 => 0,
        5 => digits(text, 3..5)?,
        6 if text.as_bytes()[3] == b':' => digits(text, 4..6)?,
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn digits<T: FromStr>(text: &str, range: Range<usize>) -> Option<T> {
    let digits = text.get(range)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_forms_that_elastic_reads() {
        let wanted = 1_700_003_600_000_000;
        for (text, us) in [
            ("2023-11-14T23:13:20Z", 0),
            ("2023-11-15T00:13:20+01:00", 0),
            ("2023-11-15T00:13:20+0100", 0),
            ("2023-11-15T00:13:20+01", 0),
            ("2023-11-14T17:43:20.5-05:30", 500_000),
            ("2023-11-14T23:13:20.123456Z", 123_456),
            ("2023-11-14T23:13:20.1234567899999999Z", 123_456),
            ("2023-11-14T23:13:20.05+00:00", 50_000),
        ] {
            assert_eq!(parse(text), Some(wanted + us), "{text}");
        }
        assert_eq!(parse("1969-12-31T23:59:59.9Z"), Some(-100_000));
        assert_eq!(parse("2016-12-31T23:59:60Z"), parse("2016-12-31T23:59:59Z"));
        assert_eq!(parse("9999-12-31T23:59:59Z"), Some(limits::time(i64::MAX)));
        assert_eq!(parse("0000-01-01T00:00:00Z"), Some(limits::time(i64::MIN)));
    }

    #[test]
    fn other_forms_are_no_times() {
        for text in [
            "",
            "2023-11-14",
            "2023-11-14 23:13:20Z",
            "2023-11-14t23:13:20Z",
            "2023-11-14T23:13:20z",
            "20231114T231320Z",
            "2023-11-14T23:13Z",
            "2023-11-14T23:13:20",
            "2023-11-14T23:13:20.Z",
            "2023-11-14T23:13:20,5Z",
            "2023-11-14T23:13:20+1",
            "2023-11-14T23:13:20+24:00",
            "2023-11-14T23:13:20+01:60",
            "2023-11-14T23:13:20+01:00[Europe/Berlin]",
            "2023-02-29T00:00:00Z",
            "2023-11-14T24:00:00Z",
            "2023-11-14T23:13:61Z",
            "+023-11-14T23:13:20Z",
            "-009999-11-14T23:13:20Z",
            "2023-11-1éT23:13:20Z",
            "2023-11-14T23:13:2é",
            "2023-11-14T23:13:20é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
