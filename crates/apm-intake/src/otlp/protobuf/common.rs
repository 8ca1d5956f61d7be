//! The parts that all signals have: resource, scope, attributes, values.

use super::reader::Reader;
use crate::otlp::bounds::{MAX_ATTRIBUTES, MAX_DEPTH};
use crate::otlp::malformed::Malformed;
use crate::otlp::model::{KeyValue, Resource, Scope, Value};

pub(super) fn resource<'a>(
    mut message: Reader<'a>,
    out: &mut Resource<'a>,
) -> Result<(), Malformed> {
    while let Some(field) = message.next()? {
        if field.number == 1 {
            attribute(field.message()?, &mut out.attributes)?;
        }
    }
    Ok(())
}

pub(super) fn scope<'a>(mut message: Reader<'a>, out: &mut Scope<'a>) -> Result<(), Malformed> {
    while let Some(field) = message.next()? {
        match field.number {
            1 => out.name = field.text()?,
            2 => out.version = field.text()?,
            3 => attribute(field.message()?, &mut out.attributes)?,
            _ => {}
        }
    }
    Ok(())
}

/// Adds an attribute, unless there are [`MAX_ATTRIBUTES`].
pub(super) fn attribute<'a>(
    message: Reader<'a>,
    out: &mut Vec<KeyValue<'a>>,
) -> Result<(), Malformed> {
    if out.len() < MAX_ATTRIBUTES {
        out.push(key_value(message, MAX_DEPTH)?);
    }
    Ok(())
}

fn key_value<'a>(mut message: Reader<'a>, depth: u32) -> Result<KeyValue<'a>, Malformed> {
    let mut out = KeyValue::default();
    while let Some(field) = message.next()? {
        match field.number {
            1 => out.key = field.text()?,
            2 => out.value = value(field.message()?, depth)?,
            _ => {}
        }
    }
    Ok(out)
}

/// A value of any type. `depth`: how many more levels there may be.
pub(super) fn value<'a>(mut message: Reader<'a>, depth: u32) -> Result<Value<'a>, Malformed> {
    let mut out = Value::Empty;
    while let Some(field) = message.next()? {
        // The last of several fields counts.
        out = match field.number {
            1 => Value::Text(field.text()?),
            2 => Value::Bool(field.bool()?),
            3 => Value::Int(field.int()?),
            4 => Value::Double(field.double()?),
            5 => Value::Array(elements(field.message()?, deeper(depth)?, value)?),
            6 => Value::Map(elements(field.message()?, deeper(depth)?, key_value)?),
            7 => {
                field.bytes()?;
                Value::Bytes
            }
            _ => out,
        };
    }
    Ok(out)
}

fn deeper(depth: u32) -> Result<u32, Malformed> {
    depth.checked_sub(1).ok_or_else(|| {
        Malformed::new(format_args!(
            "a value is nested deeper than {MAX_DEPTH} levels"
        ))
    })
}

fn elements<'a, T>(
    mut message: Reader<'a>,
    depth: u32,
    read: fn(Reader<'a>, u32) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let mut out = Vec::new();
    while let Some(field) = message.next()? {
        if field.number == 1 {
            out.push(read(field.message()?, depth)?);
        }
    }
    Ok(out)
}
