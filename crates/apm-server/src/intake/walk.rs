//! Reads JSON against the tables of `schema`, in one pass and without building it.
//!
//! What is of the wrong type is an error of the reader; what breaks a rule is remembered in [`Found`], where
//! the first one stays. Each visit answers whether the value counts as set: not null, and for an object not
//! empty of known fields.
//!
//! `serde_json` tells no offsets, but it borrows the keys from the line: the address of a key tells where its
//! member begins, and that of the next one where it ends. That saves a second pass for the members that are
//! kept as they came.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::found::{Found, FoundDropped, Kind, Member, Value};
use super::schema::{DROPPED_SPANS, Object, Rule, SAMPLE, Slot};
use crate::event::Outcome;

/// A key: borrowed from the line unless it has escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// One value and its rule.
struct Walk<'w, 'de> {
    rule: &'static Rule,
    slot: Option<Slot>,
    found: &'w mut Found<'de>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Walk<'_, '_> {
    fn wrong<E: Error>(&self, met: Unexpected<'_>) -> E {
        E::invalid_type(met, &self.rule.expected())
    }

    fn at_most(&mut self, limit: u16, length: usize, count: impl FnOnce() -> usize) {
        let limit = usize::from(limit);
        if limit != 0 && length > limit && count() > limit {
            self.found
                .violate(Kind::Rule(format!("maxLength({limit})").into()));
        }
    }

    /// Judges a string, and says what is left of it in the slot.
    fn judge<E: Error>(&mut self, text: &str) -> Result<Option<i64>, E> {
        match self.rule {
            Rule::Any | Rule::Body => {}
            Rule::Text(limit) | Rule::TextOrInt(limit) => {
                self.at_most(*limit, text.len(), || text.chars().count());
            }
            Rule::NonEmpty(limit) => {
                self.at_most(*limit, text.len(), || text.chars().count());
                if text.is_empty() {
                    self.found.violate(Kind::Rule("minLength(1)".into()));
                }
            }
            Rule::ServiceName(required) => {
                self.at_most(1024, text.len(), || text.chars().count());
                let legal =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-');
                if text.is_empty() && *required {
                    self.found.violate(Kind::Rule("minLength(1)".into()));
                } else if !text.bytes().all(legal) {
                    self.found
                        .violate(Kind::Rule("pattern(patternAlphaNumericExt)".into()));
                }
            }
            Rule::Outcome => {
                if !text.is_empty() && Outcome::parse(text).is_none() {
                    self.found.violate(Kind::Rule("enum(enumOutcome)".into()));
                }
            }
            Rule::Port => {
                if text.parse::<i64>().is_err() {
                    self.found.violate(Kind::Rule("targetType(int)".into()));
                }
            }
            Rule::Timestamp => {
                let time: jiff::Timestamp = text
                    .parse()
                    .map_err(|_| E::invalid_value(Unexpected::Str(text), &self.rule.expected()))?;
                return Ok(Some(time.as_microsecond()));
            }
            _ => return Err(self.wrong(Unexpected::Str(text))),
        }
        Ok(None)
    }
}

impl<'de> Visitor<'de> for Walk<'_, 'de> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule.expected())
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_borrowed_str<E: Error>(mut self, text: &'de str) -> Result<bool, E> {
        let value = match self.judge(text)? {
            Some(time) => Value::Int(time),
            None => Value::Text(Cow::Borrowed(text)),
        };
        self.found.set(self.slot, value);
        Ok(true)
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<bool, E> {
        let time = self.judge(text)?;
        if self.slot.is_some() {
            let value = time.map_or_else(|| Value::Text(Cow::Owned(text.to_owned())), Value::Int);
            self.found.set(self.slot, value);
        }
        Ok(true)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        match self.rule {
            Rule::Bool | Rule::Any => self.found.set(self.slot, Value::Bool(value)),
            Rule::TextOrInt(_) | Rule::Port => {
                self.found
                    .violate(Kind::Rule("inputTypes(string;int)".into()));
            }
            Rule::Body => self
                .found
                .violate(Kind::Rule("inputTypes(string;object)".into())),
            _ => return Err(self.wrong(Unexpected::Bool(value))),
        }
        Ok(true)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        match self.rule {
            Rule::Int(least) if value < *least => {
                self.found
                    .violate(Kind::Rule(format!("min({least})").into()));
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "the least value of a rule is a small one"
            )]
            Rule::Number(least) if (value as f64) < *least => {
                self.found
                    .violate(Kind::Rule(format!("min({least})").into()));
            }
            Rule::Body => self
                .found
                .violate(Kind::Rule("inputTypes(string;object)".into())),
            Rule::Int(_)
            | Rule::Number(_)
            | Rule::TextOrInt(_)
            | Rule::Port
            | Rule::Timestamp
            | Rule::Any => self.found.set(self.slot, Value::Int(value)),
            _ => return Err(self.wrong(Unexpected::Signed(value))),
        }
        Ok(true)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            #[expect(
                clippy::cast_precision_loss,
                reason = "beyond 64 bits it is a float in any case"
            )]
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<bool, E> {
        match self.rule {
            Rule::Number(least) if value < *least => {
                self.found
                    .violate(Kind::Rule(format!("min({least})").into()));
            }
            Rule::Number(_) | Rule::Any => self.found.set(self.slot, Value::Number(value)),
            Rule::TextOrInt(_) | Rule::Port => {
                self.found
                    .violate(Kind::Rule("inputTypes(string;int)".into()));
            }
            Rule::Body => self
                .found
                .violate(Kind::Rule("inputTypes(string;object)".into())),
            _ => return Err(self.wrong(Unexpected::Float(value))),
        }
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        match self.rule {
            Rule::Object(object) => walk_object(object, self.found, map, None),
            Rule::Any | Rule::Free | Rule::Body => {
                let mut any = matches!(self.rule, Rule::Body);
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    any = true;
                }
                Ok(any)
            }
            Rule::Labels => walk_labels(self.found, map),
            Rule::Headers => walk_each(map, |map| map.next_value_seed(Header)),
            Rule::Marks => walk_each(map, |map| {
                map.next_value_seed(Walk {
                    rule: &Rule::Numbers,
                    slot: None,
                    found: self.found,
                })
            }),
            Rule::Numbers => walk_each(map, |map| map.next_value::<Option<f64>>()),
            Rule::Samples => walk_samples(self.found, map),
            Rule::TextOrInt(_) | Rule::Port => {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                self.found
                    .violate(Kind::Rule("inputTypes(string;int)".into()));
                Ok(true)
            }
            _ => Err(self.wrong(Unexpected::Map)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut any = false;
        match self.rule {
            Rule::List(object) => {
                while let Some(set) = seq.next_element_seed(Nested {
                    object,
                    found: self.found,
                })? {
                    any = true;
                    if !set {
                        self.found.violate(Kind::Element);
                    }
                }
            }
            Rule::Texts(limit) => {
                while let Some(text) = seq.next_element_seed(Key)? {
                    any = true;
                    let limit = usize::from(*limit);
                    if limit != 0 && text.len() > limit && text.chars().count() > limit {
                        self.found
                            .violate(Kind::Rule(format!("maxLength({limit})").into()));
                    }
                }
            }
            Rule::DroppedSpans => {
                while let Some(dropped) = seq.next_element_seed(Dropped { found: self.found })? {
                    any = true;
                    match dropped {
                        Some(dropped) => self.found.dropped.push(dropped),
                        None => self.found.violate(Kind::Element),
                    }
                }
            }
            Rule::Stack | Rule::Any => {
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    any = true;
                }
            }
            Rule::Present => {
                while seq.next_element::<Option<f64>>()?.is_some() {
                    any = true;
                }
                if any {
                    self.found.set(self.slot, Value::Bool(true));
                }
            }
            Rule::Body => {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                self.found
                    .violate(Kind::Rule("inputTypes(string;object)".into()));
                any = true;
            }
            _ => return Err(self.wrong(Unexpected::Seq)),
        }
        Ok(any)
    }
}

/// An object within another; null is an empty one.
pub(super) struct Nested<'w, 'de> {
    pub(super) object: &'static Object,
    pub(super) found: &'w mut Found<'de>,
}

impl<'de> DeserializeSeed<'de> for Nested<'_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_, 'de> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        walk_object(self.object, self.found, map, None)
    }
}

/// The event's own object, whose members are looked up in the line.
pub(super) struct Top<'w, 'de> {
    pub(super) object: &'static Object,
    pub(super) found: &'w mut Found<'de>,
    pub(super) line: &'de str,
}

impl<'de> DeserializeSeed<'de> for Top<'_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, 'de> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        walk_object(self.object, self.found, map, Some(self.line))
    }
}

/// Reads the members of an object; with a line, it also notes where each of them lies.
fn walk_object<'de, A: MapAccess<'de>>(
    object: &'static Object,
    found: &mut Found<'de>,
    mut map: A,
    line: Option<&'de str>,
) -> Result<bool, A::Error> {
    let mut seen = 0u64;
    let mut set = 0u64;
    let mut at = 0;
    while let Some(key) = map.next_key_seed(Key)? {
        let index = object.find(&key, &mut at);
        if matches!(key, Cow::Owned(_)) || is_irregular(&key, index, seen) {
            found.irregular = true;
            return Err(A::Error::custom(
                "keys that are doubled, escaped or in another case",
            ));
        }
        if let Some(line) = line {
            // Never before the line's second byte: the quotation mark comes first.
            let start = key.as_ptr().addr() - line.as_ptr().addr() - 1;
            if let Some(last) = found.members.last_mut() {
                last.end = Some(start);
            }
            let kept = index.is_none_or(|index| object.fields[index].kept);
            found.members.push(Member {
                start,
                end: None,
                kept,
            });
        }
        let Some(index) = index else {
            map.next_value::<IgnoredAny>()?;
            continue;
        };
        let field = &object.fields[index];
        let clean = found.violation.is_none();
        seen |= 1 << index;
        match map.next_value_seed(Walk {
            rule: &field.rule,
            slot: field.slot,
            found,
        }) {
            Ok(is_set) => set |= u64::from(is_set) << index,
            Err(error) => {
                found.path.push(field.name);
                return Err(error);
            }
        }
        if clean && let Some(violation) = &mut found.violation {
            violation.path.push(field.name);
        }
        if matches!(field.rule, Rule::Stack) && set & 1 << index != 0 {
            found.stack = found.members.len().checked_sub(1);
        }
    }
    if set != 0 && found.violation.is_none() {
        complete(object, set, found);
    }
    Ok(set != 0)
}

/// Whether a key means that the line has to be rewritten before it can be read.
fn is_irregular(key: &str, index: Option<usize>, seen: u64) -> bool {
    match index {
        Some(index) => seen & 1 << index != 0,
        None => key.bytes().any(|byte| byte.is_ascii_uppercase()),
    }
}

/// Checks that nothing is missing.
fn complete(object: &'static Object, set: u64, found: &mut Found<'_>) {
    if let Some((names, words)) = object.any_of {
        let is_set = |name: &&str| {
            object
                .fields
                .iter()
                .position(|field| field.name == *name)
                .is_some_and(|index| set & 1 << index != 0)
        };
        if !names.iter().any(is_set) {
            return found.violate(Kind::AnyOf(words));
        }
    }
    let missing = object.required & !set;
    if missing != 0 {
        found.violate(Kind::Required(
            object.fields[missing.trailing_zeros() as usize].name,
        ));
    }
}

fn walk_each<'de, A: MapAccess<'de>, T>(
    mut map: A,
    mut value: impl FnMut(&mut A) -> Result<T, A::Error>,
) -> Result<bool, A::Error> {
    let mut any = false;
    while map.next_key::<IgnoredAny>()?.is_some() {
        any = true;
        value(&mut map)?;
    }
    Ok(any)
}

fn walk_labels<'de, A: MapAccess<'de>>(
    found: &mut Found<'de>,
    mut map: A,
) -> Result<bool, A::Error> {
    let mut any = false;
    while let Some(key) = map.next_key_seed(Key)? {
        any = true;
        match map.next_value_seed(Label)? {
            LabelIs::Fine => {}
            LabelIs::TooLong => found.violate(Kind::Rule("maxLengthVals(1024)".into())),
            LabelIs::Nested => {
                found.violate(Kind::Key(
                    "inputTypesVals(string;bool;number)",
                    key.into_owned(),
                ));
            }
        }
    }
    Ok(any)
}

fn walk_samples<'de, A: MapAccess<'de>>(
    found: &mut Found<'de>,
    mut map: A,
) -> Result<bool, A::Error> {
    let mut any = false;
    while let Some(name) = map.next_key_seed(Key)? {
        any = true;
        let mut inner = Found::default();
        let set = map.next_value_seed(Nested {
            object: &SAMPLE,
            found: &mut inner,
        })?;
        if let Some(violation) = inner.violation.take() {
            found.violation.get_or_insert(violation);
        } else if set && let Some(with) = unpaired(&inner) {
            found.violate(Kind::RequiredWith(with.0, with.1));
        }
        if name.contains(['*', '"']) {
            found.violate(Kind::Rule("patternKeys(patternNoAsteriskQuote)".into()));
        }
        if let Some(value) = inner.number(Slot::Duration) {
            found.samples.push((name, value));
        }
        found.irregular |= inner.irregular;
    }
    Ok(any)
}

/// Values come with counts, and counts with values.
fn unpaired(sample: &Found<'_>) -> Option<(&'static str, &'static str)> {
    match (sample.bool(Slot::Start), sample.bool(Slot::Id)) {
        (Some(true), None) => Some(("counts", "values")),
        (None, Some(true)) => Some(("values", "counts")),
        _ => None,
    }
}

/// The value of a label.
struct Label;

enum LabelIs {
    Fine,
    TooLong,
    Nested,
}

impl<'de> DeserializeSeed<'de> for Label {
    type Value = LabelIs;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LabelIs, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Label {
    type Value = LabelIs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a boolean or a number")
    }

    fn visit_unit<E>(self) -> Result<LabelIs, E> {
        Ok(LabelIs::Fine)
    }

    fn visit_bool<E>(self, _: bool) -> Result<LabelIs, E> {
        Ok(LabelIs::Fine)
    }

    fn visit_i64<E>(self, _: i64) -> Result<LabelIs, E> {
        Ok(LabelIs::Fine)
    }

    fn visit_u64<E>(self, _: u64) -> Result<LabelIs, E> {
        Ok(LabelIs::Fine)
    }

    fn visit_f64<E>(self, _: f64) -> Result<LabelIs, E> {
        Ok(LabelIs::Fine)
    }

    fn visit_str<E>(self, text: &str) -> Result<LabelIs, E> {
        Ok(match text.len() > 1024 && text.chars().count() > 1024 {
            true => LabelIs::TooLong,
            false => LabelIs::Fine,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<LabelIs, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LabelIs::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LabelIs, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(LabelIs::Nested)
    }
}

/// The value of a header: a string, or an array of strings.
struct Header;

impl<'de> DeserializeSeed<'de> for Header {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Header {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Key)?.is_some() {}
        Ok(())
    }
}

/// One entry of `dropped_spans_stats`; `None` where it is null or empty.
struct Dropped<'w, 'de> {
    found: &'w mut Found<'de>,
}

impl<'de> DeserializeSeed<'de> for Dropped<'_, 'de> {
    type Value = Option<FoundDropped<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut inner = Found::default();
        let set = Nested {
            object: &DROPPED_SPANS,
            found: &mut inner,
        }
        .deserialize(deserializer);
        self.found.irregular |= inner.irregular;
        if let Some(violation) = inner.violation.take() {
            self.found.violation.get_or_insert(violation);
        }
        Ok(set?.then(|| FoundDropped {
            outcome: inner.outcome().unwrap_or_default(),
            count: inner.int(Slot::CompositeCount).unwrap_or(0),
            sum: inner.int(Slot::CompositeSum).unwrap_or(0),
            resource: inner.take_text(Slot::DestinationResource),
            target_type: inner.take_text(Slot::TargetType),
            target_name: inner.take_text(Slot::TargetName),
        }))
    }
}
