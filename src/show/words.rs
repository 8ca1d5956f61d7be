//! Values of CSV as a person reads them in a terminal.

use apm_server::terminal::plain;

use crate::terminal::words::duration;

/// A number of CSV in the unit that the name of its column ends in.
pub(super) fn cell(column: &str, value: &str) -> String {
    let unit = |suffix: &str| column.ends_with(suffix);
    match value.parse::<f64>() {
        // `saving_us_per_minute` has it in the middle.
        Ok(number) if column.contains("_us") => duration(number),
        Ok(number) if unit("_rate") || unit("share") || unit("impact") => {
            format!("{:.1} %", number * 100.0)
        }
        Ok(number) if number.fract() != 0.0 => format!("{number:.1}"),
        // Seconds are enough: `2026-01-31 12:00:00`.
        _ if unit("_utc") => value.get(..19).unwrap_or(value).replace('T', " "),
        _ => plain(value),
    }
}

/// Whether a column holds numbers, which are aligned to the right.
pub(super) fn is_number(column: &str) -> bool {
    !matches!(
        column,
        "service"
            | "environments"
            | "transaction"
            | "statement"
            | "fingerprint"
            | "type"
            | "message"
            | "culprit"
            | "entry"
            | "result"
            | "trace_id"
            | "dependency"
            | "subtype"
            | "title"
            | "remedy"
    ) && !column.ends_with("_utc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_unit_that_their_column_names() {
        for (column, value, shown) in [
            ("latency_avg_us", "870.4", "870 µs"),
            ("latency_p95_us", "12345", "12.3 ms"),
            ("total_us", "951979", "952 ms"),
            ("total_us", "61000000", "1.0 min"),
            ("total_us", "7200000000", "2.0 h"),
            ("saving_us_per_minute", "1500", "1.5 ms"),
            ("failed_rate", "0.0198", "2.0 %"),
            ("share", "1", "100.0 %"),
            ("throughput_per_minute", "4.1930116", "4.2"),
            ("calls", "2074", "2074"),
            (
                "last_seen_utc",
                "2026-11-29T11:07:51.719501Z",
                "2026-11-29 11:07:51",
            ),
            ("calls_per_request", "", ""),
            (
                "service",
                "a\u{1b}[31mb\nc\u{202e}d",
                "a\u{fffd}[31mb c\u{fffd}d",
            ),
        ] {
            assert_eq!(cell(column, value), shown, "{column}");
        }
    }
}
