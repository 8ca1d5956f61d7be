//! Durations, counts and statements as sentences have them.

/// A duration in µs with three significant figures, as in `1.08 ms`.
#[must_use]
pub fn duration_words(micros: f64) -> String {
    // The bounds are where three figures would be rounded up to the next unit.
    let (value, unit) = match micros.abs() {
        us if us < 999.5 => (micros, "µs"),
        us if us < 999_500.0 => (micros / 1e3, "ms"),
        us if us < 599_500_000.0 => (micros / 1e6, "s"),
        us if us < 3_597_000_000.0 => (micros / 6e7, "min"),
        us if us < 172_600_000_000.0 => (micros / 3.6e9, "h"),
        _ => (micros / 8.64e10, "d"),
    };
    let digits = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    // Nothing below a microsecond was measured, but slopes are.
    format!("{value:.digits$} {unit}")
}

/// A count with commas.
#[must_use]
pub fn count_words(count: f64) -> String {
    let digits = format!("{:.0}", count.max(0.0));
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The verb and the table of a statement, in the words of SQL: `SELECT FROM people`.
pub(in crate::insight) fn statement_words(verb: &str, table: &str, normalized: &str) -> String {
    match (verb, table) {
        ("", _) => normalized.chars().take(60).collect(),
        (verb, "") => verb.to_owned(),
        ("SELECT" | "DELETE", table) => format!("{verb} FROM {table}"),
        ("INSERT" | "REPLACE" | "MERGE", table) => format!("{verb} INTO {table}"),
        (verb, table) => format!("{verb} {table}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        for (micros, words) in [
            (0.22, "0.22 µs"),
            (48.0, "48.0 µs"),
            (1_080.0, "1.08 ms"),
            (46_200.0, "46.2 ms"),
            (251_000.0, "251 ms"),
            (1_250_000.0, "1.25 s"),
            (720_000_000.0, "12.0 min"),
            (5_400_000_000.0, "1.50 h"),
            (864_000_000_000.0, "10.0 d"),
        ] {
            assert_eq!(duration_words(micros), words);
        }
        assert_eq!(count_words(1_234_567.0), "1,234,567");
        assert_eq!(count_words(12.4), "12");
    }
}
