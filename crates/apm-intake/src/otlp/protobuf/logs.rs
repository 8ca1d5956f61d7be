//! Log records.

use super::common::{attribute, value};
use super::reader::Reader;
use crate::otlp::bounds::MAX_DEPTH;
use crate::otlp::id;
use crate::otlp::malformed::Malformed;
use crate::otlp::model::LogRecord;

pub(super) fn record<'a>(mut message: Reader<'a>) -> Result<LogRecord<'a>, Malformed> {
    let mut out = LogRecord::default();
    while let Some(field) = message.next()? {
        match field.number {
            1 => out.time_unix_nano = field.fixed64()?,
            2 => out.severity_number = field.int32()?,
            3 => out.severity_text = field.text()?,
            5 => out.body = value(field.message()?, MAX_DEPTH)?,
            6 => attribute(field.message()?, &mut out.attributes)?,
            7 => out.dropped_attributes_count = field.uint32()?,
            9 => out.trace_id = id::trace(field.bytes()?),
            10 => out.span_id = id::span(field.bytes()?),
            11 => out.observed_time_unix_nano = field.fixed64()?,
            12 => out.event_name = field.text()?,
            _ => {}
        }
    }
    Ok(out)
}
