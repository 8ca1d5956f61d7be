//! Conditions whose meaning depends on the field: ids, points in time, addresses.

use jiff::tz::TimeZone;

use super::address;
use super::expr::{Bound, Expr, Field, Order, Value};
use super::pasted::{self, Part};
use super::units;

/// The resolution of times in documents, µs.
const MILLISECOND: i64 = 1_000;

/// The text that an error gives as expected for a time that was not understood.
pub(super) const WANTED_TIME: &str =
    "expected a time such as 2026-01-31, \"2026-01-31T12:00:00Z\" or now-15m";
/// The same of an address.
pub(super) const WANTED_ADDRESS: &str =
    "expected an address such as 10.0.0.1, or a network such as 10.0.0.0/8";

/// `field:value`; what was expected where the value cannot be one of that field.
pub(super) fn is(
    field: Field,
    value: Value,
    now: i64,
    zone: &TimeZone,
) -> Result<Expr, &'static str> {
    if field.pattern.is_some() {
        return Ok(Expr::Is(field, value));
    }
    match (&value, part(&field.name)) {
        (Value::Exact(text), _) if field.name == "@timestamp" => {
            let (from, to) = apm_time::interval(text, now, zone).ok_or(WANTED_TIME)?;
            // A point in time is the millisecond that it lies in: documents hold no more.
            let (from, to) = match from == to {
                true => (
                    from / MILLISECOND * MILLISECOND,
                    from / MILLISECOND * MILLISECOND + MILLISECOND,
                ),
                false => (from, to),
            };
            let range = |order, bound| Expr::Range(field.clone(), order, Bound::Time(bound));
            Ok(Expr::And(vec![
                range(Order::AtLeast, from),
                range(Order::Less, to),
            ]))
        }
        (Value::Exact(text), _) if address::is_field(&field.name) => {
            // Any address will do to ask whether `text` is one.
            match address::is("::", text) {
                Some(_) => Ok(Expr::Is(field, value)),
                None => Err(WANTED_ADDRESS),
            }
        }
        (Value::Exact(text), Some(part)) => {
            let field = Field {
                name: stored_name(&field.name).to_owned(),
                pattern: None,
            };
            let readings = pasted::readings(text, part).into_iter();
            Ok(any(readings
                .map(|reading| Expr::Is(field.clone(), Value::Exact(reading)))
                .collect()))
        }
        (Value::Exact(text), None)
            if field.name.ends_with(".us") || field.name.ends_with(".bytes") =>
        {
            Ok(match units::of_field(&field.name, text)? {
                Some(number) => Expr::Is(field, Value::Exact(number.to_string())),
                None => Expr::Is(field, value),
            })
        }
        (Value::Wildcard(pattern), Some(_)) => {
            let lower = pattern.to_lowercase();
            let mut readings = vec![Expr::Is(field.clone(), Value::Wildcard(lower.clone()))];
            if lower != *pattern {
                readings.insert(0, Expr::Is(field, value));
            }
            Ok(any(readings))
        }
        _ => Ok(Expr::Is(field, value)),
    }
}

/// `field < value`
pub(super) fn range(
    field: Field,
    order: Order,
    text: String,
    now: i64,
    zone: &TimeZone,
) -> Result<Expr, &'static str> {
    if field.name == "@timestamp" {
        let (from, to) = apm_time::interval(&text, now, zone).ok_or(WANTED_TIME)?;
        // After a day is after its end, and up to a day is up to its end.
        let (order, bound) = match order {
            Order::Greater if from < to => (Order::AtLeast, to),
            Order::AtMost if from < to => (Order::Less, to),
            order => (order, from),
        };
        return Ok(Expr::Range(field, order, Bound::Time(bound)));
    }
    if address::is_field(&field.name) && field.pattern.is_none() {
        let address = text
            .trim()
            .parse()
            .map_err(|_| "expected an address such as 10.0.0.1")?;
        return Ok(Expr::Range(field, order, Bound::Address(address)));
    }
    let bound = match (units::of_field(&field.name, &text)?, text.parse::<f64>()) {
        (Some(number), _) => Bound::Number(number),
        (None, Ok(number)) if !number.is_nan() => Bound::Number(number),
        _ => Bound::Text(text),
    };
    Ok(Expr::Range(field, order, bound))
}

/// A text anywhere in the event. An id is found in each of its forms.
pub(super) fn text(value: Value) -> Expr {
    let core = match &value {
        // Of a text that is nothing but the digits, one search is enough.
        Value::Exact(text) => pasted::core(text).filter(|core| *core != text.to_lowercase()),
        Value::Wildcard(_) => None,
    };
    match core {
        Some(core) => any(vec![Expr::Text(value), Expr::Text(Value::Exact(core))]),
        None => Expr::Text(value),
    }
}

fn any(mut readings: Vec<Expr>) -> Expr {
    match readings.pop() {
        Some(only) if readings.is_empty() => only,
        Some(last) => {
            readings.push(last);
            Expr::Or(readings)
        }
        None => Expr::Or(readings),
    }
}

/// The part of a `traceparent` that a field holds, if it holds an id.
fn part(field: &str) -> Option<Part> {
    match field {
        "trace.id" | "span.links.trace.id" | "traceparent" => Some(Part::Trace),
        "transaction.id" | "span.id" | "parent.id" | "error.id" | "error.grouping_key"
        | "span.links.span.id" => Some(Part::Span),
        _ => None,
    }
}

/// A header that was pasted with its name asks for the trace.
fn stored_name(field: &str) -> &str {
    match field {
        "traceparent" => "trace.id",
        field => field,
    }
}
