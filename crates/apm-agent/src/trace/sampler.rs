//! Head-based sampling: the rate, its text in `tracestate`, and the decision at the root of a trace.
//!
//! A rate has four decimals and is rounded once, when it is configured, so that every agent along a trace
//! and the server compute with the same number.

use std::fmt;

use crate::trace::ids::TraceId;

/// A sampling rate in steps of 0.0001, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SampleRate(u16);

impl SampleRate {
    const STEPS: u16 = 10_000;
    pub(crate) const ALL: Self = Self(Self::STEPS);
    pub(crate) const NONE: Self = Self(0);

    /// Rounds half away from zero to four decimals; a positive rate is never rounded to 0. `None` outside [0, 1].
    pub(crate) fn new(rate: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&rate) {
            return None;
        }
        // Twelve decimals first: in binary 0.00015 is a little less than its half, and would be rounded down.
        let picos = (rate * 1e12).round() as u64;
        let steps = (picos + 50_000_000) / 100_000_000;
        let least = u64::from(rate > 0.0);
        Some(Self(steps.max(least) as u16))
    }

    /// Reads the decimal text of an option or of the `s` value in `tracestate`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // `f64` also reads `inf`, `nan` and `+1`.
        if text.is_empty()
            || !text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-'))
        {
            return None;
        }
        Self::new(text.parse().ok()?)
    }

    pub(crate) fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(Self::STEPS)
    }

    /// Decides for the root of a trace, by the trace's own random bits: no other draw is needed.
    pub(crate) fn samples(self, root: TraceId) -> bool {
        let place = (u128::from(root.low_bits()) * u128::from(Self::STEPS)) >> 64;
        place < u128::from(self.0)
    }
}

/// Without trailing zeros: `1`, `0.5555`, `0`.
impl fmt::Display for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            Self::STEPS => f.write_str("1"),
            steps => {
                let digits = format!("{steps:04}");
                write!(f, "0.{}", digits.trim_end_matches('0'))
            }
        }
    }
}

impl serde::Serialize for SampleRate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => serializer.serialize_u8(0),
            Self::STEPS => serializer.serialize_u8(1),
            _ => serializer.serialize_f64(self.as_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_rounded_to_four_decimals_half_away_from_zero() {
        let table = [
            (0.0, "0"),
            (0.000_01, "0.0001"),
            (0.000_15, "0.0002"),
            (0.1, "0.1"),
            (0.5, "0.5"),
            (0.555_54, "0.5555"),
            (0.555_55, "0.5556"),
            (0.555_56, "0.5556"),
            (0.999_94, "0.9999"),
            (0.999_99, "1"),
            (1.0, "1"),
        ];
        for (rate, text) in table {
            let rounded = SampleRate::new(rate).unwrap();
            assert_eq!(rounded.to_string(), text, "{rate}");
            assert_eq!(serde_json::to_string(&rounded).unwrap(), text);
            assert_eq!(SampleRate::parse(text), Some(rounded));
        }
    }

    #[test]
    fn every_five_decimal_half_is_rounded_up() {
        for step in 0..10_000_u32 {
            let text = format!("0.{step:04}5");
            assert_eq!(
                SampleRate::parse(&text),
                Some(SampleRate(step as u16 + 1)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for bad in [
            "", "1.0001", "-0.1", "nan", "inf", "+1", " 1", "0,5", "half", "1e400",
        ] {
            assert_eq!(SampleRate::parse(bad), None, "{bad:?}");
        }
        assert_eq!(SampleRate::new(f64::NAN), None);
    }

    #[test]
    fn the_share_of_sampled_roots_is_the_rate() {
        fastrand::seed(7);
        for (rate, expected) in [
            (0.0, 0..=0),
            (0.1, 9_000..=11_000),
            (0.5, 48_500..=51_500),
            (1.0, 100_000..=100_000),
        ] {
            let rate = SampleRate::new(rate).unwrap();
            let sampled = (0..100_000)
                .filter(|_| rate.samples(TraceId::random()))
                .count();
            assert!(expected.contains(&sampled), "{rate}: {sampled}");
        }
    }
}
