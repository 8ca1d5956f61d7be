//! One point, as a sample of intake v2: its value or its distribution, its type and unit, and what it counts from.

use apm_store::event::{Distribution, Measured, MetricKind as Kind};

use crate::conventions::{Json, cut};
use crate::otlp::model::{
    Buckets, Exponential, Histogram, Metric, MetricKind, Point, PointValue, Summary, Temporality,
};

/// Values of a distribution that are kept.
const MAX_VALUES: usize = 4096;

/// Quantiles of a summary that are charted: each is a series.
const MAX_QUANTILES: usize = 16;

/// A point as the store counts it.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) kind: Kind,
    pub(super) is_delta: bool,
    /// The time from which on it counts, µs since the epoch.
    pub(super) start: Option<i64>,
    pub(super) value: Measured,
}

/// Writes a point; gives what is counted of it.
///
/// # Errors
/// It has no value that can be kept; the text says what is wrong.
pub(super) fn write(
    out: &mut String,
    metric: &Metric<'_>,
    point: &Point<'_>,
) -> Result<Counted, String> {
    if point.flags & 1 == 1 {
        return Err("it has no recorded value".to_owned());
    }
    let mut json = Json::new(out);
    json.open('{');
    let value = match &point.value {
        PointValue::None => return Err("it has no value".to_owned()),
        PointValue::Int(int) => {
            json.int("value", *int);
            #[expect(clippy::cast_precision_loss, reason = "samples are floats")]
            let number = *int as f64;
            Measured::Number(number)
        }
        PointValue::Double(number) => {
            finite(*number, "its value")?;
            json.double("value", *number);
            Measured::Number(*number)
        }
        PointValue::Histogram(histogram) => {
            let bins = of_histogram(histogram)?;
            distribution(&mut json, &bins);
            let ends = [histogram.min, histogram.max];
            totals(&mut json, histogram.count, histogram.sum, ends);
            counted(histogram.count, histogram.sum, ends, &bins)
        }
        PointValue::Exponential(histogram) => {
            let bins = of_exponential(histogram)?;
            distribution(&mut json, &bins);
            let ends = [histogram.min, histogram.max];
            totals(&mut json, histogram.count, histogram.sum, ends);
            counted(histogram.count, histogram.sum, ends, &bins)
        }
        PointValue::Summary(summary) => {
            let quantiles = write_summary(&mut json, summary)?;
            let mut value = counted(summary.count, Some(summary.sum), [None, None], &[]);
            if let Measured::Distribution(values) = &mut value {
                values.quantiles = quantiles;
            }
            value
        }
    };
    let (kind, temporality, is_monotonic) = match metric.kind {
        MetricKind::Gauge => ("gauge", Temporality::Unspecified, None),
        MetricKind::Sum {
            temporality,
            is_monotonic,
        } => ("counter", temporality, Some(is_monotonic)),
        MetricKind::Histogram(temporality) | MetricKind::ExponentialHistogram(temporality) => {
            ("histogram", temporality, None)
        }
        MetricKind::Summary => ("summary", Temporality::Unspecified, None),
    };
    json.text("type", kind);
    json.text("unit", cut(&metric.unit));
    json.text(
        "temporality",
        match temporality {
            Temporality::Unspecified => "",
            Temporality::Delta => "delta",
            Temporality::Cumulative => "cumulative",
        },
    );
    if let Some(is_monotonic) = is_monotonic {
        json.bool("monotonic", is_monotonic);
    }
    // Of a counter that begins anew, this changes: what it counted before is over.
    if temporality != Temporality::Unspecified && point.start > 0 {
        json.int("start", point.start / 1000);
    }
    json.close('}');
    Ok(Counted {
        kind: match (kind, is_monotonic) {
            ("counter", Some(true)) => Kind::Counter,
            ("counter", _) => Kind::UpDown,
            ("histogram", _) => Kind::Histogram,
            ("summary", _) => Kind::Summary,
            _ => Kind::Gauge,
        },
        is_delta: temporality == Temporality::Delta,
        start: i64::try_from(point.start / 1000)
            .ok()
            .filter(|start| *start > 0),
        value,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts are summed as floats")]
fn counted(count: u64, sum: Option<f64>, ends: [Option<f64>; 2], bins: &[Bin]) -> Measured {
    let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
    Measured::Distribution(Distribution {
        count: count as f64,
        sum: finite(sum),
        min: finite(ends[0]),
        max: finite(ends[1]),
        bins: bins
            .iter()
            .map(|(value, count)| (*value, *count as f64))
            .collect(),
        quantiles: Vec::new(),
    })
}

fn finite(number: f64, name: &str) -> Result<(), String> {
    match number.is_finite() {
        true => Ok(()),
        false => Err(format!(
            "{name} is {number}, which is no number that can be kept"
        )),
    }
}

/// A value and how often it was met.
type Bin = (f64, u64);

fn distribution(json: &mut Json<'_>, bins: &[Bin]) {
    json.key("values").open('[');
    bins.iter().for_each(|(value, _)| json.double_value(*value));
    json.close(']');
    json.key("counts").open('[');
    bins.iter().for_each(|(_, count)| json.int_value(*count));
    json.close(']');
}

fn totals(json: &mut Json<'_>, count: u64, sum: Option<f64>, [min, max]: [Option<f64>; 2]) {
    json.int("value_count", count);
    for (name, number) in [("sum", sum), ("min", min), ("max", max)] {
        if let Some(number) = number.filter(|number| number.is_finite()) {
            json.double(name, number);
        }
    }
}

/// Each bucket at its middle; the first at half its bound, the last at its bound.
fn of_histogram(histogram: &Histogram) -> Result<Vec<Bin>, String> {
    let Histogram {
        count,
        sum,
        bucket_counts,
        explicit_bounds: bounds,
        ..
    } = histogram;
    // One bucket without bounds holds all values: it says no more than no bucket.
    if bucket_counts.len() <= 1 && bounds.is_empty() {
        let count = bucket_counts.first().unwrap_or(count);
        return match (count, sum) {
            (0, _) if !bucket_counts.is_empty() => Ok(Vec::new()),
            (0, _) => Err("it counts nothing".to_owned()),
            (_, None) => Err("it has neither bounds nor a sum".to_owned()),
            (count, Some(sum)) => {
                finite(*sum, "its sum")?;
                #[expect(clippy::cast_precision_loss, reason = "a mean is a float")]
                let mean = sum / *count as f64;
                Ok(vec![(mean, *count)])
            }
        };
    }
    if bucket_counts.len() != bounds.len() + 1 {
        return Err(format!(
            "it has {} buckets and {} bounds, and one more bucket than bounds is right",
            bucket_counts.len(),
            bounds.len()
        ));
    }
    check_length(bucket_counts.len())?;
    for bound in bounds {
        finite(*bound, "a bound")?;
    }
    let bins = bucket_counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0);
    Ok(bins
        .filter_map(|(at, count)| {
            let below = at.checked_sub(1).map(|at| bounds[at]);
            let bound = bounds.get(at).or(bounds.last())?;
            let value = match below {
                None if *bound > 0.0 => bound / 2.0,
                None => *bound,
                Some(below) => below + (bound - below) / 2.0,
            };
            Some((value, *count))
        })
        .collect())
}

/// Each bucket at its middle; those of negative values first, then zero.
fn of_exponential(histogram: &Exponential) -> Result<Vec<Bin>, String> {
    check_length(histogram.positive.bucket_counts.len() + histogram.negative.bucket_counts.len())?;
    let mut bins = Vec::new();
    for (value, count) in middles(&histogram.negative, histogram.scale) {
        bins.push((-value, count));
    }
    // Negative buckets count away from zero, and values have to rise.
    bins.reverse();
    if histogram.zero_count > 0 {
        bins.push((0.0, histogram.zero_count));
    }
    bins.extend(middles(&histogram.positive, histogram.scale));
    match bins.iter().all(|(value, _)| value.is_finite()) {
        true => Ok(bins),
        false => Err(format!(
            "a bucket of scale {} lies beyond all numbers",
            histogram.scale
        )),
    }
}

fn middles(buckets: &Buckets, scale: i32) -> impl Iterator<Item = Bin> {
    // A bound is the base to the power of an index, where the base is 2 to the power of this.
    let width = 2f64.powi(scale.saturating_neg());
    let bound = move |index: i64| {
        #[expect(clippy::cast_precision_loss, reason = "an index has 33 bits")]
        let power = index as f64 * width;
        power.exp2()
    };
    let counts = buckets
        .bucket_counts
        .iter()
        .zip(i64::from(buckets.offset)..);
    counts
        .filter(|(count, _)| **count > 0)
        .map(move |(count, index)| (bound(index).midpoint(bound(index + 1)), *count))
}

fn check_length(buckets: usize) -> Result<(), String> {
    match buckets > MAX_VALUES {
        true => Err(format!(
            "it has {buckets} buckets, and {MAX_VALUES} are the most"
        )),
        false => Ok(()),
    }
}

/// Writes a summary; gives its quantiles that are charted.
fn write_summary(json: &mut Json<'_>, summary: &Summary) -> Result<Vec<(f64, f64)>, String> {
    finite(summary.sum, "its sum")?;
    totals(json, summary.count, Some(summary.sum), [None, None]);
    let quantiles: Vec<_> = summary
        .quantile_values
        .iter()
        .filter(|quantile| quantile.quantile.is_finite() && quantile.value.is_finite())
        .take(MAX_VALUES)
        .collect();
    if !quantiles.is_empty() {
        json.key("quantiles").open('[');
        for quantile in &quantiles {
            json.open('[');
            json.double_value(quantile.quantile);
            json.double_value(quantile.value);
            json.close(']');
        }
        json.close(']');
    }
    let charted = quantiles
        .iter()
        .filter(|at| (0.0..=1.0).contains(&at.quantile));
    Ok(charted
        .take(MAX_QUANTILES)
        .map(|at| (at.quantile, at.value))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_read_by_the_middles_of_its_buckets_and_by_its_mean_where_it_has_no_bounds() {
        let read = |sum, counts: &[u64], bounds: &[f64]| {
            of_histogram(&Histogram {
                count: 4,
                sum,
                bucket_counts: counts.to_vec(),
                explicit_bounds: bounds.to_vec(),
                ..Histogram::default()
            })
        };
        let bins = |bins: &[Bin]| Ok(bins.to_vec());
        let no_sum = Err("it has neither bounds nor a sum".to_owned());
        for (sum, counts, bounds, expected) in [
            (Some(100.0), vec![], vec![], bins(&[(25.0, 4)])),
            (Some(100.0), vec![4], vec![], bins(&[(25.0, 4)])),
            (None, vec![], vec![], no_sum.clone()),
            (None, vec![4], vec![], no_sum),
            (Some(0.0), vec![0], vec![], bins(&[])),
            (
                None,
                vec![1, 0, 3],
                vec![10.0, 20.0],
                bins(&[(5.0, 1), (20.0, 3)]),
            ),
            (
                None,
                vec![1, 3],
                vec![-10.0],
                bins(&[(-10.0, 1), (-10.0, 3)]),
            ),
            (None, vec![0, 4, 0], vec![10.0, 20.0], bins(&[(15.0, 4)])),
        ] {
            assert_eq!(
                read(sum, &counts, &bounds),
                expected,
                "{counts:?} {bounds:?}"
            );
        }
        assert!(read(Some(f64::NAN), &[4], &[]).is_err());
        assert!(read(Some(1.0), &[1, 2], &[]).is_err());
    }
}
