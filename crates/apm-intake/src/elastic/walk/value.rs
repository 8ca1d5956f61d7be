//! One value and its rule.

mod dropped;
mod object;
mod samples;

use std::borrow::Cow;
use std::fmt;

use apm_store::event::Outcome;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::any_value::AnyValue;
use super::count::{Count, is_negative_zero};
use super::header::Header;
use super::key::Key;
use super::labels::walk_labels;
use crate::elastic::fields::{Fields, Kind, Value};
use crate::elastic::schema::{Rule, Slot};
use crate::elastic::timestamp;
use crate::limits;

use dropped::Dropped;
use object::walk_object;
pub(crate) use object::{IRREGULAR, Members};
use samples::walk_samples;

/// One value and its rule.
pub(super) struct Walk<'w, 'de> {
    pub(super) rule: &'static Rule,
    pub(super) slot: Option<Slot>,
    pub(super) fields: &'w mut Fields<'de>,
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

    /// A rule of the schema is broken.
    fn breaks(&mut self, rule: impl Into<Cow<'static, str>>) {
        self.fields.violate(Kind::Rule(rule.into()));
    }

    /// A value of a type that the rule does not know. Of the values that may have several types, Elastic's server
    /// says that a rule is broken.
    fn other_type<E: Error>(mut self, met: Unexpected<'_>) -> Result<bool, E> {
        match self.rule {
            Rule::TextOrInt(_) | Rule::Port => self.breaks("inputTypes(string;int)"),
            Rule::Body => self.breaks("inputTypes(string;object)"),
            _ => return Err(self.wrong(met)),
        }
        Ok(true)
    }

    fn at_most(&mut self, limit: u16, length: usize, count: impl FnOnce() -> usize) {
        let limit = usize::from(limit);
        // A text with no more bytes than the limit has no more characters, and is not counted.
        if limit != 0 && length > limit && count() > limit {
            self.breaks(format!("maxLength({limit})"));
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
                    self.breaks("minLength(1)");
                }
            }
            Rule::ServiceName(required) => {
                self.at_most(1024, text.len(), || text.chars().count());
                let legal =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-');
                if text.is_empty() && *required {
                    self.breaks("minLength(1)");
                } else if !text.bytes().all(legal) {
                    self.breaks("pattern(patternAlphaNumericExt)");
                }
            }
            Rule::Outcome => {
                if !text.is_empty() && Outcome::parse(text).is_none() {
                    self.breaks("enum(enumOutcome)");
                }
            }
            Rule::Port => {
                if text.parse::<i64>().is_err() {
                    self.breaks("targetType(int)");
                }
            }
            Rule::Timestamp => {
                let time = timestamp::parse(text);
                return time
                    .map(Some)
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self.rule.expected()));
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
        self.fields.set(self.slot, value);
        Ok(true)
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<bool, E> {
        let time = self.judge(text)?;
        if self.slot.is_some() {
            let value = time.map_or_else(|| Value::Text(Cow::Owned(text.to_owned())), Value::Int);
            self.fields.set(self.slot, value);
        }
        Ok(true)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        match self.rule {
            Rule::Bool | Rule::Any => self.fields.set(self.slot, Value::Bool(value)),
            _ => return self.other_type(Unexpected::Bool(value)),
        }
        Ok(true)
    }

    fn visit_i64<E: Error>(mut self, value: i64) -> Result<bool, E> {
        match self.rule {
            Rule::Int(least) if value < *least => {
                self.breaks(format!("min({least})"));
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "the least value of a rule is a small one"
            )]
            Rule::Number(least) if (value as f64) < *least => {
                self.breaks(format!("min({least})"));
            }
            Rule::Int(_) | Rule::Number(_) | Rule::TextOrInt(_) | Rule::Port | Rule::Any => {
                self.fields.set(self.slot, Value::Int(value))
            }
            Rule::Timestamp => self.fields.set(self.slot, Value::Int(limits::time(value))),
            _ => return self.other_type(Unexpected::Signed(value)),
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

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<bool, E> {
        match self.rule {
            Rule::Number(least) if value < *least => {
                self.breaks(format!("min({least})"));
            }
            Rule::Number(_) | Rule::Any => self.fields.set(self.slot, Value::Number(value)),
            // `-0`, which the reader takes for a float.
            Rule::Int(_) | Rule::Timestamp | Rule::TextOrInt(_) | Rule::Port
                if is_negative_zero(value) =>
            {
                return self.visit_i64(0);
            }
            _ => return self.other_type(Unexpected::Float(value)),
        }
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        match self.rule {
            Rule::Object(object) => walk_object(object, self.fields, map, None),
            Rule::Any | Rule::Free | Rule::Body => {
                let mut any = matches!(self.rule, Rule::Body);
                while map.next_entry::<AnyValue, AnyValue>()?.is_some() {
                    any = true;
                }
                Ok(any)
            }
            Rule::Labels => walk_labels(self.fields, map),
            Rule::Headers => walk_each(map, |map| map.next_value_seed(Header)),
            Rule::Marks => walk_each(map, |map| {
                map.next_value_seed(Walk {
                    rule: &Rule::Numbers,
                    slot: None,
                    fields: self.fields,
                })
            }),
            Rule::Numbers => walk_each(map, |map| map.next_value::<Option<f64>>()),
            Rule::Samples => walk_samples(self.fields, map),
            Rule::TextOrInt(_) | Rule::Port => {
                // The value is read to its end, for the rest of the line is judged as well.
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                self.other_type(Unexpected::Map)
            }
            _ => Err(self.wrong(Unexpected::Map)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<bool, A::Error> {
        let mut any = false;
        match self.rule {
            Rule::List(object) => {
                while let Some(set) = seq.next_element_seed(Members::nested(object, self.fields))? {
                    any = true;
                    if !set {
                        self.fields.violate(Kind::Element);
                    }
                }
            }
            Rule::Texts(limit) => {
                while let Some(text) = seq.next_element_seed(Key)? {
                    any = true;
                    self.at_most(*limit, text.len(), || text.chars().count());
                }
            }
            Rule::DroppedSpans => {
                while let Some(dropped) = seq.next_element_seed(Dropped {
                    fields: self.fields,
                })? {
                    any = true;
                    match dropped {
                        Some(dropped) => self.fields.dropped.push(dropped),
                        None => self.fields.violate(Kind::Element),
                    }
                }
            }
            Rule::Stack => {
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    any = true;
                }
            }
            Rule::Any => {
                while seq.next_element::<AnyValue>()?.is_some() {
                    any = true;
                }
            }
            Rule::Present | Rule::Counts => {
                if matches!(self.rule, Rule::Present) {
                    while seq.next_element::<Option<f64>>()?.is_some() {
                        any = true;
                    }
                } else {
                    while let Some(count) = seq.next_element::<Option<Count>>()? {
                        any = true;
                        if count.is_some_and(|Count(count)| count < 0) {
                            self.breaks("minVals(0)");
                        }
                    }
                }
                if any {
                    self.fields.set(self.slot, Value::Bool(true));
                }
                // The array is there, and may be empty.
                return Ok(true);
            }
            Rule::Body => {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return self.other_type(Unexpected::Seq);
            }
            _ => return Err(self.wrong(Unexpected::Seq)),
        }
        Ok(any)
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
