//! Spans.

use super::common::attribute;
use super::reader::Reader;
use crate::otlp::id;
use crate::otlp::malformed::Malformed;
use crate::otlp::model::{Link, Span, SpanEvent, Status};

/// A span whose lists are used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Space<'a>(Span<'a>);

impl<'a> Space<'a> {
    /// Reads a span.
    pub(super) fn span(&mut self, mut message: Reader<'a>) -> Result<&Span<'a>, Malformed> {
        let mut lists = std::mem::take(&mut self.0);
        lists.attributes.clear();
        lists.events.clear();
        lists.links.clear();
        self.0 = Span {
            attributes: lists.attributes,
            events: lists.events,
            links: lists.links,
            ..Span::default()
        };
        let span = &mut self.0;
        while let Some(field) = message.next()? {
            match field.number {
                1 => span.trace_id = id::trace(field.bytes()?),
                2 => span.span_id = id::span(field.bytes()?),
                3 => span.trace_state = field.text()?,
                4 => span.parent_span_id = id::span(field.bytes()?),
                5 => span.name = field.text()?,
                6 => span.kind = field.int32()?,
                7 => span.start_time_unix_nano = field.fixed64()?,
                8 => span.end_time_unix_nano = field.fixed64()?,
                9 => attribute(field.message()?, &mut span.attributes)?,
                10 => span.dropped_attributes_count = field.uint32()?,
                11 => span.events.push(event(field.message()?)?),
                12 => span.dropped_events_count = field.uint32()?,
                13 => span.links.push(link(field.message()?)?),
                14 => span.dropped_links_count = field.uint32()?,
                15 => status(field.message()?, &mut span.status)?,
                _ => {}
            }
        }
        Ok(span)
    }
}

fn event<'a>(mut message: Reader<'a>) -> Result<SpanEvent<'a>, Malformed> {
    let mut out = SpanEvent::default();
    while let Some(field) = message.next()? {
        match field.number {
            1 => out.time_unix_nano = field.fixed64()?,
            2 => out.name = field.text()?,
            3 => attribute(field.message()?, &mut out.attributes)?,
            _ => {}
        }
    }
    Ok(out)
}

fn link<'a>(mut message: Reader<'a>) -> Result<Link<'a>, Malformed> {
    let mut out = Link::default();
    while let Some(field) = message.next()? {
        match field.number {
            1 => out.trace_id = id::trace(field.bytes()?),
            2 => out.span_id = id::span(field.bytes()?),
            4 => attribute(field.message()?, &mut out.attributes)?,
            _ => {}
        }
    }
    Ok(out)
}

fn status<'a>(mut message: Reader<'a>, out: &mut Status<'a>) -> Result<(), Malformed> {
    while let Some(field) = message.next()? {
        match field.number {
            2 => out.message = field.text()?,
            3 => out.code = field.int32()?,
            _ => {}
        }
    }
    Ok(())
}
