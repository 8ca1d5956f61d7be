//! A span: a transaction where it has no parent or serves somebody, else a span.

use apm_store::event::{Event, Id, Span as SpanRow, Transaction, inferred_target};

use super::Translator;
use super::batches::{Time, keep, note_time};
use super::ids::{Ids, span_hex, trace_hex};
use super::sender::write_data_stream;
use super::span_event::{self, Around};
use super::weight::weight;
use crate::conventions::{
    EventKind, Facts, Json, Kind, SpanMeaning, TransactionMeaning, Value, cut,
};
use crate::limits;
use crate::otlp::model::{Link, Span};
use crate::otlp::shown;

pub(super) fn translate(to: &mut Translator, span: &Span<'_>) {
    let (Some(trace), Some(id)) = (span.trace_id, span.span_id) else {
        let missing = match span.trace_id {
            None => "trace id of 16 bytes",
            Some(_) => "span id of 8 bytes",
        };
        let name = shown(&span.name);
        to.rejected
            .add(|| format!("span \"{name}\" has no {missing}"));
        return;
    };
    let ids = Ids {
        trace,
        span: id,
        parent: span.parent_span_id,
    };
    match (ids.parent, Kind::from_number(span.kind)) {
        (Some(parent), Kind::Internal | Kind::Client | Kind::Producer | Kind::Unspecified) => {
            to.parents.span(trace, id, parent);
            self::span(to, span, ids, parent);
        }
        _ => {
            to.parents.transaction(trace, id);
            transaction(to, span, ids);
        }
    }
}

fn transaction(to: &mut Translator, span: &Span<'_>, ids: Ids) {
    let facts = Facts::from_attributes(&span.attributes, EventKind::Transaction);
    let meaning = TransactionMeaning::new(&facts, span.status.code, to.sender.host.as_deref());
    let time = to.out.time(span.start_time_unix_nano, to.sender.skew);
    let kind = cut(meaning.kind.unwrap_or("unknown"));
    // The memory of the text is used again for each event; `to` is needed while it is written.
    let mut out = std::mem::take(&mut to.json);
    out.clear();
    write_rest(
        &mut out,
        to,
        span,
        (&facts, time),
        |json| {
            json.object("service", |json| to.scope.write_context(json));
            meaning.write_context(json);
        },
        |json| meaning.write_fields(json),
    );
    let name = cut(&span.name);
    let batch = to.out.next();
    note_time(batch, time);
    facts.label_names().for_each(|name| batch.label(name));
    let event = Transaction {
        id: Id::Short(ids.span),
        trace_id: Id::Long(ids.trace),
        parent_id: ids.parent.map(Id::Short),
        service: Default::default(),
        timestamp: time.at,
        duration: duration(span),
        name: keep(batch, Some(name)),
        kind: batch.keep(kind),
        result: keep(batch, meaning.result_of(true)),
        outcome: meaning.outcome,
        sampled: true,
        sample_rate: sample_rate(span, &facts, to.sender.is_jaeger),
        status: meaning.status(),
        spans_started: 0,
        spans_dropped: None,
        dropped: dropped(batch.dropped.len()),
        rest: batch.keep(&out),
    };
    batch.events.push(Event::Transaction(event));
    to.json = out;
    let around = Around {
        ids,
        transaction: Some((name, kind)),
        shared: &|json| meaning.write_shared(json),
    };
    span_event::translate(to, span, &around);
}

fn span(to: &mut Translator, span: &Span<'_>, ids: Ids, parent: u64) {
    let facts = Facts::from_attributes(&span.attributes, EventKind::Span);
    let span_kind = Kind::from_number(span.kind);
    let meaning = SpanMeaning::new(&facts, span.status.code, span_kind);
    let time = to.out.time(span.start_time_unix_nano, to.sender.skew);
    let (kind, subtype) = match (meaning.kind, span_kind) {
        (Some(kind), _) => (kind, meaning.subtype),
        (None, Kind::Internal) => ("app", Some("internal")),
        (None, _) => ("unknown", None),
    };
    let mut out = std::mem::take(&mut to.json);
    out.clear();
    write_rest(
        &mut out,
        to,
        span,
        (&facts, time),
        |json| {
            json.object("service", |json| {
                to.scope.write_context(json);
                meaning.write_target(json);
            });
            meaning.write_context(json, kind);
        },
        |json| facts.write_fields(json),
    );
    let batch = to.out.next();
    note_time(batch, time);
    facts.label_names().for_each(|name| batch.label(name));
    let (target_type, target_name) = match (&meaning.target, meaning.resource()) {
        (Some((kind, name)), _) => (Some(*kind), name.as_deref()),
        (None, Some(resource)) => match inferred_target(resource) {
            Some((kind, name)) => (Some(kind), name),
            None => (None, Some(resource)),
        },
        (None, None) => (None, None),
    };
    let event = SpanRow {
        id: Id::Short(ids.span),
        trace_id: Id::Long(ids.trace),
        // `Parents` finds it when the body is at its end.
        transaction_id: None,
        parent_id: Id::Short(parent),
        service: Default::default(),
        timestamp: time.at,
        duration: duration(span),
        name: batch.keep(cut(&span.name)),
        kind: batch.keep(kind),
        subtype: keep(batch, subtype),
        action: keep(batch, meaning.action),
        outcome: meaning.outcome,
        sample_rate: sample_rate(span, &facts, to.sender.is_jaeger),
        status: meaning.status(),
        resource: keep(batch, meaning.resource()),
        target_type: keep(batch, target_type),
        target_name: keep(batch, target_name),
        db_instance: keep(batch, meaning.db_instance()),
        db_statement: keep(batch, meaning.db_statement()),
        composite: None,
        cost: None,
        stack: None,
        rest: batch.keep(&out),
    };
    batch.events.push(Event::Span(event));
    to.json = out;
    let around = Around {
        ids,
        transaction: None,
        shared: &|json| meaning.write_shared(json),
    };
    span_event::translate(to, span, &around);
}

/// Writes all that has no column of its own.
fn write_rest(
    out: &mut String,
    to: &Translator,
    span: &Span<'_>,
    (facts, time): (&Facts<'_>, Time),
    context: impl FnOnce(&mut Json<'_>),
    fields: impl FnOnce(&mut Json<'_>),
) {
    let mut json = Json::new(out);
    json.open('{');
    if let Some(sent) = time.sent {
        json.int("timestamp", sent);
    }
    json.object("context", |json| {
        context(json);
        json.object("tags", |json| facts.write_labels(json));
    });
    json.object("otel", |json| {
        json.text("span_kind", Kind::from_number(span.kind).as_str())
    });
    json.key("attributes").open('{');
    facts.write_understood(&mut json);
    json.close('}');
    write_links(&mut json, &span.links);
    json.object("ecs", |json| {
        fields(json);
        json.text("event.reason", cut(&span.status.message));
        for (name, count) in [
            ("otel.dropped.attributes", span.dropped_attributes_count),
            ("otel.dropped.events", span.dropped_events_count),
            ("otel.dropped.links", span.dropped_links_count),
        ] {
            if count > 0 {
                json.int(name, count);
            }
        }
        write_children(json, &span.links);
        write_data_stream(json, facts.data_stream(), (&to.scope, &to.sender), false);
    });
    json.close('}');
}

/// Whether a link names a child, which agents say that know of it before it begins.
fn is_child(link: &Link<'_>) -> bool {
    let mut attributes = link.attributes.iter();
    attributes.any(|attribute| {
        matches!(&*attribute.key, "is_child" | "elastic.is_child")
            && attribute.value == Value::Bool(true)
    })
}

fn write_links(json: &mut Json<'_>, links: &[Link<'_>]) {
    let links = links.iter().filter(|link| !is_child(link));
    let mut links = links
        .filter_map(|link| Some((link.trace_id?, link.span_id?)))
        .peekable();
    if links.peek().is_none() {
        return;
    }
    json.key("links").open('[');
    for (trace, span) in links {
        json.open('{');
        json.text("trace_id", &trace_hex(trace));
        json.text("span_id", &span_hex(span));
        json.close('}');
    }
    json.close(']');
}

fn write_children(json: &mut Json<'_>, links: &[Link<'_>]) {
    let mut ids = links
        .iter()
        .filter(|link| is_child(link))
        .filter_map(|link| link.span_id)
        .peekable();
    if ids.peek().is_some() {
        json.key("child.id").open('[');
        ids.for_each(|id| json.element(&span_hex(id)));
        json.close(']');
    }
}

/// µs; 0 where the end is before the start.
fn duration(span: &Span<'_>) -> i64 {
    let nanos = span
        .end_time_unix_nano
        .saturating_sub(span.start_time_unix_nano);
    limits::duration(i64::try_from(nanos / 1000).unwrap_or(i64::MAX))
}

/// The share of spans that are sent, where it is not all of them.
fn sample_rate(span: &Span<'_>, facts: &Facts<'_>, is_jaeger: bool) -> Option<f64> {
    let jaeger = facts.jaeger_weight().filter(|_| is_jaeger);
    let weight = jaeger.unwrap_or_else(|| weight(&span.trace_state));
    match weight {
        1.0 => None,
        0.0 => Some(0.0),
        weight => Some(1.0 / weight),
    }
}

fn dropped(count: usize) -> std::ops::Range<u32> {
    let count = u32::try_from(count).expect("a batch is small");
    count..count
}
