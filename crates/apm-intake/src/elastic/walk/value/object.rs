//! An object of the tables, member by member.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::Walk;
use crate::elastic::fields::{Fields, Kind, Member};
use crate::elastic::schema::{Object, Rule};
use crate::elastic::walk::any_value::AnyValue;
use crate::elastic::walk::key::Key;

/// Ends the walk over a line that is to be rewritten.
pub(crate) const IRREGULAR: &str = "keys that are doubled, escaped or in another case";

/// An object; null is an empty one. Of the event's own, in its line, it is noted where the members lie.
pub(crate) struct Members<'w, 'de> {
    pub(crate) object: &'static Object,
    pub(crate) fields: &'w mut Fields<'de>,
    pub(crate) line: Option<&'de str>,
}

impl<'w, 'de> Members<'w, 'de> {
    /// Those of an object within another.
    pub(crate) fn nested(object: &'static Object, fields: &'w mut Fields<'de>) -> Self {
        Self {
            object,
            fields,
            line: None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Members<'_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_, 'de> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        walk_object(self.object, self.fields, map, self.line)
    }
}

/// Reads the members of an object; with a line, it also notes where each of them lies.
pub(super) fn walk_object<'de, A: MapAccess<'de>>(
    object: &'static Object,
    fields: &mut Fields<'de>,
    mut map: A,
    line: Option<&'de str>,
) -> Result<bool, A::Error> {
    let mut seen = 0u64;
    let mut set = 0u64;
    let mut at = 0;
    while let Some(key) = map.next_key_seed(Key)? {
        let index = object.find(&key, &mut at);
        // Each known field has a bit, which a second member of the same name finds set.
        let is_odd = match index {
            Some(index) => seen & 1 << index != 0,
            None => key.bytes().any(|byte| byte.is_ascii_uppercase()),
        };
        let is_escaped = matches!(key, Cow::Owned(_));
        if (is_escaped || is_odd)
            && is_irregular(object, &key, index.is_some(), is_escaped && line.is_some())
        {
            fields.irregular = true;
            return Err(A::Error::custom(IRREGULAR));
        }
        if let Some(line) = line {
            // Never before the line's second byte: the quotation mark comes first.
            let start = key.as_ptr().addr() - line.as_ptr().addr() - 1;
            if let Some(last) = fields.members.last_mut() {
                last.end = Some(start);
            }
            let kept = index.is_none_or(|index| object.fields[index].kept);
            fields.members.push(Member {
                start,
                end: None,
                kept,
            });
        }
        let Some(index) = index else {
            map.next_value::<AnyValue>()?;
            continue;
        };
        let field = &object.fields[index];
        // A rule that was broken before this field is not in it: its path does not get the name.
        let clean = fields.violation.is_none();
        seen |= 1 << index;
        match map.next_value_seed(Walk {
            rule: &field.rule,
            slot: field.slot,
            fields,
        }) {
            Ok(is_set) => set |= u64::from(is_set) << index,
            Err(error) => {
                fields.path.push(field.name);
                return Err(error);
            }
        }
        if clean && let Some(violation) = &mut fields.violation {
            violation.path.push(field.name);
        }
        if matches!(field.rule, Rule::Stack) && set & 1 << index != 0 {
            fields.stack = fields.members.len().checked_sub(1);
        }
    }
    // Null and empty objects count as absent, so nothing is missing in them.
    if set != 0 && fields.violation.is_none() {
        complete(object, set, fields);
    }
    Ok(set != 0)
}

/// Whether a key that is doubled, escaped or has a capital letter means that the line has to be rewritten. An
/// unknown one may be as it likes; but where the members of a line lie is only known by keys without escapes.
#[cold]
fn is_irregular(object: &'static Object, key: &str, is_known: bool, is_lost: bool) -> bool {
    is_known
        || is_lost
        || object
            .fields
            .iter()
            .any(|field| field.name.eq_ignore_ascii_case(key))
}

/// Checks that nothing is missing.
fn complete(object: &'static Object, set: u64, fields: &mut Fields<'_>) {
    if let Some((names, words)) = object.any_of {
        let is_set = |name: &&str| {
            object
                .fields
                .iter()
                .position(|field| field.name == *name)
                .is_some_and(|index| set & 1 << index != 0)
        };
        if !names.iter().any(is_set) {
            return fields.violate(Kind::AnyOf(words));
        }
    }
    let missing = object.required & !set;
    if missing != 0 {
        fields.violate(Kind::Required(
            object.fields[missing.trailing_zeros() as usize].name,
        ));
    }
}
