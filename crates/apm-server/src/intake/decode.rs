//! One line → one event.
//!
//! A line is read as JSON against `schema`, and what it says becomes an [`Event`] of the batch. Bytes after
//! the first value are ignored. A line whose keys are doubled, escaped or in another case, or that holds halves
//! of characters, is rewritten and read again, so that the fast path and the stored documents only know one form.
//!
//! Nothing of a line that is refused stays in the batch.

use std::borrow::Cow;

use serde::Deserialize as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::found::Found;
use super::regular::{self, MAX_DEPTH};
use super::schema::{ERROR, LOG, METADATA, METRICSET, Object, SPAN, TRANSACTION};
use super::walk::{IRREGULAR, Key, Members};
use super::{error, log, metadata, metricset, span, transaction};
use crate::event::{Batch, Kind, Resource};

/// Why a line was refused, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    /// Not JSON, or JSON of the wrong type.
    Malformed,
    /// Against a rule of the schema.
    Invalid,
    /// No known kind of event.
    Unknown,
    /// Longer than a line may be.
    Oversized,
}

impl Reason {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [
        Self::Malformed,
        Self::Invalid,
        Self::Unknown,
        Self::Oversized,
    ];

    /// Its name in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown_type",
            Self::Oversized => "oversized",
        }
    }
}

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    /// In the words of Elastic's server, as far as these do not depend on its parser.
    pub(crate) message: String,
}

impl Refused {
    pub(super) fn malformed(at: &str, what: &str) -> Self {
        // The parser quotes what it met, which may be long.
        let end = what.floor_char_boundary(512);
        Self {
            reason: Reason::Malformed,
            message: format!("decode error: data read error: {at}: {}", &what[..end]),
        }
    }

    pub(super) fn invalid(what: impl std::fmt::Display) -> Self {
        Self {
            reason: Reason::Invalid,
            message: format!("validation error: {what}"),
        }
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// It is the last event of the batch now.
    Event,
    /// A breakdown without any of the samples that one has: neither stored nor counted.
    Ignored,
}

/// Decodes a line into the last event of `batch`.
///
/// # Errors
/// The line is refused; the batch is as before.
pub(crate) fn event(line: &[u8], batch: &mut Batch) -> Result<Decoded, Refused> {
    let line = text(line);
    let name = first_quoted(&line).unwrap_or_default();
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == name) else {
        let message = format!(
            "did not recognize object type: \"{}\"",
            &name[..name.floor_char_boundary(256)]
        );
        return Err(Refused {
            reason: Reason::Unknown,
            message,
        });
    };
    check_depth(&line, kind.as_str())?;
    let mut events = 1;
    match kind {
        Kind::Transaction => {
            read(&line, "transaction", &TRANSACTION, |found, line| {
                transaction::build(found, line, batch)
            })?;
        }
        Kind::Span => read(&line, "span", &SPAN, |found, line| {
            span::build(found, line, batch)
        })?,
        Kind::Error => read(&line, "error", &ERROR, |found, line| {
            error::build(found, line, batch)
        })?,
        Kind::Metricset => {
            read(&line, "metricset", &METRICSET, |found, line| {
                events = usize::from(metricset::build(found, line, batch));
                Ok(())
            })?;
        }
        Kind::Log => read(&line, "log", &LOG, |found, line| {
            log::build(found, line, batch)
        })?,
    }
    Ok(if events == 0 {
        Decoded::Ignored
    } else {
        Decoded::Event
    })
}

/// A line as text. What is sound is checked by the fast path that `from_utf8_lossy` does not have.
fn text(line: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed)
}

/// Whether a line is a metadata line, by its first quoted string.
pub(crate) fn is_metadata(line: &[u8]) -> bool {
    first_quoted(&text(line)) == Some("metadata")
}

/// Decodes the metadata line.
///
/// # Errors
/// The line is refused.
pub(crate) fn resource(line: &[u8], client: Option<std::net::IpAddr>) -> Result<Resource, Refused> {
    let line = text(line);
    check_depth(&line, "metadata")?;
    let mut resource = None;
    read(&line, "metadata", &METADATA, |found, line| {
        resource = Some(metadata::build(found, line, client)?);
        Ok(())
    })?;
    resource.ok_or_else(|| Refused::invalid("'metadata' required"))
}

/// How often a line is read again in another form: without lone surrogates, then with regular keys.
pub(super) const OTHER_FORMS: u8 = 2;

/// Reads `{"kind": {…}}` and hands on what was found, with the line that it was found in.
fn read(
    line: &str,
    kind: &'static str,
    object: &'static Object,
    build: impl FnOnce(&mut Found<'_>, &str) -> Result<(), Refused>,
) -> Result<(), Refused> {
    read_form(line, kind, object, OTHER_FORMS, build)
}

fn read_form(
    line: &str,
    kind: &'static str,
    object: &'static Object,
    forms: u8,
    build: impl FnOnce(&mut Found<'_>, &str) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let mut found = Found::default();
    let result = walk(line, kind, object, &mut found);
    if result.is_err() && forms > 0 {
        let other = regular::other_form(line, found.irregular, Some(kind))
            .map_err(|error| Refused::malformed(&found.wrong_at(kind), &error.to_string()))?;
        if let Some(line) = other {
            return read_form(&line, kind, object, forms - 1, build);
        }
    }
    judge(result, kind, &mut found)?;
    build(&mut found, line)
}

fn judge(
    result: Result<bool, serde_json::Error>,
    kind: &'static str,
    found: &mut Found<'_>,
) -> Result<(), Refused> {
    match result {
        Err(error) => Err(Refused::malformed(
            &found.wrong_at(kind),
            &error.to_string(),
        )),
        Ok(false) => Err(Refused::invalid(format_args!("'{kind}' required"))),
        Ok(true) => match &mut found.violation {
            Some(violation) => {
                violation.path.push(kind);
                Err(Refused::invalid(violation))
            }
            None => Ok(()),
        },
    }
}

fn walk<'de>(
    line: &'de str,
    kind: &'static str,
    object: &'static Object,
    found: &mut Found<'de>,
) -> Result<bool, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let root = Root {
        kind,
        object,
        found,
        line,
    };
    serde::de::Deserializer::deserialize_map(&mut reader, root)
}

/// `{"kind": {…}}`; other members are ignored.
struct Root<'w, 'de> {
    kind: &'static str,
    object: &'static Object,
    found: &'w mut Found<'de>,
    line: &'de str,
}

impl<'de> Visitor<'de> for Root<'_, 'de> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut set = None;
        while let Some(key) = map.next_key_seed(Key)? {
            if !key.eq_ignore_ascii_case(self.kind) {
                map.next_value::<IgnoredAny>()?;
            } else if set.is_none() && key == self.kind {
                set = Some(map.next_value_seed(Members {
                    object: self.object,
                    found: &mut *self.found,
                    line: Some(self.line),
                })?);
            } else {
                // The last one wins.
                self.found.irregular = true;
                return Err(A::Error::custom(IRREGULAR));
            }
        }
        Ok(set.unwrap_or(false))
    }
}

/// The text of a member's value, as it stands in the line.
pub(super) fn value_of(line: &str, start: usize, end: Option<usize>) -> &str {
    let member = &line[start..end.unwrap_or(line.len())];
    // The key has no escapes, or it would not have been borrowed; so its second quotation mark ends it.
    let colon = member[1..].find('"').map_or(0, |quote| quote + 2);
    let value = member[colon..].trim_start_matches([' ', '\t', '\r', '\n', ':']);
    match end {
        Some(_) => value.trim_end_matches([' ', '\t', '\r', '\n', ',']),
        None => raw(value).unwrap_or(value),
    }
}

/// The first JSON value of a text, as it stands there.
fn raw(text: &str) -> Option<&str> {
    let mut reader = serde_json::Deserializer::from_str(text);
    <&RawValue>::deserialize(&mut reader)
        .ok()
        .map(RawValue::get)
}

/// Writes the members that are kept as a JSON object into the batch.
pub(super) fn keep_rest(found: &Found<'_>, line: &str, batch: &mut Batch) -> crate::event::Text {
    let mark = batch.mark();
    batch.push("{");
    for member in found.members.iter().filter(|member| member.kept) {
        let text = match member.end {
            Some(end) => line[member.start..end].trim_end_matches([' ', '\t', '\r', '\n', ',']),
            None => {
                let value = value_of(line, member.start, None);
                let end = value.as_ptr().addr() - line.as_ptr().addr() + value.len();
                &line[member.start..end]
            }
        };
        if batch.since(mark).len() > 1 {
            batch.push(",");
        }
        batch.push(text);
    }
    batch.push("}");
    batch.since(mark)
}

/// What stands between the first quotation mark, single or double, and the next of its kind.
fn first_quoted(line: &str) -> Option<&str> {
    let start = line.find(['"', '\''])?;
    let (quote, rest) = (line.as_bytes()[start], &line[start + 1..]);
    Some(&rest[..memchr::memchr(quote, rest.as_bytes())?])
}

/// Documents are read with recursion later, so what is nested too deep is refused now.
fn check_depth(line: &str, kind: &str) -> Result<(), Refused> {
    match regular::is_too_deep(line) {
        true => Err(Refused::malformed(
            &format!("v2.{kind}Root"),
            &format!("nested deeper than {MAX_DEPTH} levels"),
        )),
        false => Ok(()),
    }
}
