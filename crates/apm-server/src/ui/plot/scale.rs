//! From a value to its place: shares of the plot's width, linear or logarithmic.

/// A horizontal axis. Values outside are clamped to its edges, so that a mark never leaves the plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    Linear {
        from: f64,
        to: f64,
    },
    /// Both ends above zero.
    Log {
        from: f64,
        to: f64,
    },
}

impl Scale {
    pub(crate) fn linear(from: f64, to: f64) -> Self {
        Self::Linear {
            from,
            to: if to > from { to } else { from + 1.0 },
        }
    }

    pub(crate) fn log(from: f64, to: f64) -> Self {
        let from = from.max(f64::MIN_POSITIVE);
        Self::Log {
            from,
            to: if to > from { to } else { from * 10.0 },
        }
    }

    pub(crate) fn ends(self) -> (f64, f64) {
        match self {
            Self::Linear { from, to } | Self::Log { from, to } => (from, to),
        }
    }

    /// The share 0 … 1 at which `value` lies.
    pub(crate) fn place(self, value: f64) -> f64 {
        let share = match self {
            Self::Linear { from, to } => (value - from) / (to - from),
            // Zero has no logarithm: it stands at the left edge.
            Self::Log { from, to } => (value.max(f64::MIN_POSITIVE) / from).ln() / (to / from).ln(),
        };
        if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

/// A vertical axis: values to distances from the top of a plot of `height`, with `room` left free above.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Height {
    /// At the bottom: zero, unless there are values below it.
    pub(crate) least: f64,
    pub(crate) max: f64,
    pub(crate) height: f64,
    pub(crate) room: f64,
}

impl Height {
    pub(crate) fn y(self, value: f64) -> f64 {
        // The halves, as the whole may be beyond the largest number.
        let half = |to: f64| to / 2.0 - self.least / 2.0;
        let share = if self.max > self.least {
            (half(value) / half(self.max)).clamp(0.0, 1.0)
        } else {
            0.0
        };
        self.height - share * (self.height - self.room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_shares_of_the_plot() {
        let linear = Scale::linear(10.0, 30.0);
        for (value, want) in [
            (10.0, 0.0),
            (20.0, 0.5),
            (30.0, 1.0),
            (99.0, 1.0),
            (-5.0, 0.0),
            (f64::NAN, 0.0),
        ] {
            assert_eq!(linear.place(value), want, "{value}");
        }
        let log = Scale::log(1.0, 10_000.0);
        for (value, want) in [(1.0, 0.0), (100.0, 0.5), (10_000.0, 1.0), (0.0, 0.0)] {
            assert!((log.place(value) - want).abs() < 1e-12, "{value}");
        }
    }

    #[test]
    fn an_empty_domain_is_widened_instead_of_dividing_by_zero() {
        assert_eq!(Scale::linear(5.0, 5.0).place(5.0), 0.0);
        assert_eq!(Scale::log(5.0, 5.0).ends(), (5.0, 50.0));
        assert_eq!(
            Height {
                least: 0.0,
                max: 0.0,
                height: 100.0,
                room: 8.0
            }
            .y(3.0),
            100.0
        );
    }

    #[test]
    fn heights_grow_upwards_and_keep_their_room() {
        let height = Height {
            least: 0.0,
            max: 80.0,
            height: 172.0,
            room: 8.0,
        };
        for (value, want) in [(0.0, 172.0), (40.0, 90.0), (80.0, 8.0), (500.0, 8.0)] {
            assert_eq!(height.y(value), want);
        }
    }

    #[test]
    fn values_below_zero_have_their_place() {
        let height = |least, max| Height {
            least,
            max,
            height: 100.0,
            room: 0.0,
        };
        for (value, want) in [(-50.0, 100.0), (-25.0, 75.0), (0.0, 50.0), (50.0, 0.0)] {
            assert_eq!(height(-50.0, 50.0).y(value), want);
        }
        assert_eq!(height(-f64::MAX, f64::MAX).y(0.0), 50.0);
    }
}
