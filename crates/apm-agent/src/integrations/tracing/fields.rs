//! Fields of spans and events: as labels, and as the text of a log line.

use std::fmt::{self, Debug, Write as _};

use ::tracing::field::{Field, Visit};

use crate::sanitize::{REDACTED, without_secrets};
use crate::span::Recording;
use crate::sql;
use crate::transaction::LabelValue;

/// The longest text that is made of one value, in bytes: a label keeps 1024 characters.
const MAX_VALUE: usize = 4 * 1024;
/// The longest text that is made of an event, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// The name of the field that holds the text of an event.
const MESSAGE: &str = "message";

/// Writes fields as labels of a span. Names that `sanitize_field_names` covers keep their name only.
pub(super) struct Labels<'r> {
    recording: &'r mut Recording,
}

impl<'r> Labels<'r> {
    pub(super) fn of(recording: &'r mut Recording) -> Self {
        Self { recording }
    }

    fn set(&mut self, field: &Field, value: impl FnOnce() -> LabelValue) {
        let agent = self.recording.current().transaction.agent.clone();
        let settings = agent.config.load();
        let value = if settings.sanitize_field_names.matches(field.name()) {
            REDACTED.into()
        } else {
            match value() {
                LabelValue::Text(text) => {
                    let text = without_secrets(&text, &settings.sanitize_field_names);
                    match settings.sanitize_sql {
                        true => sql::message(&text, true).into_owned().into(),
                        false => text.into(),
                    }
                }
                value => value,
            }
        };
        self.recording.set_label(field.name(), value);
    }
}

impl Visit for Labels<'_> {
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
        self.set(field, || {
            let mut text = Bounded {
                text: String::new(),
                max: MAX_VALUE,
            };
            // An error is how the sink stops a value that is too long.
            let _ = write!(text, "{value:?}");
            text.text.into()
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
        let bounded = || Bounded {
            text: String::new(),
            max: MAX_LINE,
        };
        Self {
            message: bounded(),
            fields: bounded(),
        }
    }
}

impl Line {
    pub(super) fn into_message(self) -> String {
        let (mut message, fields) = (self.message.text, self.fields.text);
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
            let blank = if self.fields.text.is_empty() { "" } else { " " };
            write!(self.fields, "{blank}{}={value:?}", field.name())
        };
    }
}

/// Takes text up to a length in bytes.
#[derive(Debug)]
struct Bounded {
    text: String,
    max: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let room = self.max.saturating_sub(self.text.len());
        self.text
            .push_str(&piece[..piece.floor_char_boundary(room)]);
        if piece.len() > room {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}
