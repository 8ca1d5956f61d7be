//! Sentences about numbers: how much longer, how much more. They say what was measured and guess no causes.

use super::moment::Micros;
use super::number::{Delta, FIRM, NARROW, grouped};
use super::view::View;
use crate::analytics::comparison::Comparison;

/// A length of time within a sentence: `15 minutes`, `hour`, `6 hours`, `7 days`.
pub(crate) fn length(us: Micros) -> String {
    let minutes = (us + 30_000_000) / 60_000_000;
    let plural = |n: i64, unit: &str| {
        if n == 1 {
            unit.to_owned()
        } else {
            format!("{n} {unit}s")
        }
    };
    // Rounded only where that is little of the whole: 90 minutes are not 2 hours, and 60 hours not 3 days.
    match minutes {
        60..600 if minutes % 60 == 0 => plural(minutes / 60, "hour"),
        ..600 => plural(minutes.max(1), "minute"),
        2_880..14_400 if minutes % 1_440 == 0 => plural(minutes / 1_440, "day"),
        600..14_400 => plural((minutes + 30) / 60, "hour"),
        _ => plural((minutes + 720) / 1_440, "day"),
    }
}

/// The first characters of the id of a trace, as people say it.
pub(crate) fn short_trace(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// `in the 15 minutes before`, `the day before`; nothing without a comparison.
pub(crate) fn before(view: &View) -> Option<String> {
    Some(match view.comparison()? {
        Comparison::Previous => format!("in the {} before", length(view.range.micros())),
        Comparison::Day => "the day before".to_owned(),
        Comparison::Week => "the week before".to_owned(),
    })
}

/// The name of an environment in a row where others have another.
pub(crate) fn environment(name: &str) -> String {
    match name {
        "" => "no environment".to_owned(),
        name => cut(name, 30),
    }
}

/// Words for the environments of a row: the first two of them.
pub(crate) fn environments(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(2).map(|name| environment(name)).collect();
    if names.len() > 2 {
        shown.push(format!("{} more", names.len() - 2));
    }
    shown.join(", ")
}

/// Whether the environments of rows differ, so that each row has to name its own.
pub(crate) fn are_several<'a>(mut names: impl Iterator<Item = &'a String>) -> bool {
    names
        .next()
        .is_some_and(|first| names.any(|name| name != first))
}

/// The reason for which a search has not looked at all events, and the remedy.
pub(crate) const STOPPED: &str =
    "The search stopped after two seconds. Choose a shorter range to search all of it.";

/// The words of a search that stopped before it found anything.
pub(crate) fn none_yet(noun: &str, within: &str) -> String {
    format!("The search stopped before it found a {noun} {within}.")
}

/// `in the last 15 minutes`, or `between 13:45 and 14:00`.
pub(crate) fn range(view: &View) -> String {
    if view.ends_now()
        && view
            .param("from")
            .is_none_or(|from| from.starts_with("now-"))
    {
        return format!("in the last {}", length(view.range.micros()));
    }
    format!(
        "between {} and {}",
        view.clock.minute(view.range.from),
        view.clock.minute(view.range.to)
    )
}

/// A change, to go on a sentence with: `, 3 times as long as in the 15 minutes before`. Nothing where it is not known.
///
/// `ratio`: the duration now / before.
pub(crate) fn longer(change: Delta, ratio: Option<f64>, view: &View) -> Option<String> {
    let before = before(view)?;
    match change {
        Delta::Same => Some(format!(", about as {before}")),
        Delta::Changed { percent } if percent.abs() < FIRM => Some(format!(", about as {before}")),
        Delta::Changed { percent } if percent >= 100 => {
            Some(format!(", {} times as long as {before}", times(ratio?)))
        }
        Delta::Changed { percent } if percent > 0 => {
            Some(format!(", {percent}{NARROW}% longer than {before}"))
        }
        Delta::Changed { percent } => Some(format!(", {}{NARROW}% less than {before}", -percent)),
        _ => None,
    }
}

/// The reason why a sentence compares nothing, where a comparison is asked for.
pub(crate) fn uncompared(change: Delta, view: &View) -> Option<&'static str> {
    view.comparison()?;
    Some(match change {
        Delta::NoEarlierData => "There is no earlier data to compare with.",
        Delta::TooFew => "There are too few requests to compare with earlier ones.",
        Delta::OtherRequests => "Most requests are of kinds that did not occur before.",
        _ => return None,
    })
}

/// A rate within a sentence: `1 error per minute`, `0.4 errors per minute`.
pub(crate) fn per_minute(rate: f64, one: &str, many: &str) -> String {
    let figure = super::number::rate(rate);
    let noun = if figure == "1" { one } else { many };
    format!("{figure} {noun} per minute")
}

/// `2.4`, `3`, `12`: one decimal below three, where it says something.
pub(crate) fn times(ratio: f64) -> String {
    let text = if ratio < 2.95 {
        format!("{ratio:.1}")
    } else {
        grouped(ratio.round() as u64)
    };
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// `1 service`, `4 services`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{} {many}", grouped(n))
    }
}

/// `once`, `4 times`.
pub(crate) fn often(n: u64) -> String {
    if n == 1 {
        "once".to_owned()
    } else {
        count(n, "time", "times")
    }
}

/// `All 4 services`; of a single one, no number.
pub(crate) fn all(n: u64, many: &str) -> String {
    if n == 1 {
        format!("All {many}")
    } else {
        format!("All {} {many}", grouped(n))
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Some names of more: `a, b and 3 others`.
pub(crate) fn list_of(names: &[&str], total: usize, (one, many): (&str, &str)) -> String {
    if total <= names.len() {
        return list(names);
    }
    let others = count((total - names.len()) as u64, one, many);
    list(&[names, &[&*others]].concat())
}

/// Telemetry in a sentence: cut, so that one name does not fill the page.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or("").trim();
    if line.chars().count() <= most {
        line.to_owned()
    } else {
        format!(
            "{}…",
            line.chars().take(most - 1).collect::<String>().trim_end()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::number::delta;

    #[test]
    fn lengths_and_ranges_are_words() {
        for (query, want) in [
            ("", "in the last 15 minutes"),
            ("from=now-1h", "in the last hour"),
            ("from=now-90m", "in the last 90 minutes"),
            ("from=now-1d", "in the last 24 hours"),
            ("from=now-60h", "in the last 60 hours"),
            ("from=now-2d", "in the last 2 days"),
            ("from=now-7d", "in the last 7 days"),
            (
                "from=2026-11-22T10:00:00Z&to=2026-11-22T10:30:00Z",
                "between 10:00 and 10:30",
            ),
        ] {
            assert_eq!(range(&View::test("/", query)), want);
        }
        assert_eq!(
            before(&View::test("/", "")).unwrap(),
            "in the 15 minutes before"
        );
        assert_eq!(
            before(&View::test("/", "cmp=week")).unwrap(),
            "the week before"
        );
        assert_eq!(before(&View::test("/", "cmp=off")), None);
    }

    #[test]
    fn a_change_is_said_only_as_firmly_as_it_is_known() {
        let view = View::test("/", "");
        let say = |now: f64, then: f64| {
            let change = delta(Some(now), Some(then), (99, 99));
            longer(change, Some(now / then), &view)
                .unwrap_or_default()
                .replace(NARROW, " ")
        };
        for (now, then, want) in [
            (47.7, 15.7, ", 3 times as long as in the 15 minutes before"),
            (
                24.0,
                10.0,
                ", 2.4 times as long as in the 15 minutes before",
            ),
            (14.1, 10.0, ", 41 % longer than in the 15 minutes before"),
            (6.2, 10.0, ", 38 % less than in the 15 minutes before"),
            (10.2, 10.0, ", about as in the 15 minutes before"),
            (10.7, 10.0, ", about as in the 15 minutes before"),
        ] {
            assert_eq!(say(now, then), want);
        }
        assert_eq!(longer(Delta::TooFew, Some(9.0), &view), None);
        assert!(uncompared(Delta::TooFew, &view).is_some());
        assert_eq!(uncompared(Delta::Same, &view), None);
        assert_eq!(uncompared(Delta::TooFew, &View::test("/", "cmp=off")), None);
        assert_eq!(per_minute(1.0, "error", "errors"), "1 error per minute");
    }

    #[test]
    fn names_are_joined_and_cut() {
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(cut("one\ntwo", 10), "one");
        assert_eq!(cut("abcdefghij", 5), "abcd…");
        assert_eq!(count(1, "service", "services"), "1 service");
        assert_eq!([often(1), often(2)], ["once", "2 times"]);
        assert_eq!(
            [all(1, "services"), all(4, "services")],
            ["All services", "All 4 services"]
        );
        assert_eq!(times(2.0), "2");
    }
}
