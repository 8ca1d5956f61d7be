//! One line → one event.
//!
//! A line is read as JSON against `schema`, and what it says becomes an [`Event`] of the batch. Bytes after
//! the first value are ignored. A line whose keys are doubled, escaped or in another case, or that holds halves
//! of characters, is rewritten and read again, so that the fast path and the stored documents only know one form.
//!
//! Nothing of a line that is refused stays in the batch.

use std::borrow::Cow;

use apm_store::event::{Batch, Kind, Resource};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};

use super::canonical::{self, MAX_DEPTH, OTHER_FORMS};
use super::fields::Fields;
use super::schema::{ERROR, LOG, METADATA, METRICSET, Object, SPAN, TRANSACTION};
use super::stack::Cut;
use super::walk::{IRREGULAR, Key, Members};
use super::{error, log, metadata, metricset, span, transaction};
use crate::refused::{Reason, Refused};

/// The result of decoding a line.
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
    let (object, build): (_, Build) = match kind {
        Kind::Transaction => (&TRANSACTION, transaction::build),
        Kind::Span => (&SPAN, span::build),
        Kind::Error => (&ERROR, error::build),
        Kind::Metricset => (&METRICSET, metricset::build),
        Kind::Log => (&LOG, log::build),
    };
    let before = batch.events.len();
    let mut build = |fields: &mut Fields<'_>, line: &str| {
        build(fields, line, batch)?;
        // The store limits how many different names labels have.
        fields.labels.iter().for_each(|name| batch.label(name));
        Ok(())
    };
    let cut = (kind == Kind::Span).then(|| Cut::new(&line)).flatten();
    if !cut.is_some_and(|cut| read_cut(&cut, kind.as_str(), object, &mut build)) {
        check_depth(&line, kind.as_str())?;
        read(&line, kind.as_str(), object, build)?;
    }
    Ok(if batch.events.len() == before {
        Decoded::Ignored
    } else {
        Decoded::Event
    })
}

/// Appends the event of a line to the batch.
type Build = fn(&mut Fields<'_>, &str, &mut Batch) -> Result<(), Refused>;

/// A line as text. Sound UTF-8, which is the rule, takes a faster check than that of `from_utf8_lossy`.
pub(super) fn text(line: &[u8]) -> Cow<'_, str> {
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
    read(&line, "metadata", &METADATA, |fields, line| {
        resource = Some(metadata::build(fields, line, client)?);
        Ok(())
    })?;
    resource.ok_or_else(|| Refused::invalid("'metadata' required"))
}

/// Reads `{"kind": {…}}` and hands on what was found, with the line that it was found in.
fn read(
    line: &str,
    kind: &'static str,
    object: &'static Object,
    build: impl FnOnce(&mut Fields<'_>, &str) -> Result<(), Refused>,
) -> Result<(), Refused> {
    read_form(line, kind, object, OTHER_FORMS, build)
}

fn read_form(
    line: &str,
    kind: &'static str,
    object: &'static Object,
    forms: u8,
    build: impl FnOnce(&mut Fields<'_>, &str) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let mut fields = Fields::default();
    let result = walk(line, kind, object, &mut fields);
    // Odd keys and halves of characters are rare, so a line is rewritten only once it has failed.
    if result.is_err() && forms > 0 {
        let other = canonical::other_form(line, fields.irregular, Some(kind))
            .map_err(|error| Refused::malformed(&fields.wrong_at(kind), &error.to_string()))?;
        if let Some(line) = other {
            return read_form(&line, kind, object, forms - 1, build);
        }
    }
    judge(result, kind, &mut fields)?;
    build(&mut fields, line)
}

/// Reads a line without its stack trace. Gives whether it was taken: a line that breaks a rule is to be read as it is,
/// so that what is said of it does not depend on what came before.
fn read_cut(
    cut: &Cut<'_>,
    kind: &'static str,
    object: &'static Object,
    build: impl FnOnce(&mut Fields<'_>, &str) -> Result<(), Refused>,
) -> bool {
    if canonical::is_too_deep(&cut.line) {
        return false;
    }
    let mut fields = Fields::default();
    let is_sound = walk(&cut.line, kind, object, &mut fields).is_ok_and(|is_set| is_set)
        && fields.violation.is_none();
    let member = fields.stack.map(|index| fields.members[index].start);
    if !is_sound || member != Some(cut.start) {
        return false;
    }
    fields.sound_stack = Some((cut.json, cut.hash));
    build(&mut fields, &cut.line).is_ok()
}

fn judge(
    result: Result<bool, serde_json::Error>,
    kind: &'static str,
    fields: &mut Fields<'_>,
) -> Result<(), Refused> {
    match result {
        Err(error) => Err(Refused::malformed(
            &fields.wrong_at(kind),
            &error.to_string(),
        )),
        Ok(false) => Err(Refused::invalid(format_args!("'{kind}' required"))),
        Ok(true) => match &mut fields.violation {
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
    fields: &mut Fields<'de>,
) -> Result<bool, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let root = Root {
        kind,
        object,
        fields,
        line,
    };
    serde::de::Deserializer::deserialize_map(&mut reader, root)
}

/// `{"kind": {…}}`; other members are ignored.
struct Root<'w, 'de> {
    kind: &'static str,
    object: &'static Object,
    fields: &'w mut Fields<'de>,
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
                    fields: &mut *self.fields,
                    line: Some(self.line),
                })?);
            } else {
                // The last one wins.
                self.fields.irregular = true;
                return Err(A::Error::custom(IRREGULAR));
            }
        }
        Ok(set.unwrap_or(false))
    }
}

/// The text between the first quotation mark, single or double, and the next of its kind.
pub(super) fn first_quoted(line: &str) -> Option<&str> {
    let start = line.find(['"', '\''])?;
    let (quote, rest) = (line.as_bytes()[start], &line[start + 1..]);
    Some(&rest[..memchr::memchr(quote, rest.as_bytes())?])
}

/// Documents are read with recursion later, so what is nested too deep is refused now.
pub(super) fn check_depth(line: &str, kind: &str) -> Result<(), Refused> {
    match canonical::is_too_deep(line) {
        true => Err(Refused::malformed(
            &format!("v2.{kind}Root"),
            &format!("nested deeper than {MAX_DEPTH} levels"),
        )),
        false => Ok(()),
    }
}
