//! The fields that each kind of event adds to its sender's fields.

use xxhash_rust::xxh64::xxh64;

use super::context::{client_http, context, function, message, own_service, target};
use super::fields::{Fields, legal_keys};
use super::stacktrace::{exceptions, stacktrace};
use crate::event::{Outcome, StoredEvent, inferred_target, weight};
use crate::json::{Json, Members};

/// A transaction.
pub(super) fn transaction<'a>(out: &mut Fields<'a>, event: &'a StoredEvent, rest: &'a Json<'a>) {
    out.set("processor.event", "transaction");
    ids(out, event);
    out.set("transaction.id", event.id.as_deref());
    // A transaction is a span of its trace too: Elastic gives it the id of one.
    out.set("span.id", event.id.as_deref());
    timed(out, "transaction", event);
    out.set("transaction.result", event.result.as_deref());
    out.set("transaction.sampled", event.sampled);
    out.set("transaction.span_count.started", event.spans_started);
    out.set("transaction.span_count.dropped", event.spans_dropped);
    function(out, &rest["faas"]);
    context(out, &rest["context"]);
    out.set("transaction.custom", legal_keys(&rest["context"]["custom"]));
    message(out, "transaction", &rest["context"]["message"]);
    for (group, marks) in rest["marks"].members() {
        let group = super::fields::legal_key(group);
        out.set(format!("transaction.marks.{group}"), legal_keys(marks));
    }
    out.copy(
        &rest["session"],
        &[("id", "session.id"), ("sequence", "session.sequence")],
    );
    out.copy(
        &rest["experience"],
        &[
            ("cls", "transaction.experience.cls"),
            ("fid", "transaction.experience.fid"),
            ("tbt", "transaction.experience.tbt"),
            ("longtask/count", "transaction.experience.longtask.count"),
            ("longtask/max", "transaction.experience.longtask.max"),
            ("longtask/sum", "transaction.experience.longtask.sum"),
        ],
    );
    open_telemetry(out, &rest["otel"]);
    links(out, &rest["links"]);
}

/// A span.
pub(super) fn span<'a>(
    out: &mut Fields<'a>,
    event: &'a StoredEvent,
    rest: &'a Json<'a>,
    stack: &'a Json<'a>,
) {
    let own = &rest["context"];
    out.set("processor.event", "span");
    ids(out, event);
    out.set("span.id", event.id.as_deref());
    out.set("transaction.id", event.transaction_id.as_deref());
    timed(out, "span", event);
    out.set("span.subtype", event.subtype.as_deref());
    out.set("span.action", event.action.as_deref());
    out.set("span.sync", rest["sync"].share());
    own_service(out, &own["service"]);
    out.copy(
        &own["db"],
        &[
            ("instance", "span.db.instance"),
            ("link", "span.db.link"),
            ("rows_affected", "span.db.rows_affected"),
            ("statement", "span.db.statement"),
            ("type", "span.db.type"),
            ("user", "span.db.user.name"),
        ],
    );
    destination(
        out,
        &own["destination"],
        own["service"]["target"]["type"].is_string(),
    );
    client_http(out, &own["http"]);
    message(out, "span", &own["message"]);
    out.labels(&own["tags"]);
    let composite = &rest["composite"];
    out.set(
        "span.composite.compression_strategy",
        composite["compression_strategy"].share(),
    );
    out.set("span.composite.count", composite["count"].share());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole microseconds are wanted"
    )]
    out.set(
        "span.composite.sum.us",
        composite["sum"].as_f64().map(|sum| (sum * 1000.0) as i64),
    );
    if !rest["child_ids"].as_list().unwrap_or_default().is_empty() {
        out.set("child.id", rest["child_ids"].share());
    }
    open_telemetry(out, &rest["otel"]);
    links(out, &rest["links"]);
    out.set("span.stacktrace", stacktrace(stack));
}

fn destination<'a>(out: &mut Fields<'a>, destination: &'a Json<'a>, has_target: bool) {
    out.copy(
        destination,
        &[
            ("address", "destination.address"),
            ("port", "destination.port"),
            ("service/name", "span.destination.service.name"),
            ("service/resource", "span.destination.service.resource"),
            ("service/type", "span.destination.service.type"),
        ],
    );
    let address = destination["address"].as_str().unwrap_or_default();
    if let Ok(ip) = address.parse::<std::net::IpAddr>() {
        out.set("destination.ip", ip.to_string());
    }
    let resource = destination["service"]["resource"]
        .as_str()
        .unwrap_or_default();
    if !has_target && !resource.is_empty() {
        let (kind, name) = inferred_target(resource).unwrap_or(("", Some(resource)));
        target(out, kind, name);
    }
}

/// An error.
pub(super) fn error<'a>(
    out: &mut Fields<'a>,
    event: &'a StoredEvent,
    rest: &'a Json<'a>,
    stack: &'a Json<'a>,
) {
    out.set("processor.event", "error");
    out.set("timestamp.us", event.timestamp);
    ids(out, event);
    out.set("error.id", event.id.as_deref());
    out.set("transaction.id", event.transaction_id.as_deref());
    out.set("span.id", event.transaction_id.as_deref());
    let transaction = &rest["transaction"];
    out.copy(
        transaction,
        &[
            ("name", "transaction.name"),
            ("type", "transaction.type"),
            ("sampled", "transaction.sampled"),
        ],
    );
    context(out, &rest["context"]);
    out.set("error.custom", legal_keys(&rest["context"]["custom"]));
    out.set("error.culprit", rest["culprit"].share());
    out.set(
        "error.grouping_key",
        event.grouping_key.map(|key| format!("{key:016x}")),
    );
    let (exception, log) = (&rest["exception"], &rest["log"]);
    let name = [&log["message"], &exception["message"]]
        .into_iter()
        .find(|text| text.as_str().is_some_and(|text| !text.is_empty()));
    if let Some(name) = name {
        out.set("error.grouping_name", name.share());
        out.set("message", name.share());
    }
    // The stack trace that is stored apart belongs to the exception, where there is one.
    let (of_exception, of_log) = match exception.is_object() {
        true => (stack, &log["stacktrace"]),
        false => (&Json::Null, stack),
    };
    out.set("error.exception", exceptions(exception, of_exception));
    if log.as_object().is_some_and(|log| !log.is_empty()) {
        out.set("error.log.level", log["level"].as_str().unwrap_or("error"));
        out.copy(
            log,
            &[
                ("message", "error.log.message"),
                ("param_message", "error.log.param_message"),
                ("logger_name", "error.log.logger_name"),
            ],
        );
        out.set("error.log.stacktrace", stacktrace(of_log));
    }
}

/// A metricset, without its samples.
pub(super) fn metricset<'a>(out: &mut Fields<'a>, rest: &'a Json<'a>) {
    out.set("processor.event", "metric");
    let transaction = &rest["transaction"];
    out.set(
        "metricset.name",
        if is_breakdown(rest) {
            "span_breakdown"
        } else {
            "app"
        },
    );
    out.copy(
        transaction,
        &[("name", "transaction.name"), ("type", "transaction.type")],
    );
    out.copy(
        &rest["span"],
        &[("type", "span.type"), ("subtype", "span.subtype")],
    );
    function(out, &rest["faas"]);
    out.labels(&rest["tags"]);
    if rest["service"]["name"].is_string() {
        out.set("service.name", rest["service"]["name"].share());
        // The version of the metadata is that of another service.
        out.remove("service.version");
        out.set("service.version", rest["service"]["version"].share());
    }
}

/// The samples of a metricset as fields, once all others are set: users choose their names, and may choose those of
/// other fields. What is so called stays under `metricset.samples`.
pub(super) fn samples<'a>(out: &mut Fields<'a>, rest: &'a Json<'a>) {
    let mut taken = Members::new();
    for (name, value) in known_samples(rest) {
        if let Some(value) = out.add(name, value) {
            taken.insert(name.into(), value);
        }
    }
    if !taken.is_empty() {
        out.set("metricset.samples", taken);
    }
}

/// The samples of a metricset that are stored, with their values.
fn known_samples<'a>(rest: &'a Json<'a>) -> impl Iterator<Item = (&'a str, Json<'a>)> {
    let is_breakdown = is_breakdown(rest);
    rest["samples"].members().filter_map(move |(name, sample)| {
        let is_known = matches!(name, "span.self_time.count" | "span.self_time.sum.us");
        if is_breakdown && !is_known {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "both are indexed as whole numbers"
        )]
        let value = match sample["values"].as_list() {
            Some(_) => pair(sample, "values", "counts"),
            // A summary: of what it counts, not which values there were.
            None if sample["value_count"].is_number() => pair(sample, "sum", "value_count"),
            None if is_breakdown => sample["value"].as_f64().map(|value| value as i64).into(),
            None => sample["value"].share(),
        };
        (!value.is_null()).then_some((name, value))
    })
}

/// An object of two members of another.
fn pair<'a>(from: &'a Json<'a>, first: &'static str, second: &'static str) -> Json<'a> {
    let members = [first, second].map(|name| (name.into(), from[name].share()));
    Members::from(members).into()
}

/// The samples as APM Server sends them, for a pipeline of Elasticsearch to make fields and their types of. Times of
/// spans are fields already.
pub(super) fn listed_samples<'a>(out: &mut Fields<'a>, rest: &'a Json<'a>) {
    if is_breakdown(rest) {
        return samples(out, rest);
    }
    // The types of fields of the internal data stream are fixed.
    let is_typed = out.text("data_stream.dataset") != "apm.internal";
    let listed = known_samples(rest).map(|(name, value)| {
        let sample = &rest["samples"][name];
        let mut members = Members::from([("name".into(), name.into())]);
        for told in ["type", "unit"] {
            if is_typed && sample[told].is_string() {
                members.insert(told.into(), sample[told].share());
            }
        }
        match value {
            Json::Object(parts) => members.extend(parts),
            value => _ = members.insert("value".into(), value),
        }
        Json::Object(members)
    });
    let listed: Vec<_> = listed.collect();
    if !listed.is_empty() {
        out.set("metricset.samples", listed);
    }
}

/// Whether a metricset is an agent's own, of how long a transaction's spans took.
fn is_breakdown(rest: &Json<'_>) -> bool {
    let transaction = &rest["transaction"];
    transaction["name"].is_string() || transaction["type"].is_string()
}

/// A log line.
pub(super) fn log<'a>(out: &mut Fields<'a>, event: &'a StoredEvent, rest: &'a Json<'a>) {
    ids(out, event);
    out.set("transaction.id", event.transaction_id.as_deref());
    out.set(
        "span.id",
        event.id.as_deref().or(event.transaction_id.as_deref()),
    );
    function(out, &rest["faas"]);
    out.copy(
        rest,
        &[
            ("message", "message"),
            ("log/level", "log.level"),
            ("log/logger", "log.logger"),
            ("log/origin/file/name", "log.origin.file.name"),
            ("log/origin/file/line", "log.origin.file.line"),
            ("log/origin/function", "log.origin.function"),
            ("service/name", "service.name"),
            ("service/version", "service.version"),
            ("service/environment", "service.environment"),
            ("service/node/name", "service.node.name"),
            ("process/thread/name", "process.thread.name"),
            ("event/dataset", "event.dataset"),
            ("error/type", "error.type"),
            ("error/message", "error.message"),
            ("error/stack_trace", "error.stack_trace"),
        ],
    );
    out.labels(&rest["labels"]);
    // Elastic's server indexes a line that tells of an error as an error.
    if out.get("error").is_some() {
        out.set("processor.event", "error");
        out.set("timestamp.us", event.timestamp);
        // Neither the type nor the message of a log line's error counts: all are of one group.
        out.set("error.grouping_key", format!("{:016x}", xxh64(b"", 0)));
    } else {
        out.set("event.kind", "event");
    }
}

fn ids<'a>(out: &mut Fields<'a>, event: &'a StoredEvent) {
    out.set("trace.id", event.trace_id.as_deref());
    out.set("parent.id", event.parent_id.as_deref());
}

/// The fields that transactions and spans share.
fn timed<'a>(out: &mut Fields<'a>, kind: &str, event: &'a StoredEvent) {
    out.set("timestamp.us", event.timestamp);
    out.set(format!("{kind}.name"), event.name.as_deref());
    out.set(format!("{kind}.type"), event.event_type.as_deref());
    out.set(format!("{kind}.duration.us"), event.duration);
    let weight = weight(event.sample_rate);
    // An event with a sample rate of 0 stands for none.
    if weight > 0.0 {
        out.set(format!("{kind}.representative_count"), whole(weight));
    }
    let outcome = event.outcome.unwrap_or_default();
    out.set("event.outcome", outcome.as_str());
    match outcome {
        Outcome::Success => out.set("event.success_count", whole(weight)),
        Outcome::Failure => out.set("event.success_count", 0),
        Outcome::Unknown => {}
    }
}

/// A number, without a fraction that it does not have.
fn whole(number: f64) -> Json<'static> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only where nothing is lost"
    )]
    match number.fract() == 0.0 && number.abs() < 1e15 {
        true => (number as i64).into(),
        false => number.into(),
    }
}

fn open_telemetry<'a>(out: &mut Fields<'a>, otel: &'a Json<'a>) {
    out.set("span.kind", otel["span_kind"].share());
    out.labels(&otel["attributes"]);
}

fn links<'a>(out: &mut Fields<'a>, links: &'a Json<'a>) {
    let id = |value: &'a Json<'a>| Json::from(Members::from([("id".into(), value.share())]));
    let links: Vec<Json<'a>> = links
        .values()
        .map(|link| {
            let of = [
                ("trace".into(), id(&link["trace_id"])),
                ("span".into(), id(&link["span_id"])),
            ];
            Members::from(of).into()
        })
        .collect();
    if !links.is_empty() {
        out.set("span.links", links);
    }
}
