//! OTLP as Protocol Buffers, read by hand (ADR 190).
//!
//! A body is read once, and its items are handed on one by one. Resource and scope may stand behind what they are of,
//! so they are looked for first. Unknown fields are skipped. Nothing here panics, whatever the bytes are.

mod common;
mod logs;
mod metrics;
mod reader;
mod traces;

use super::Signal;
use super::bounds::{MAX_HEAD, MAX_ITEM};
use super::malformed::Malformed;
use super::model::{Resource, Scope};
use super::sink::Sink;
use reader::Reader;

/// Hands on what a body holds.
///
/// # Errors
/// The body cannot be read. The caller throws away the items that were handed on before.
pub(super) fn read(signal: Signal, body: &[u8], sink: &mut impl Sink) -> Result<(), Malformed> {
    let mut request = Reader::new(body);
    let mut count = 0;
    while let Some(field) = request.next()? {
        if field.number == 1 {
            let resource = field
                .message()
                .and_then(|message| resource(signal, message, sink));
            resource.map_err(|error| error.within(format_args!("resource {count}")))?;
            count += 1;
        }
    }
    Ok(())
}

/// Spans, metrics or log records of one resource.
fn resource(signal: Signal, message: Reader<'_>, sink: &mut impl Sink) -> Result<(), Malformed> {
    let mut resource = Resource::default();
    // Fields come in any order: the resource is read first, then what belongs to it.
    let mut fields = message;
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            check_head(field.bytes()?.len(), "resource")?;
            common::resource(field.message()?, &mut resource)?;
        }
    }
    sink.resource(&resource);
    let mut fields = message;
    let mut count = 0;
    while let Some(field) = fields.next()? {
        if field.number == 2 {
            let scope = field
                .message()
                .and_then(|message| scope(signal, message, sink));
            scope.map_err(|error| error.within(format_args!("scope {count}")))?;
            count += 1;
        }
    }
    Ok(())
}

/// Those of one scope.
fn scope(signal: Signal, message: Reader<'_>, sink: &mut impl Sink) -> Result<(), Malformed> {
    let mut scope = Scope::default();
    let mut fields = message;
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            check_head(field.bytes()?.len(), "scope")?;
            common::scope(field.message()?, &mut scope)?;
        }
    }
    sink.scope(&scope);
    let mut fields = message;
    let mut count = 0;
    let mut space = traces::Space::default();
    while let Some(field) = fields.next()? {
        if field.number != 2 {
            continue;
        }
        let length = field.bytes()?.len();
        let item = field.message()?;
        let result = match signal {
            // Of a metric, each point is an item.
            Signal::Metrics => metrics::metric(item, sink),
            _ if length > MAX_ITEM => {
                sink.oversized(length);
                Ok(())
            }
            Signal::Traces => space.span(item).map(|span| sink.span(span)),
            Signal::Logs => logs::record(item).map(|record| sink.log(&record)),
        };
        result.map_err(|error| error.within(format_args!("{} {count}", signal.item())))?;
        count += 1;
    }
    Ok(())
}

fn check_head(length: usize, name: &str) -> Result<(), Malformed> {
    match length > MAX_HEAD {
        true => Err(Malformed::new(format_args!(
            "the {name} has {length} bytes, and {MAX_HEAD} are the most: send fewer or shorter attributes"
        ))),
        false => Ok(()),
    }
}
