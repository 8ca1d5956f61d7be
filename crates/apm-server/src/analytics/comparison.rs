//! Then and now: which earlier window to compare with, and what the difference is.

use apm_time::{Range, SECOND};
use serde::Serialize;

use super::window::Window;

const DAY: i64 = 86_400 * SECOND;
const WEEK: i64 = 7 * DAY;

/// With fewer values than this on either side a difference says nothing: it is drawn grey.
pub const FEWEST: f64 = 10.0;

/// The earlier window that a page compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The window of the same length just before.
    Previous,
    /// The same window a day before.
    Day,
    /// The same window a week before.
    Week,
}

impl Comparison {
    /// The value of the parameter `cmp`; `None` for a word that is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "previous" => Some(Self::Previous),
            "day" => Some(Self::Day),
            "week" => Some(Self::Week),
            _ => None,
        }
    }

    /// The word in the address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// What may be chosen for a range: never a window that overlaps it.
    #[must_use]
    pub fn options(range: Range) -> &'static [Self] {
        match range.micros() {
            length if length <= DAY => &[Self::Previous, Self::Day, Self::Week],
            length if length <= WEEK => &[Self::Previous, Self::Week],
            _ => &[Self::Previous],
        }
    }

    /// The window to compare with.
    #[must_use]
    pub fn of(self, window: &Window) -> Window {
        window.shifted_back(match self {
            Self::Previous => window.range.micros(),
            Self::Day => DAY,
            Self::Week => WEEK,
        })
    }
}

/// A relative change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Delta {
    /// `now / then − 1`: 0.12 is +12 %.
    pub change: f64,
    /// Whether both sides have enough values to mean it.
    pub solid: bool,
}

impl Delta {
    /// The change from `then` to `now`, each a value and from how many values it was made. Nothing where
    /// there is no value, or where it grew from zero.
    #[must_use]
    pub fn new(now: (Option<f64>, f64), then: (Option<f64>, f64)) -> Option<Self> {
        let (value, before) = (now.0?, then.0?);
        (before > 0.0).then(|| Self {
            change: value / before - 1.0,
            solid: now.1 >= FEWEST && then.1 >= FEWEST,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(length: i64) -> Window {
        let to = 20_000 * DAY;
        Window::new(
            Range {
                from: to - length,
                to,
            },
            to,
        )
    }

    #[test]
    fn longer_ranges_have_fewer_options() {
        let count = |length| Comparison::options(window(length).asked).len();
        assert_eq!(
            [count(DAY), count(DAY + 1), count(WEEK), count(WEEK + 1)],
            [3, 2, 2, 1]
        );
    }

    #[test]
    fn the_earlier_window_has_the_same_length_and_does_not_overlap() {
        for length in [60 * SECOND, DAY, WEEK] {
            let now = window(length);
            for option in Comparison::options(now.asked) {
                let then = option.of(&now);
                assert_eq!(then.range.micros(), now.range.micros());
                assert!(then.range.to <= now.range.from, "{option:?} {length}");
                assert_eq!(Comparison::parse(option.as_str()), Some(*option));
            }
        }
        assert_eq!(Comparison::parse("month"), None);
    }

    #[test]
    fn a_change_is_relative_and_needs_ten_values_on_each_side() {
        let delta = Delta::new((Some(112.0), 10.0), (Some(100.0), 10.0)).unwrap();
        assert!((delta.change - 0.12).abs() < 1e-9 && delta.solid);
        assert!(
            !Delta::new((Some(1.0), 9.0), (Some(2.0), 50.0))
                .unwrap()
                .solid
        );
        assert_eq!(Delta::new((Some(1.0), 99.0), (Some(0.0), 99.0)), None);
        assert_eq!(Delta::new((None, 0.0), (Some(1.0), 99.0)), None);
    }
}
