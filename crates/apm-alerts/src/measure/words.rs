//! Numbers in messages.

/// A time in microseconds in words.
pub(super) fn duration(micros: f64) -> String {
    // The bounds are those of the rounded numbers: 999.7 µs are 1.0 ms, not 1000 µs.
    match micros {
        micros if micros < 999.5 => format!("{micros:.0} µs"),
        micros if micros < 9_950.0 => format!("{:.1} ms", micros / 1e3),
        micros if micros < 999_500.0 => format!("{:.0} ms", micros / 1e3),
        micros if micros < 120e6 => format!("{:.1} s", micros / 1e6),
        micros => format!("{:.0} min", micros / 60e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_the_unit_that_fits() {
        for (micros, words) in [
            (12.0, "12 µs"),
            (999.7, "1.0 ms"),
            (9_960.0, "10 ms"),
            (999_700.0, "1.0 s"),
            (1_500.0, "1.5 ms"),
            (250_000.0, "250 ms"),
            (2_500_000.0, "2.5 s"),
            (600e6, "10 min"),
        ] {
            assert_eq!(duration(micros), words);
        }
    }
}
