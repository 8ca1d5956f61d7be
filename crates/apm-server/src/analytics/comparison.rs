//! The earlier window that an answer is compared with.

use apm_time::{Range, SECOND};

use super::window::Window;

const DAY: i64 = 86_400 * SECOND;
const WEEK: i64 = 7 * DAY;

/// The earlier window that a page compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// The window of the same length just before.
    Previous,
    /// The same window a day before.
    Day,
    /// The same window a week before.
    Week,
}

impl Comparison {
    /// The value of the parameter `cmp`; `None` for an unknown word.
    #[must_use]
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "previous" => Some(Self::Previous),
            "day" => Some(Self::Day),
            "week" => Some(Self::Week),
            _ => None,
        }
    }

    /// The word in the address.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// The comparisons that may be chosen for a range: never a window that overlaps it.
    #[must_use]
    pub(crate) fn options(range: Range) -> &'static [Self] {
        match range.micros() {
            length if length <= DAY => &[Self::Previous, Self::Day, Self::Week],
            length if length <= WEEK => &[Self::Previous, Self::Week],
            _ => &[Self::Previous],
        }
    }

    /// The window to compare with.
    #[must_use]
    pub(crate) fn window(self, window: &Window) -> Window {
        window.shifted_back(match self {
            Self::Previous => window.range.micros(),
            Self::Day => DAY,
            Self::Week => WEEK,
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
                let then = option.window(&now);
                assert_eq!(then.range.micros(), now.range.micros());
                assert!(then.range.to <= now.range.from, "{option:?} {length}");
                assert_eq!(Comparison::parse(option.as_str()), Some(*option));
            }
        }
        assert_eq!(Comparison::parse("month"), None);
    }
}
