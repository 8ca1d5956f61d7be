//! A value of any type.

use std::borrow::Cow;
use std::net::IpAddr;

/// A named value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KeyValue<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) value: Value<'a>,
}

/// A value of any type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Value<'a> {
    #[default]
    Empty,
    Text(Cow<'a, str>),
    Bool(bool),
    Int(i64),
    Double(f64),
    Array(Vec<Value<'a>>),
    Map(Vec<KeyValue<'a>>),
    /// Bytes are shown nowhere, so only that there were some is kept.
    Bytes,
}

impl Value<'_> {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A whole number, or a text of digits.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Int(int) => Some(*int),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A port that there may be.
    pub(super) fn port(&self) -> Option<u16> {
        self.number()
            .and_then(|number| u16::try_from(number).ok())
            .filter(|port| *port > 0)
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        self.text()?.parse().ok()
    }

    /// The texts of an array that has nothing else.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        match self {
            Self::Array(values) => values.iter().map(Value::text).collect(),
            _ => None,
        }
    }
}
