//! The words about a statement that takes more steps of SQLite as its table grows.

use apm_time::rfc3339;

use crate::insight::finding::{Draft, count_words, duration_words};
use crate::insight::growth::{Forecast, Steps, Trend};
use crate::insight::rules::{Look, RuleError, Statement};

/// The finding by steps. `table`: the one that drives it.
pub(super) fn draft(
    look: &mut Look<'_>,
    (statement, table): (&Statement, &str),
    steps: &Steps,
    trend: &Trend,
) -> Result<Draft, RuleError> {
    let each = count_words(trend.line.per_row * 1_000.0);
    let mut cause = format!(
        "{} took {} steps of SQLite at {} rows and {} at {} rows: it grows {}.",
        statement.short(),
        count_words(trend.steps_min),
        count_words(trend.rows_min),
        count_words(trend.steps_max),
        count_words(trend.rows_max),
        trend.order.words(),
    );
    let micros = steps.micros_per_step.map(|[_, middle, _]| middle);
    let later = trend.at(trend.rows_max * 10.0);
    if let Some(micros) = micros {
        cause.push_str(&format!(
            " That takes {} now; at 10 times the rows it would take about {}.",
            duration_words(trend.steps_max * micros),
            duration_words(later * micros),
        ));
    }
    if let Some(forecast) = &steps.forecast {
        cause.push(' ');
        cause.push_str(&when(forecast));
    }
    let share = super::grown(trend.steps_min, trend.steps_max);
    let mut said = vec![
        ("steps_per_thousand_rows", trend.line.per_row * 1_000.0),
        ("steps", trend.steps_max),
        ("exponent", trend.exponent),
        ("r_squared", trend.line.r_squared),
        ("rows", trend.rows_max),
    ];
    said.extend(micros.map(|micros| ("projected_at_10x", later * micros)));
    said.extend(steps.forecast.map(|forecast| ("forecast", forecast.at)));
    let pace = format!("{each} more steps of SQLite");
    super::draft(look, (statement, table), (&pace, cause), share, &said)
}

/// At today's 4,100 rows a day it takes 100 ms on 2027-03-14.
fn when(forecast: &Forecast) -> String {
    let day = |at: f64| {
        let mut text = rfc3339((at * 1e6) as i64);
        text.truncate(10);
        text
    };
    let until = match forecast.latest {
        Some(latest) => format!("between {} and {}", day(forecast.earliest), day(latest)),
        None => format!("not before {}", day(forecast.earliest)),
    };
    format!(
        "At today's {} rows a day it takes {} on {} ({until}).",
        count_words(forecast.rows_per_day),
        duration_words(forecast.micros),
        day(forecast.at),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_names_the_pace_the_day_and_what_the_data_allows() {
        let day = 86_400.0;
        let mut forecast = Forecast {
            rows_per_day: 4_100.0,
            micros: 100_000.0,
            at: 10.0 * day,
            earliest: 9.0 * day,
            latest: Some(12.0 * day),
        };
        assert_eq!(
            when(&forecast),
            "At today's 4,100 rows a day it takes 100 ms on 1970-01-11 (between 1970-01-10 and 1970-01-13)."
        );
        forecast.latest = None;
        assert!(when(&forecast).ends_with("(not before 1970-01-10)."));
    }
}
