//! Fields of spans and events: as labels, as meaning, and as the text of a log line.

use std::fmt::{Debug, Write as _};

use ::tracing::field::{Field, Visit};

use super::meaning::{Key, Meaning};
use crate::recording::recorder::Recorder;
use crate::recording::transaction::extra::LabelValue;
use crate::sanitize::{REDACTED, without_secrets};
use crate::sql;
use crate::util::bounded::Bounded;

/// The longest text that is made of one value, in bytes: a label keeps 1024 characters.
const MAX_VALUE: usize = 4 * 1024;
/// The longest text that is made of an event, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// The name of the field that holds the text of an event.
const MESSAGE: &str = "message";

/// Fields as labels, and those that have a meaning. They are collected first and put on their span later: formatting a
/// value is code of the service, and runs under no lock. Names that `sanitize_field_names` covers keep their name only.
pub(super) struct Fields<'a> {
    agent: &'a Recorder,
    key_of: fn(&str) -> Option<Key>,
    pub(super) labels: Vec<(&'static str, LabelValue)>,
    pub(super) meaning: Meaning,
}

impl<'a> Fields<'a> {
    pub(super) fn new(agent: &'a Recorder, key_of: fn(&str) -> Option<Key>) -> Self {
        Self {
            agent,
            key_of,
            labels: Vec::new(),
            meaning: Meaning::default(),
        }
    }

    fn set(&mut self, field: &Field, value: impl FnOnce() -> LabelValue) {
        let settings = self.agent.config.load();
        if settings.sanitize_field_names.matches(field.name()) {
            self.labels.push((field.name(), REDACTED.into()));
        } else if let Some(key) = (self.key_of)(field.name()) {
            self.meaning.set(key, field.name(), value());
        } else {
            self.labels.push((field.name(), label(self.agent, value())));
        }
    }
}

/// A value as a label shows it: without the secrets of the URLs and the SQL in it.
pub(super) fn label(agent: &Recorder, value: LabelValue) -> LabelValue {
    let settings = agent.config.load();
    match value {
        LabelValue::Text(text) => {
            let text = without_secrets(&text, &settings.sanitize_field_names);
            match settings.sanitize_sql {
                true => sql::message(&text, true).into_owned().into(),
                false => text.into(),
            }
        }
        value => value,
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, || value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, || value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, || value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, || value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, || value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let most = match (self.key_of)(field.name()) {
            Some(key) => key.longest(),
            None => MAX_VALUE,
        };
        self.set(field, || {
            Bounded::format(format_args!("{value:?}"), most).into()
        });
    }
}

/// An event as one line: its message, and behind it the other fields as `name=value`.
#[derive(Debug)]
pub(super) struct Line {
    message: Bounded,
    fields: Bounded,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            message: Bounded::new(MAX_LINE),
            fields: Bounded::new(MAX_LINE),
        }
    }
}

impl Line {
    pub(super) fn into_message(self) -> String {
        let (mut message, fields) = (self.message.into_text(), self.fields.into_text());
        if !message.is_empty() && !fields.is_empty() {
            message.push(' ');
        }
        message + &fields
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == MESSAGE {
            let _ = self.message.write_str(value);
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = if field.name() == MESSAGE {
            write!(self.message, "{value:?}")
        } else {
            let blank = if self.fields.is_empty() { "" } else { " " };
            write!(self.fields, "{blank}{}={value:?}", field.name())
        };
    }
}
