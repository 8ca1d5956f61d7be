//! A log record: a line of a log, or an error where it tells of an exception.

use std::borrow::Cow;
use std::fmt::Write as _;

use apm_store::event::{Event, Id, Log};

use super::Translator;
use super::batches::{keep, note_time};
use super::error::{Exception, Origin};
use super::ids::derived;
use super::sender::write_data_stream;
use crate::conventions::{Json, KeyValue, Value, cut, label};
use crate::otlp::model::LogRecord;

/// The attributes of a record by their meaning, but for those of an exception.
#[derive(Debug, Default)]
struct Named<'a> {
    event: &'a str,
    domain: &'a str,
    dataset: Option<&'a str>,
    namespace: Option<&'a str>,
    fields: Vec<(&'static str, &'a str)>,
    labels: Vec<&'a KeyValue<'a>>,
}

impl<'a> Named<'a> {
    fn from_record(record: &'a LogRecord<'a>) -> Self {
        let mut named = Self {
            event: &record.event_name,
            ..Self::default()
        };
        for attribute in &record.attributes {
            match (&*attribute.key, attribute.value.text()) {
                ("event.name", Some(name)) => named.event = name,
                ("event.domain", Some(domain)) => named.domain = domain,
                ("session.id", Some(id)) => named.fields.push(("session.id", id)),
                ("network.connection.type", Some(kind)) => {
                    named.fields.push(("network.connection.type", kind))
                }
                ("data_stream.dataset", dataset @ Some(_)) => named.dataset = dataset,
                ("data_stream.namespace", namespace @ Some(_)) => named.namespace = namespace,
                _ => named.labels.push(attribute),
            }
        }
        // A body that is a map is shown as JSON, and its members can be searched for as labels.
        if let Value::Map(members) = &record.body {
            let is_scalar = |value: &Value<'_>| !matches!(value, Value::Array(_));
            named
                .labels
                .extend(members.iter().filter(|member| is_scalar(&member.value)));
        }
        named
    }

    /// Writes the fields for which intake v2 has no place.
    fn write_fields(&self, json: &mut Json<'_>, record: &LogRecord<'_>) {
        for (field, text) in &self.fields {
            json.text(field, cut(text));
        }
        if record.severity_number != 0 {
            json.int("event.severity", record.severity_number);
        }
        match (self.event.strip_prefix("device."), self.domain) {
            (Some(action), _) => {
                json.text("event.category", "device");
                json.text("event.action", cut(action));
            }
            (None, "device") => {
                json.text("event.category", "device");
                json.text("event.action", cut(self.event));
            }
            (None, _) => json.text("event.action", cut(self.event)),
        }
        if record.dropped_attributes_count > 0 {
            json.int("otel.dropped.attributes", record.dropped_attributes_count);
        }
    }
}

pub(super) fn translate(to: &mut Translator, record: &LogRecord<'_>) {
    let message = shown(&record.body);
    let level = level(record);
    match Exception::from_attributes(&record.attributes) {
        Some(exception) => error(to, record, &exception, (&message, level)),
        None => log(to, record, &message, level),
    }
}

fn log(to: &mut Translator, record: &LogRecord<'_>, message: &str, level: &str) {
    let named = Named::from_record(record);
    let time = time(to, record);
    let mut out = std::mem::take(&mut to.json);
    out.clear();
    let mut json = Json::new(&mut out);
    json.open('{');
    if let Some(sent) = time.sent {
        json.int("@timestamp", sent);
    }
    json.text("message", message);
    json.object("log", |json| json.text("level", level));
    json.object("labels", |json| {
        named
            .labels
            .iter()
            .for_each(|attribute| label(json, &attribute.key, &attribute.value));
    });
    // An empty object marks the event as one of OpenTelemetry: documents show its labels as attributes too.
    json.key("attributes").raw("{}");
    json.object("ecs", |json| {
        to.scope.write_fields(json);
        named.write_fields(json, record);
        let stream = (named.dataset, named.namespace);
        write_data_stream(json, stream, (&to.scope, &to.sender), false);
    });
    json.close('}');
    let batch = to.out.next();
    note_time(batch, time);
    named
        .labels
        .iter()
        .for_each(|attribute| batch.label(&attribute.key));
    let event = Log {
        trace_id: record.trace_id.map(Id::Long),
        transaction_id: None,
        span_id: record.span_id.map(Id::Short),
        service: Default::default(),
        timestamp: time.at,
        level: keep(batch, Some(level)),
        logger: None,
        message: keep(batch, Some(message)),
        has_error: false,
        rest: batch.keep(&out),
    };
    batch.events.push(Event::Log(event));
    to.json = out;
}

fn error(
    to: &mut Translator,
    record: &LogRecord<'_>,
    exception: &Exception<'_>,
    (message, level): (&str, &str),
) {
    let named = Named::from_record(record);
    let origin = Origin {
        // A record has no id. The same record has to get the same one again, so all that identifies it is in it.
        id: derived(&[
            b"log",
            &record.trace_id.unwrap_or_default(),
            &record.span_id.unwrap_or_default().to_be_bytes(),
            &record.time_unix_nano.to_be_bytes(),
            &record.observed_time_unix_nano.to_be_bytes(),
            to.sender.resource.document.as_bytes(),
            exception.kind().as_bytes(),
            exception.message().as_bytes(),
            message.as_bytes(),
        ]),
        time: time(to, record),
        trace: record.trace_id,
        parent: record.span_id,
        transaction: None,
        message,
    };
    let labels: Vec<_> = named
        .labels
        .iter()
        .map(|attribute| (*attribute).clone())
        .collect();
    exception.add(to, &origin, &labels, &|json| {
        json.text("event.kind", "event");
        json.text("event.type", "error");
        json.text("log.level", level);
        json.text("message", message);
        named.write_fields(json, record);
    });
}

/// When it happened, else when it was seen, else when it came.
fn time(to: &Translator, record: &LogRecord<'_>) -> super::batches::Time {
    match (record.time_unix_nano, record.observed_time_unix_nano) {
        (0, 0) => super::batches::Time {
            at: to.out.received(),
            sent: None,
        },
        (0, observed) => to.out.time(observed, to.sender.skew),
        (time, _) => to.out.time(time, to.sender.skew),
    }
}

/// The level as it was sent, else that of its number.
fn level<'a>(record: &'a LogRecord<'_>) -> &'a str {
    match record.severity_number {
        _ if !record.severity_text.is_empty() => cut(&record.severity_text),
        1..=4 => "trace",
        5..=8 => "debug",
        9..=12 => "info",
        13..=16 => "warn",
        17..=20 => "error",
        21..=24 => "fatal",
        _ => "",
    }
}

/// A body as text: of anything but a text, its JSON.
fn shown<'a>(body: &'a Value<'_>) -> Cow<'a, str> {
    match body {
        Value::Empty => Cow::Borrowed(""),
        Value::Text(text) => Cow::Borrowed(text),
        other => {
            let mut out = String::new();
            write_json(&mut out, other);
            Cow::Owned(out)
        }
    }
}

/// JSON, with the keys of maps in order.
fn write_json(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Empty | Value::Bytes => out.push_str("null"),
        Value::Text(text) => Json::new(out).string(text),
        Value::Bool(flag) => _ = write!(out, "{flag}"),
        Value::Int(int) => _ = write!(out, "{int}"),
        Value::Double(number) => out.push_str(&serde_json::Value::from(*number).to_string()),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(out, value);
            }
            out.push(']');
        }
        Value::Map(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|a, b| a.key.cmp(&b.key));
            out.push('{');
            for (index, member) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                Json::new(out).string(&member.key);
                out.push(':');
                write_json(out, &member.value);
            }
            out.push('}');
        }
    }
}
