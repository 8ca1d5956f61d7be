//! Metrics, point by point.

use super::common::attribute;
use super::reader::{Field, Reader};
use crate::otlp::bounds::MAX_ITEM;
use crate::otlp::malformed::Malformed;
use crate::otlp::model::{
    Buckets, Exponential, Histogram, Metric, MetricKind, Point, PointValue, Quantile, Summary,
    Temporality,
};
use crate::otlp::sink::Sink;

/// Hands on the points of a metric.
pub(super) fn metric<'a>(message: Reader<'a>, sink: &mut impl Sink) -> Result<(), Malformed> {
    let mut metric = Metric::default();
    let mut data = None;
    let mut fields = message;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => metric.name = field.text()?,
            3 => metric.unit = field.text()?,
            // A metric has one of these: gauge, sum, histogram, exponential histogram, summary.
            5 | 7 | 9 | 10 | 11 => data = Some(field),
            _ => {}
        }
    }
    let Some(data) = data else { return Ok(()) };
    let (mut temporality, mut is_monotonic) = (Temporality::default(), false);
    // Fields 2 and 3 mean the same in each kind that has them.
    let mut fields = data.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            2 => temporality = Temporality::from_number(field.int32()?),
            3 => is_monotonic = field.bool()?,
            _ => {}
        }
    }
    metric.kind = match data.number {
        5 => MetricKind::Gauge,
        7 => MetricKind::Sum {
            temporality,
            is_monotonic,
        },
        9 => MetricKind::Histogram(temporality),
        10 => MetricKind::ExponentialHistogram(temporality),
        _ => MetricKind::Summary,
    };
    let mut fields = data.message()?;
    while let Some(field) = fields.next()? {
        if field.number != 1 {
            continue;
        }
        let length = field.bytes()?.len();
        if length > MAX_ITEM {
            sink.oversized(length);
            continue;
        }
        let mut point = Point {
            value: match data.number {
                9 => PointValue::Histogram(Histogram::default()),
                10 => PointValue::Exponential(Exponential::default()),
                11 => PointValue::Summary(Summary::default()),
                _ => PointValue::None,
            },
            ..Point::default()
        };
        let mut message = field.message()?;
        while let Some(field) = message.next()? {
            match field.number {
                2 => point.start = field.fixed64()?,
                3 => point.time = field.fixed64()?,
                _ => other(metric.kind, field, &mut point)?,
            }
        }
        sink.point(&metric, &point);
    }
    Ok(())
}

/// Reads a field of a point that not all kinds have.
fn other<'a>(kind: MetricKind, field: Field<'a>, point: &mut Point<'a>) -> Result<(), Malformed> {
    match kind {
        MetricKind::Gauge | MetricKind::Sum { .. } => number(field, point),
        MetricKind::Histogram(_) => histogram(field, point),
        MetricKind::ExponentialHistogram(_) => exponential(field, point),
        MetricKind::Summary => summary(field, point),
    }
}

fn number<'a>(field: Field<'a>, point: &mut Point<'a>) -> Result<(), Malformed> {
    match field.number {
        4 => point.value = PointValue::Double(field.double()?),
        6 => point.value = PointValue::Int(field.fixed64()?.cast_signed()),
        7 => attribute(field.message()?, &mut point.attributes)?,
        8 => point.flags = field.uint32()?,
        _ => {}
    }
    Ok(())
}

fn histogram<'a>(field: Field<'a>, point: &mut Point<'a>) -> Result<(), Malformed> {
    let PointValue::Histogram(out) = &mut point.value else {
        return Ok(());
    };
    match field.number {
        4 => out.count = field.fixed64()?,
        5 => out.sum = Some(field.double()?),
        6 => field.each_fixed64(|number| out.bucket_counts.push(number))?,
        7 => field.each_fixed64(|number| out.explicit_bounds.push(f64::from_bits(number)))?,
        9 => attribute(field.message()?, &mut point.attributes)?,
        10 => point.flags = field.uint32()?,
        11 => out.min = Some(field.double()?),
        12 => out.max = Some(field.double()?),
        _ => {}
    }
    Ok(())
}

fn exponential<'a>(field: Field<'a>, point: &mut Point<'a>) -> Result<(), Malformed> {
    let PointValue::Exponential(out) = &mut point.value else {
        return Ok(());
    };
    match field.number {
        1 => attribute(field.message()?, &mut point.attributes)?,
        4 => out.count = field.fixed64()?,
        5 => out.sum = Some(field.double()?),
        6 => out.scale = field.zigzag32()?,
        7 => out.zero_count = field.fixed64()?,
        8 => buckets(field.message()?, &mut out.positive)?,
        9 => buckets(field.message()?, &mut out.negative)?,
        10 => point.flags = field.uint32()?,
        12 => out.min = Some(field.double()?),
        13 => out.max = Some(field.double()?),
        _ => {}
    }
    Ok(())
}

fn buckets(mut message: Reader<'_>, out: &mut Buckets) -> Result<(), Malformed> {
    while let Some(field) = message.next()? {
        match field.number {
            1 => out.offset = field.zigzag32()?,
            2 => field.each_varint(|number| out.bucket_counts.push(number))?,
            _ => {}
        }
    }
    Ok(())
}

fn summary<'a>(field: Field<'a>, point: &mut Point<'a>) -> Result<(), Malformed> {
    let PointValue::Summary(out) = &mut point.value else {
        return Ok(());
    };
    match field.number {
        4 => out.count = field.fixed64()?,
        5 => out.sum = field.double()?,
        6 => {
            let mut quantile = Quantile::default();
            let mut message = field.message()?;
            while let Some(field) = message.next()? {
                match field.number {
                    1 => quantile.quantile = field.double()?,
                    2 => quantile.value = field.double()?,
                    _ => {}
                }
            }
            out.quantile_values.push(quantile);
        }
        7 => attribute(field.message()?, &mut point.attributes)?,
        8 => point.flags = field.uint32()?,
        _ => {}
    }
    Ok(())
}
