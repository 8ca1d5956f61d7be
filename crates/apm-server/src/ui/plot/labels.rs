//! Numbers without a unit that we know: labels of ticks, and values of metrics.

use crate::ui::number::{compact, grouped, without_zeros};

/// From here on a number is written with its power of ten: `1.7e300` stays in its place.
const LARGE: f64 = 1e15;

/// Below this a number is written with its power of ten too.
const SMALL: f64 = 1e-6;

/// The label of a tick on a value axis: no more digits than its step needs, `k` and `M` from 10,000 on.
pub(crate) fn value_label(value: f64) -> String {
    if value < 0.0 {
        return format!("\u{2212}{}", value_label(-value));
    }
    if value >= LARGE {
        return format!("{value:.1e}");
    }
    if value.fract() == 0.0 {
        let value = value.max(0.0) as u64;
        if value >= 10_000 && value.is_multiple_of(1_000) {
            let text = if value.is_multiple_of(1_000_000) {
                format!("{}M", grouped(value / 1_000_000))
            } else {
                format!("{}k", grouped(value / 1_000))
            };
            return text;
        }
        return if value >= 10_000 {
            compact(value)
        } else {
            grouped(value)
        };
    }
    if value < SMALL {
        return format!("{value:.1e}");
    }
    // Below a tenth, four places after the point would leave fewer than three digits.
    let places = if value < 0.1 { places(value) } else { 4 };
    without_zeros(&format!("{value:.places$}"))
}

/// A number with three significant digits, or as a whole number where it has more before its point.
pub(crate) fn plain(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || value.fract() == 0.0 || size < SMALL {
        return value_label(value);
    }
    if size >= 100.0 {
        return value_label(value.round());
    }
    let places = places(size);
    let text = without_zeros(&format!("{size:.places$}"));
    match value < 0.0 {
        true => format!("\u{2212}{text}"),
        false => text,
    }
}

/// Places after the point for three significant digits of a number from [`SMALL`] to a hundred.
fn places(value: f64) -> usize {
    // 9.996 is 10.0: what counts is the number when it is rounded.
    let rounded = value * 1.0005;
    (2.0 - rounded.log10().floor()).max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_no_digit_too_many() {
        for (value, want) in [
            (0.0, "0"),
            (2.5, "2.5"),
            (1_000.0, "1,000"),
            (20_000.0, "20k"),
            (200_000.0, "200k"),
            (1_500_000.0, "1,500k"),
            (3_000_000.0, "3M"),
            (0.05, "0.05"),
            (-2.5, "\u{2212}2.5"),
            (1.7e300, "1.7e300"),
            (0.000_25, "0.00025"),
            (2.5e-9, "2.5e-9"),
        ] {
            assert_eq!(value_label(value), want);
        }
    }

    #[test]
    fn a_number_of_a_metric_has_three_significant_digits() {
        for (value, want) in [
            (0.0, "0"),
            (1.0 / 60.0, "0.0167"),
            (2.0 / 3.0, "0.667"),
            (0.000_012_345, "0.0000123"),
            (1.234_567, "1.23"),
            (9.996, "10"),
            (31.0, "31"),
            (31.26, "31.3"),
            (99.96, "100"),
            (123.456_7, "123"),
            (9_999.5, "10k"),
            (12_345.678, "12.3k"),
            (-0.016_667, "\u{2212}0.0167"),
            (3.2e-8, "3.2e-8"),
            (1.7e300, "1.7e300"),
        ] {
            assert_eq!(plain(value), want, "{value}");
        }
    }
}
