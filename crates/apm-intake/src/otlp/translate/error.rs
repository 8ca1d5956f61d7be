//! Exceptions, of events of spans and of log records.

use apm_store::event::{ErrorEvent, Event, Id};
use serde_json::json;

use super::Translator;
use super::batches::{Time, keep, note_time};
use super::ids::span_hex;
use super::sender::write_data_stream;
use super::stack;
use crate::conventions::{Json, KeyValue, cut, label};
use crate::elastic::grouping_key;
use crate::hash::hash;

/// The text in the place of a message that an exception does not have.
const NO_MESSAGE: &str = "[EMPTY]";

/// An exception, as attributes tell it.
#[derive(Debug, Default)]
pub(super) struct Exception<'a> {
    kind: &'a str,
    message: &'a str,
    stack: &'a str,
    escaped: bool,
}

/// The origin of an exception.
#[derive(Debug)]
pub(super) struct Origin<'a> {
    pub(super) id: Id,
    pub(super) time: Time,
    pub(super) trace: Option<[u8; 16]>,
    pub(super) parent: Option<u64>,
    /// The transaction, its name and its type, where it is known.
    pub(super) transaction: Option<(u64, (&'a str, &'a str))>,
    /// The text that was logged, used where the exception has no message.
    pub(super) message: &'a str,
}

impl<'a> Exception<'a> {
    /// The exception that attributes tell of: it has a type or a message.
    pub(super) fn from_attributes(attributes: &'a [KeyValue<'a>]) -> Option<Self> {
        let mut found = Self::default();
        for KeyValue { key, value } in attributes {
            let text = value.text().unwrap_or_default();
            match &**key {
                "exception.type" => found.kind = text,
                "exception.message" => found.message = text,
                "exception.stacktrace" => found.stack = text,
                "exception.escaped" => {
                    found.escaped = value.bool() == Some(true) || text.eq_ignore_ascii_case("true")
                }
                _ => {}
            }
        }
        (!found.kind.is_empty() || !found.message.is_empty()).then_some(found)
    }

    /// The message; what stands for one where there is none.
    pub(super) fn message(&self) -> &'a str {
        if self.message.is_empty() {
            NO_MESSAGE
        } else {
            self.message
        }
    }

    pub(super) fn kind(&self) -> &'a str {
        self.kind
    }

    /// Adds an error.
    pub(super) fn add(
        &self,
        to: &mut Translator,
        origin: &Origin<'_>,
        attributes: &[KeyValue<'_>],
        fields: &dyn Fn(&mut Json<'_>),
    ) {
        let kind = cut(self.kind);
        let parsed = stack::parse(&to.sender.language, self.stack);
        let mut exception = json!({"message": self.message(), "handled": !self.escaped});
        if !kind.is_empty() {
            exception["type"] = kind.into();
        }
        let is_parsed = parsed.is_some();
        if let Some(parsed) = parsed {
            exception["stacktrace"] = parsed.frames;
            if let Some(cause) = parsed.cause {
                exception["cause"] = json!([cause]);
            }
        }
        let mut error = json!({"exception": exception});
        // The key is computed while the frames are still there; then they are stored apart.
        let key = grouping_key(&error);
        let frames = error["exception"]
            .as_object_mut()
            .and_then(|exception| exception.remove("stacktrace"))
            .map(|frames| frames.to_string());
        let mut out = std::mem::take(&mut to.json);
        out.clear();
        let mut json = Json::new(&mut out);
        json.open('{');
        if let Some(sent) = origin.time.sent {
            json.int("timestamp", sent);
        }
        json.key("exception").raw(&error["exception"].to_string());
        if let Some((_, (name, kind))) = origin.transaction {
            json.object("transaction", |json| {
                json.text("name", name);
                json.text("type", kind);
                json.bool("sampled", true);
            });
        }
        let others = || {
            attributes
                .iter()
                .filter(|attribute| !attribute.key.starts_with("exception."))
        };
        json.object("context", |json| {
            json.object("service", |json| to.scope.write_context(json));
            json.object("tags", |json| {
                others().for_each(|attribute| label(json, &attribute.key, &attribute.value));
            });
        });
        // An empty object marks the event as one of OpenTelemetry: documents show its labels as attributes too.
        json.key("attributes").raw("{}");
        json.object("ecs", |json| {
            fields(json);
            if let Some(parent) = origin.parent {
                json.text("span.id", &span_hex(parent));
            }
            if !is_parsed {
                json.text("error.stack_trace", self.stack);
            }
            write_data_stream(json, (None, None), (&to.scope, &to.sender), true);
        });
        json.close('}');
        let batch = to.out.next();
        note_time(batch, origin.time);
        others().for_each(|attribute| batch.label(&attribute.key));
        let message = match (self.message, origin.message) {
            ("", "") => NO_MESSAGE,
            ("", logged) => logged,
            (message, _) => message,
        };
        let event = ErrorEvent {
            id: origin.id,
            trace_id: origin.trace.map(Id::Long),
            transaction_id: origin.transaction.map(|(id, _)| Id::Short(id)),
            parent_id: origin.parent.map(Id::Short),
            service: Default::default(),
            timestamp: origin.time.at,
            grouping_key: key,
            kind: keep(batch, Some(kind)),
            message: keep(batch, Some(message)),
            culprit: None,
            handled: Some(!self.escaped),
            transaction_name: origin.transaction.map(|(_, (name, _))| batch.keep(name)),
            transaction_kind: origin.transaction.map(|(_, (_, kind))| batch.keep(kind)),
            stack: frames.map(|frames| batch.keep_stack(&frames, hash(&frames))),
            rest: batch.keep(&out),
        };
        batch.events.push(Event::Error(event));
        to.json = out;
    }
}
