//! The writing of points in time: the time of day, the date only when it is not today, and how long ago it was.
//!
//! Instants are microseconds since 1970 (UTC). The zone is the reader's where the browser told it, else the server's.

use jiff::{Timestamp, Zoned, tz::TimeZone};
use maud::{Markup, html};

use super::number::{NARROW, grouped};

/// Microseconds since 1970-01-01T00:00:00Z.
pub(crate) type Micros = i64;

/// The present and the zone of one page: every time on it is written against the same two.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    pub(crate) now: Micros,
    pub(crate) zone: TimeZone,
}

impl Clock {
    /// The zone by its IANA name, as a browser sends it; anything unknown means the server's own.
    pub(crate) fn new(now: Micros, zone_name: Option<&str>) -> Self {
        let zone = zone_name
            .and_then(|name| TimeZone::get(name).ok())
            .unwrap_or_else(TimeZone::system);
        Self { now, zone }
    }

    pub(crate) fn zoned(&self, at: Micros) -> Zoned {
        // Telemetry can carry any number; what jiff cannot hold is shown at the edge of what it can.
        let at = at.clamp(
            Timestamp::MIN.as_microsecond(),
            Timestamp::MAX.as_microsecond(),
        );
        Timestamp::from_microsecond(at)
            .unwrap_or(Timestamp::UNIX_EPOCH)
            .to_zoned(self.zone.clone())
    }

    /// A time of day, with its date where it is not today, and the year where it is not this one.
    fn write(&self, at: Micros, time: &str) -> String {
        let is_today = self.zoned(at).date() == self.zoned(self.now).date();
        self.dated(at, time, !is_today)
    }

    /// A time of day, with its date where that is asked for, and the year where it is not this one.
    fn dated(&self, at: Micros, time: &str, has_date: bool) -> String {
        let (at, now) = (self.zoned(at), self.zoned(self.now));
        let date = match has_date {
            false => "",
            true if at.year() == now.year() => "%-d %b ",
            true => "%-d %b %Y ",
        };
        at.strftime(&format!("{date}{time}")).to_string()
    }

    /// `13:45–14:00`, `21 Nov 13:45–14:00`, or `21 Nov 23:50–22 Nov 00:05`: the day once where it is one, else both.
    pub(crate) fn minutes(&self, from: Micros, to: Micros) -> String {
        let day = |at: Micros| self.zoned(at).date();
        if day(from) == day(to) {
            return format!("{}–{}", self.minute(from), self.dated(to, "%H:%M", false));
        }
        let both = [from, to].map(|at| self.dated(at, "%H:%M", true));
        both.join("–")
    }

    /// The zone in a few letters: `UTC`, `CET`.
    pub(crate) fn zone_name(&self) -> String {
        self.zoned(self.now).strftime("%Z").to_string()
    }

    /// `13:59`, `21 Nov 13:59`, or `21 Nov 2025 13:59`.
    pub(crate) fn minute(&self, at: Micros) -> String {
        self.write(at, "%H:%M")
    }

    /// The same with seconds: `13:59:21`.
    pub(crate) fn second(&self, at: Micros) -> String {
        self.write(at, "%H:%M:%S")
    }

    /// The same with milliseconds: `13:59:21.482`.
    pub(crate) fn milli(&self, at: Micros) -> String {
        self.write(at, "%H:%M:%S.%3f")
    }

    /// `now`, `26 s ago`, `2 min ago`, `3 h ago`, `4 days ago`; `in 5 s` for a sender whose clock runs ahead.
    pub(crate) fn ago(&self, at: Micros) -> String {
        let micros = self.now.saturating_sub(at);
        let seconds = micros.unsigned_abs() / 1_000_000;
        let text = match seconds {
            0..2 => return "now".to_owned(),
            2..120 => format!("{seconds}{NARROW}s"),
            120..7_200 => format!("{}{NARROW}min", seconds / 60),
            7_200..172_800 => format!("{}{NARROW}h", seconds / 3_600),
            _ => format!("{} days", grouped(seconds / 86_400)),
        };
        if micros > 0 {
            format!("{text} ago")
        } else {
            format!("in {text}")
        }
    }

    /// RFC 3339 in UTC with milliseconds, for `datetime` attributes and documents.
    pub(crate) fn rfc3339(at: Micros) -> String {
        let at = at.clamp(
            Timestamp::MIN.as_microsecond(),
            Timestamp::MAX.as_microsecond(),
        );
        format!(
            "{:.3}",
            Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
        )
    }

    /// The time to the millisecond, and how long ago that was.
    pub(crate) fn stamp(&self, at: Micros) -> Markup {
        html! { time datetime=(Self::rfc3339(at)) { (self.milli(at)) } " " span.dim { (self.ago(at)) } }
    }

    /// Only how long ago; the time itself on hover.
    pub(crate) fn relative(&self, at: Micros) -> Markup {
        html! { time datetime=(Self::rfc3339(at)) title=(self.milli(at)) { (self.ago(at)) } }
    }
}

/// A length of time in words: `15 min`, `1 h`, `2 days`.
pub(crate) fn span_words(us: Micros) -> String {
    let seconds = (us.max(0) + 500_000) / 1_000_000;
    match seconds {
        1..3_600 if seconds % 60 == 0 => format!("{}{NARROW}min", seconds / 60),
        0..120 => format!("{seconds}{NARROW}s"),
        120..3_600 => format!("{}{NARROW}min", (seconds + 30) / 60),
        3_600..172_800 if seconds % 3_600 == 0 || seconds > 36_000 => {
            format!("{}{NARROW}h", (seconds + 1_800) / 3_600)
        }
        3_600..172_800 => match (seconds + 30) / 60 {
            minutes if minutes % 60 == 0 => format!("{}{NARROW}h", minutes / 60),
            minutes => format!("{}{NARROW}h {}{NARROW}min", minutes / 60, minutes % 60),
        },
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Micros = 1_795_348_800_000_000; // 2026-11-22T12:00:00Z
    const SECOND: Micros = 1_000_000;

    fn clock() -> Clock {
        Clock {
            now: NOON,
            zone: TimeZone::UTC,
        }
    }

    #[test]
    fn the_date_is_written_only_when_it_is_not_today() {
        assert_eq!(clock().milli(NOON - 38_518_000), "11:59:21.482");
        assert_eq!(clock().minute(NOON - 13 * 3_600 * SECOND), "21 Nov 23:00");
        assert_eq!(
            Clock::rfc3339(NOON - 38_518_000),
            "2026-11-22T11:59:21.482Z"
        );
    }

    #[test]
    fn a_stretch_has_its_day_once_and_two_days_where_it_goes_over_midnight() {
        const HOUR: Micros = 3_600 * SECOND;
        let midnight = NOON - 12 * HOUR;
        for (from, to, want) in [
            (NOON - HOUR, NOON, "11:00–12:00"),
            (midnight - 2 * HOUR, midnight - HOUR, "21 Nov 22:00–23:00"),
            (
                midnight - HOUR,
                midnight + HOUR,
                "21 Nov 23:00–22 Nov 01:00",
            ),
            (
                midnight - 365 * 24 * HOUR,
                midnight - 364 * 24 * HOUR,
                "22 Nov 2025 00:00–23 Nov 2025 00:00",
            ),
        ] {
            assert_eq!(clock().minutes(from, to), want);
        }
    }

    #[test]
    fn how_long_ago_is_one_number_with_one_unit() {
        for (before, want) in [
            (0, "now"),
            (SECOND, "now"),
            (26 * SECOND, "26 s ago"),
            (150 * SECOND, "2 min ago"),
            (3 * 3_600 * SECOND, "3 h ago"),
            (4 * 86_400 * SECOND, "4 days ago"),
            (-5 * SECOND, "in 5 s"),
        ] {
            assert_eq!(clock().ago(NOON - before).replace(NARROW, " "), want);
        }
    }

    #[test]
    fn times_that_no_calendar_holds_do_not_panic() {
        for at in [Micros::MIN, Micros::MAX] {
            assert!(!clock().milli(at).is_empty());
            assert!(!Clock::rfc3339(at).is_empty());
            assert!(!clock().ago(at).is_empty());
        }
    }

    #[test]
    fn an_unknown_zone_falls_back_to_the_server() {
        assert_eq!(
            Clock::new(NOON, Some("Not/A_Zone")).zone,
            TimeZone::system()
        );
    }

    #[test]
    fn lengths_are_words() {
        for (seconds, want) in [
            (30, "30 s"),
            (900, "15 min"),
            (3_600, "1 h"),
            (5_400, "1 h 30 min"),
            (3_605, "1 h"),
            (7_199, "2 h"),
            (86_400, "24 h"),
            (604_800, "7 days"),
        ] {
            assert_eq!(span_words(seconds * SECOND).replace(NARROW, " "), want);
        }
    }
}
