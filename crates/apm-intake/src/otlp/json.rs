//! OTLP as JSON.
//!
//! Only the items are made into values, one at a time. Around them, members are found and left as the text that they
//! are: resource and scope may stand behind what they are of.

mod metrics;
mod parts;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Signal;
use super::bounds::{MAX_HEAD, MAX_ITEM};
use super::malformed::Malformed;
use super::sink::Sink;
use parts::{each, members};

/// Hands on what a body holds.
///
/// # Errors
/// The body cannot be read. The caller throws away the items that were handed on before.
pub(super) fn read(signal: Signal, body: &str, sink: &mut impl Sink) -> Result<(), Malformed> {
    let (resources, scopes, items) = match signal {
        Signal::Traces => ("resourceSpans", "scopeSpans", "spans"),
        Signal::Metrics => ("resourceMetrics", "scopeMetrics", "metrics"),
        Signal::Logs => ("resourceLogs", "scopeLogs", "logRecords"),
    };
    let [found] = members(body, [resources])?;
    each(found, resources, |resource| {
        let [head, found] = members(resource.get(), ["resource", scopes])?;
        sink.resource(&self::head(head, "resource")?);
        each(found, scopes, |scope| {
            let [head, found] = members(scope.get(), ["scope", items])?;
            sink.scope(&self::head(head, "scope")?);
            each(found, items, |item| match signal {
                // Of a metric, each point is an item.
                Signal::Metrics => metrics::metric(item.get(), sink),
                _ if item.get().len() > MAX_ITEM => {
                    sink.oversized(item.get().len());
                    Ok(())
                }
                Signal::Traces => parse(item).map(|span| sink.span(&span)),
                Signal::Logs => parse(item).map(|record| sink.log(&record)),
            })
        })
    })
}

/// A resource or a scope; an empty one where there is none.
fn head<'a, T: Deserialize<'a> + Default>(
    raw: Option<&'a RawValue>,
    name: &str,
) -> Result<T, Malformed> {
    match raw {
        None => Ok(T::default()),
        Some(raw) if raw.get().len() > MAX_HEAD => Err(Malformed::new(format_args!(
            "the {name} has {} bytes, and {MAX_HEAD} are the most: send fewer or shorter attributes",
            raw.get().len()
        ))),
        Some(raw) => parse(raw).map_err(|error| error.within(name)),
    }
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Malformed> {
    serde_json::from_str(raw.get()).map_err(parts::wrong)
}
