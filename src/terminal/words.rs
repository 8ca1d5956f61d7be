//! Values as a person reads them in a terminal.

/// A duration in µs, with two figures or more.
pub(crate) fn duration(us: f64) -> String {
    // The bounds are those of the rounded numbers: 999.7 µs are 1.0 ms, not 1000 µs.
    match us {
        us if us < 999.5 => format!("{us:.0} µs"),
        us if us < 99_950.0 => format!("{:.1} ms", us / 1e3),
        us if us < 999_500.0 => format!("{:.0} ms", us / 1e3),
        us if us < 59_950_000.0 => format!("{:.1} s", us / 1e6),
        us if us < 3_597_000_000.0 => format!("{:.1} min", us / 6e7),
        us => format!("{:.1} h", us / 3.6e9),
    }
}

/// At most `most` characters, the last one an ellipsis where there are more.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text
            .chars()
            .take(most.saturating_sub(1))
            .chain(['…'])
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_the_unit_that_fits_its_rounded_figure() {
        for (us, shown) in [
            (870.4, "870 µs"),
            (999.7, "1.0 ms"),
            (12_345.0, "12.3 ms"),
            (99_960.0, "100 ms"),
            (951_979.0, "952 ms"),
            (999_700.0, "1.0 s"),
            (59_960_000.0, "1.0 min"),
            (61_000_000.0, "1.0 min"),
            (3_598_000_000.0, "1.0 h"),
            (7_200_000_000.0, "2.0 h"),
        ] {
            assert_eq!(duration(us), shown);
        }
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis() {
        assert_eq!(cut("größe", 5), "größe");
        assert_eq!(cut("größer", 5), "größ…");
    }
}
