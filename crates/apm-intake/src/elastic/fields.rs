//! The findings of a walk over one event: values of columns, places of the other members, broken rules.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use apm_store::event::{Cost, Outcome};

use super::schema::Slot;
use crate::limits;

/// The value of a field.
#[derive(Debug, Default)]
pub(super) enum Value<'de> {
    #[default]
    Absent,
    Text(Cow<'de, str>),
    Int(i64),
    Number(f64),
    Bool(bool),
}

/// The place of a member of the event's own object: `"key": value`, as byte offsets into the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) start: usize,
    /// Up to the next member, its comma included; unknown for the last one.
    pub(super) end: Option<usize>,
    pub(super) kept: bool,
}

/// Members that there is room for at first: most events have no more.
const MEMBERS: usize = 20;

/// One sample; a histogram has no number.
pub(super) type SampleField<'de> = (Cow<'de, str>, Option<f64>);

/// One entry of `dropped_spans_stats`.
#[derive(Debug)]
pub(super) struct DroppedFields<'de> {
    pub(super) resource: Option<Cow<'de, str>>,
    pub(super) target_type: Option<Cow<'de, str>>,
    pub(super) target_name: Option<Cow<'de, str>>,
    pub(super) outcome: Outcome,
    pub(super) count: i64,
    pub(super) sum: i64,
}

/// A mistake in an event that is well-formed.
#[derive(Debug)]
pub(super) struct Violation {
    /// The names of the fields around it, innermost first.
    pub(super) path: Vec<&'static str>,
    pub(super) kind: Kind,
}

/// The rule that was broken.
#[derive(Debug)]
pub(super) enum Kind {
    /// A value breaks the rule of its field; `maxLength(1024)`.
    Rule(Cow<'static, str>),
    /// A value of a map breaks a rule: the rule and the key.
    Key(&'static str, String),
    /// A member is missing.
    Required(&'static str),
    /// None of several members is there.
    AnyOf(&'static str),
    /// A member is missing that another one asks for.
    RequiredWith(&'static str, &'static str),
    /// An element of an array is null or empty.
    Element,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, around) = match (&self.kind, self.path.split_first()) {
            (Kind::Rule(_) | Kind::Key(..) | Kind::Element, Some((field, around))) => {
                (*field, around)
            }
            _ => ("", self.path.as_slice()),
        };
        for name in around.iter().rev() {
            write!(f, "{name}: ")?;
        }
        match &self.kind {
            Kind::Rule(rule) => write!(f, "'{field}': validation rule '{rule}' violated"),
            Kind::Key(rule, key) => write!(
                f,
                "'{field}': validation rule '{rule}' violated for key {key}"
            ),
            Kind::Required(name) => write!(f, "'{name}' required"),
            Kind::AnyOf(names) => write!(f, "requires at least one of the fields '{names}'"),
            Kind::RequiredWith(name, with) => write!(f, "'{name}' required when '{with}' is set"),
            Kind::Element => write!(f, "{field} slice element required"),
        }
    }
}

/// The findings of a walk.
#[derive(Debug)]
pub(super) struct Fields<'de> {
    slots: [Value<'de>; Slot::COUNT],
    pub(super) members: Vec<Member>,
    /// The member that is the stack trace, if it has frames.
    pub(super) stack: Option<usize>,
    /// The stack trace and its hash, where it is known to be sound and stands in the line for [`super::stack::Cut`].
    pub(super) sound_stack: Option<(&'de str, u128)>,
    pub(super) samples: Vec<SampleField<'de>>,
    pub(super) dropped: Vec<DroppedFields<'de>>,
    /// Names of labels.
    pub(super) labels: Vec<Cow<'de, str>>,
    /// SQLite's work as labels tell it, and whether they tell it: there is one for the steps, which are never left out.
    cost: (Cost, bool),
    /// The first rule that was broken.
    pub(super) violation: Option<Violation>,
    /// The place of JSON of the wrong type: names of fields, innermost first.
    pub(super) path: Vec<&'static str>,
    /// Set where keys are doubled, escaped or in another case: the line is to be rewritten and read again.
    pub(super) irregular: bool,
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self {
            slots: [const { Value::Absent }; Slot::COUNT],
            members: Vec::with_capacity(MEMBERS),
            stack: None,
            sound_stack: None,
            samples: Vec::new(),
            dropped: Vec::new(),
            labels: Vec::new(),
            cost: (Cost::default(), false),
            violation: None,
            path: Vec::new(),
            irregular: false,
        }
    }
}

impl<'de> Fields<'de> {
    pub(super) fn set(&mut self, slot: Option<Slot>, value: Value<'de>) {
        if let Some(slot) = slot {
            self.slots[slot as usize] = value;
        }
    }

    /// Remembers a broken rule, unless there is one already.
    pub(super) fn violate(&mut self, kind: Kind) {
        if self.violation.is_none() {
            self.violation = Some(Violation {
                path: Vec::new(),
                kind,
            });
        }
    }

    pub(super) fn text(&self, slot: Slot) -> Option<&str> {
        match &self.slots[slot as usize] {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text that is not empty.
    pub(super) fn word(&self, slot: Slot) -> Option<&str> {
        self.text(slot).filter(|text| !text.is_empty())
    }

    pub(super) fn take_text(&mut self, slot: Slot) -> Option<Cow<'de, str>> {
        match std::mem::take(&mut self.slots[slot as usize]) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn int(&self, slot: Slot) -> Option<i64> {
        match self.slots[slot as usize] {
            Value::Int(int) => Some(int),
            _ => None,
        }
    }

    /// A label whose name begins with `sqlite_` and that is a number. Another label of that kind is nothing to the
    /// server, and so is a number that cannot be a count.
    pub(super) fn label_of_sqlite(&mut self, name: &str, number: i64) {
        let (cost, is_measured) = &mut self.cost;
        if number >= 0
            && let Some(count) = cost.of_label(name)
        {
            *count = limits::count(number);
            *is_measured |= name == "sqlite_steps";
        }
    }

    /// SQLite's work, where it was measured.
    pub(super) fn cost(&self) -> Option<Cost> {
        let (cost, is_measured) = self.cost;
        is_measured.then(|| Cost {
            rows_changed: self.count(Slot::RowsAffected).filter(|rows| *rows >= 0),
            ..cost
        })
    }

    /// The value of a field that counts something.
    pub(super) fn count(&self, slot: Slot) -> Option<i64> {
        self.int(slot).map(limits::count)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "the protocol's numbers are floats"
    )]
    pub(super) fn number(&self, slot: Slot) -> Option<f64> {
        match self.slots[slot as usize] {
            Value::Int(int) => Some(int as f64),
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn bool(&self, slot: Slot) -> Option<bool> {
        match self.slots[slot as usize] {
            Value::Bool(bool) => Some(bool),
            _ => None,
        }
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.text(Slot::Outcome).and_then(Outcome::parse)
    }

    /// The names of the fields that lead to JSON of the wrong type, in the words of Elastic's server.
    pub(super) fn wrong_at(&self, kind: &str) -> String {
        let own = if kind == "error" { "errorEvent" } else { kind };
        let mut at = format!("v2.{kind}Root.{}: v2.{own}", exported(kind));
        for name in self.path.iter().rev() {
            let _ = write!(at, ".{}", exported(name));
        }
        at
    }
}

/// A field's name as Go would export it: `trace_id` is `TraceID`.
fn exported(name: &str) -> String {
    name.split('_')
        .map(|word| match word {
            "id" => "ID".to_owned(),
            "url" => "URL".to_owned(),
            "http" => "HTTP".to_owned(),
            word => word[..1].to_ascii_uppercase() + &word[1..],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_path_as_elastic_does() {
        let path = vec!["service", "destination", "context", "span"];
        let violation = Violation {
            path,
            kind: Kind::Required("resource"),
        };
        assert_eq!(
            violation.to_string(),
            "span: context: destination: service: 'resource' required"
        );
        let path = vec!["outcome", "span"];
        let violation = Violation {
            path,
            kind: Kind::Rule("enum(enumOutcome)".into()),
        };
        assert_eq!(
            violation.to_string(),
            "span: 'outcome': validation rule 'enum(enumOutcome)' violated"
        );
        let violation = Violation {
            path: vec!["links", "span"],
            kind: Kind::Element,
        };
        assert_eq!(violation.to_string(), "span: links slice element required");
    }

    #[test]
    fn a_wrong_type_is_named_as_elastic_names_it() {
        let fields = Fields {
            path: vec!["trace_id"],
            ..Fields::default()
        };
        assert_eq!(
            fields.wrong_at("transaction"),
            "v2.transactionRoot.Transaction: v2.transaction.TraceID"
        );
    }
}
