//! The charts of a service or a transaction: latency, requests by result, failed share.

mod latency;

use apm_time::SECOND;
use maud::Markup;

use super::Context;
use crate::analytics::breakdown::Breakdown;
use crate::analytics::latency::Latency;
use crate::analytics::series::Axis;
use crate::analytics::throughput::Throughput;
use crate::answers::sourced::Sourced;
use crate::sort_rows::SortRows as _;
use crate::ui::chart::axis::Measure;
use crate::ui::chart::bars::{BarChart, Layer};
use crate::ui::chart::buckets::{Buckets, partial};
use crate::ui::chart::lines::{Line, LineChart};
use crate::ui::components::cells::result_class;
use crate::ui::components::waterfall::type_class;
use crate::ui::moment::span_words;
use crate::ui::number::{self, FEW, duration};
pub(crate) use latency::{is_log, latency, scale};

/// Height of a chart that stands beside another.
pub(crate) const TALL: u32 = 172;

/// Seconds below which buckets are narrower than the pauses of a service with little traffic: a gap shorter than twice
/// its usual pause is no gap.
const MINUTE: i64 = 60;

/// `per 30 s`.
pub(crate) fn per(axis: &Axis) -> String {
    format!("per {}", span_words(axis.interval * SECOND))
}

/// Percentiles only where a bucket has enough events for them.
fn percentile(
    latency: &Latency,
    of: impl Fn(&crate::analytics::percentile::Percentiles) -> f64,
) -> Vec<Option<f64>> {
    let enough = |count: f64| count >= FEW as f64;
    latency
        .percentiles
        .iter()
        .zip(&latency.count)
        .map(|(value, count)| value.as_ref().filter(|_| enough(*count)).map(&of))
        .collect()
}

/// Values of an earlier window on the buckets of a later one, whose width may be another.
fn laid(values: Vec<Option<f64>>, of: &Axis, on: &Axis) -> Vec<Option<f64>> {
    if of.interval == on.interval {
        return values;
    }
    let middle = |place: i64| (place * on.interval + on.interval / 2) / of.interval.max(1);
    (0..on.buckets.len() as i64)
        .map(|place| values.get(usize::try_from(middle(place)).ok()?).copied()?)
        .collect()
}

/// The change of a line from its first value to its last.
fn said(context: &Context<'_>, axis: &Axis, name: &str, values: &[Option<f64>]) -> String {
    let ends = |i: Option<usize>| {
        i.and_then(|i| {
            values[i].map(|value| {
                (
                    context.view.clock.minute(axis.buckets[i].start * SECOND),
                    duration(value),
                )
            })
        })
    };
    let first = ends(values.iter().position(Option::is_some));
    let last = ends(values.iter().rposition(Option::is_some));
    match (first, last) {
        (Some((from, a)), Some((to, b))) if from != to => {
            format!("{name} from {a} at {from} to {b} at {to}.")
        }
        (Some((at, value)), _) => format!("{name} {value} at {at}."),
        _ => "No requests.".to_owned(),
    }
}

/// Requests per minute, stacked by result.
pub(crate) fn throughput(context: &Context<'_>, data: &Sourced<Throughput>) -> Markup {
    let mut results: Vec<_> = data
        .results
        .iter()
        .filter(|result| result.count > 0.0)
        .collect();
    // By class first, so that the colours of a stack are always in one order.
    results.sort_rows_by_key(|result| (result_class(&result.result), result.result.clone()));
    let name = |result: &str| match result.strip_prefix("HTTP ") {
        Some(class) => class.to_owned(),
        None if result.is_empty() => "no result".to_owned(),
        None => result.to_owned(),
    };
    let names: Vec<String> = results.iter().map(|result| name(&result.result)).collect();
    let layers: Vec<Layer<'_>> = results
        .iter()
        .zip(&names)
        .map(|(result, name)| Layer {
            name,
            class: result_class(&result.result),
            values: &result.throughput,
            mean: Some(number::rate(result.mean)),
        })
        .collect();
    let spoken: Vec<String> = results
        .iter()
        .zip(&names)
        .map(|(result, name)| format!("{name} {} per minute", number::rate(result.mean)))
        .collect();
    let says = if spoken.is_empty() {
        "No requests.".to_owned()
    } else {
        format!("On average {}.", spoken.join(", "))
    };
    BarChart {
        id: "throughput",
        title: "Requests/min",
        note: "by result",
        says: &says,
        measure: Measure::Rate,
        buckets: Buckets::from(&data.axis),
        layers: &layers,
        partial: &partial(&data.axis),
        height: TALL,
        sql: &data.sql,
        file: "throughput",
        zoom: None,
    }
    .render(&context.view.clock, context.flags)
}

/// The share of requests that failed.
pub(crate) fn failed(
    context: &Context<'_>,
    now: &Sourced<Latency>,
    before: Option<&Latency>,
) -> Markup {
    let mut lines = Vec::new();
    let before = before
        .map(|before| laid(before.failed_rate.clone(), &before.axis, &now.axis))
        .filter(|values| values.iter().any(Option::is_some));
    if let Some(before) = &before {
        lines.push(Line {
            name: "before",
            class: "lat-prev",
            values: before,
            sparse: false,
        });
    }
    lines.push(Line {
        name: "failed",
        class: "r-5xx",
        values: &now.failed_rate,
        sparse: false,
    });
    let counts: Vec<u64> = now.count.iter().map(|count| super::whole(*count)).collect();
    let says = match now.total.failed_rate {
        Some(share) => format!("{} of requests failed.", number::percent(share)),
        None => "No request has a known outcome.".to_owned(),
    };
    LineChart {
        id: "failed",
        title: "Failed requests",
        note: &per(&now.axis),
        says: &says,
        measure: Measure::Share,
        buckets: Buckets::from(&now.axis),
        lines: &lines,
        is_reported: now.axis.interval < MINUTE,
        counts: &counts,
        counts_name: "requests",
        height: TALL,
        sql: &now.sql,
        file: "latency",
    }
    .render(&context.view.clock, context.flags)
}

/// Time by type of span: shares that add up to all of it.
pub(crate) fn breakdown(context: &Context<'_>, data: &Sourced<Breakdown>) -> Markup {
    const SERIES: [&str; 6] = [
        "series-1", "series-2", "series-3", "series-4", "series-5", "series-6",
    ];
    let names: Vec<String> = data
        .kinds
        .iter()
        .map(|kind| {
            if kind.subtype.is_empty() {
                kind.kind.clone()
            } else {
                format!("{} {}", kind.kind, kind.subtype)
            }
        })
        .collect();
    let values: Vec<Vec<f64>> = data
        .kinds
        .iter()
        .map(|kind| {
            kind.shares
                .iter()
                .map(|share| share.unwrap_or(0.0))
                .collect()
        })
        .collect();
    let mut others = 0;
    let layers: Vec<Layer<'_>> = data
        .kinds
        .iter()
        .zip(&names)
        .zip(&values)
        .map(|((kind, name), values)| {
            let class = match type_class(&kind.kind) {
                // Several kinds without a colour of their own must still be told apart.
                "t-other" if kind.kind != "other" => {
                    others += 1;
                    SERIES[(others - 1) % SERIES.len()]
                }
                class => class,
            };
            Layer {
                name,
                class,
                values,
                mean: Some(number::percent(kind.share).to_string()),
            }
        })
        .collect();
    let spoken: Vec<String> = data
        .kinds
        .iter()
        .zip(&names)
        .map(|(kind, name)| format!("{name} {}", number::percent(kind.share)))
        .collect();
    BarChart {
        id: "breakdown",
        title: "Time by type of span",
        note: &per(&data.axis),
        says: &format!("Share of time: {}.", spoken.join(", ")),
        measure: Measure::Share,
        buckets: Buckets::from(&data.axis),
        layers: &layers,
        partial: &partial(&data.axis),
        height: 112,
        sql: &data.sql,
        file: "breakdown",
        zoom: None,
    }
    .render(&context.view.clock, context.flags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::window::Bucket;

    #[test]
    fn an_earlier_window_of_coarser_buckets_is_laid_on_the_finer_ones() {
        let axis = |interval: i64, count: i64| Axis {
            interval,
            buckets: (0..count)
                .map(|place| Bucket {
                    start: place * interval,
                    covered: interval as f64,
                })
                .collect(),
            widened: false,
        };
        let (coarse, fine) = (axis(600, 2), axis(60, 15));
        let values = laid(vec![Some(1.0), Some(2.0)], &coarse, &fine);
        assert_eq!(
            (values.len(), values[9], values[10]),
            (15, Some(1.0), Some(2.0))
        );
        let values = laid(
            (0..15).map(|i| Some(f64::from(i))).collect(),
            &fine,
            &coarse,
        );
        assert_eq!(values, [Some(5.0), None]);
    }
}
