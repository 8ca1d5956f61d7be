//! Events of a span: an exception is an error, anything else a line of its log.

use apm_store::event::{Event, Id, Log};

use super::batches::{keep, note_time};
use super::error::{Exception, Origin};
use super::ids::{Ids, derived};
use super::sender::write_data_stream;
use super::{Translator, crowded};
use crate::conventions::{Json, KeyValue, cut, label};
use crate::otlp::model::{Span, SpanEvent};

/// The span that events are of, as far as they need it.
pub(super) struct Around<'a> {
    pub(super) ids: Ids,
    /// Name and type, where it is a transaction.
    pub(super) transaction: Option<(&'a str, &'a str)>,
    /// Writes what it says of its request.
    pub(super) shared: &'a dyn Fn(&mut Json<'_>),
}

/// Adds the events of a span.
pub(super) fn translate(to: &mut Translator, span: &Span<'_>, around: &Around<'_>) {
    for (index, event) in span.events.iter().enumerate() {
        // One span may have half a million of them. They are no items that senders count, so that they are only told.
        if to.is_full() {
            to.rejected.reason.get_or_insert_with(crowded);
            return;
        }
        let exception = (event.name == "exception")
            .then(|| Exception::from_attributes(&event.attributes))
            .flatten();
        match exception {
            Some(exception) => error(to, event, around, &exception, index),
            None => log(to, event, around),
        }
    }
}

fn error(
    to: &mut Translator,
    event: &SpanEvent<'_>,
    around: &Around<'_>,
    exception: &Exception<'_>,
    index: usize,
) {
    let Ids { trace, span, .. } = around.ids;
    let time = to.out.time(event.time_unix_nano, to.sender.skew);
    let origin = Origin {
        // The same each time the body is sent again.
        id: derived(&[
            b"span",
            &trace,
            &span.to_be_bytes(),
            &(index as u64).to_be_bytes(),
        ]),
        time,
        trace: Some(trace),
        parent: Some(span),
        transaction: around.transaction.map(|named| (span, named)),
        message: "",
    };
    exception.add(to, &origin, &event.attributes, &|json| {
        (around.shared)(json)
    });
}

fn log(to: &mut Translator, event: &SpanEvent<'_>, around: &Around<'_>) {
    let time = to.out.time(event.time_unix_nano, to.sender.skew);
    let mut out = std::mem::take(&mut to.json);
    out.clear();
    let mut json = Json::new(&mut out);
    json.open('{');
    if let Some(sent) = time.sent {
        json.int("@timestamp", sent);
    }
    json.text("message", &event.name);
    json.object("labels", |json| {
        for KeyValue { key, value } in &event.attributes {
            label(json, key, value);
        }
    });
    // An empty object marks the event as one of OpenTelemetry: documents show its labels as attributes too.
    json.key("attributes").raw("{}");
    json.object("ecs", |json| {
        to.scope.write_fields(json);
        (around.shared)(json);
        write_data_stream(json, (None, None), (&to.scope, &to.sender), false);
    });
    json.close('}');
    let batch = to.out.next();
    note_time(batch, time);
    event
        .attributes
        .iter()
        .for_each(|attribute| batch.label(&attribute.key));
    let event = Log {
        trace_id: Some(Id::Long(around.ids.trace)),
        transaction_id: around.transaction.map(|_| Id::Short(around.ids.span)),
        span_id: Some(Id::Short(around.ids.span)),
        service: Default::default(),
        timestamp: time.at,
        level: None,
        logger: None,
        message: keep(batch, Some(cut(&event.name))),
        has_error: false,
        rest: batch.keep(&out),
    };
    batch.events.push(Event::Log(event));
    to.json = out;
}
