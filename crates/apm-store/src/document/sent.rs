//! The reverse: a document as an agent would have sent it. So an event that another server stored can be read here.
//!
//! Some facts can be sent in two ways, such as labels, in the metadata or in the event. They come back in one of them.
//! The document that is made of it again is the same.

mod parts;

use serde_json::{Map, Value, json};

use parts::{
    context, exception, function, labels, message, response, sender_labels, service, stacktrace,
};

/// An event of a document: lines of intake v2.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// `{"metadata": …}`
    pub metadata: Value,
    /// `{"transaction": …}` and the like.
    pub event: Value,
}

/// Reads the document of a transaction, a span, an error or a log line; none of anything else.
#[must_use]
pub fn sent(document: &Value) -> Option<Sent> {
    let (kind, event) = match document["processor"]["event"].as_str() {
        Some("transaction") => ("transaction", transaction(document)?),
        Some("span") => ("span", span(document)?),
        Some("error") if document["error"]["id"].is_string() => ("error", error(document)?),
        Some("error") | None => ("log", log(document)?),
        Some(_) => return None,
    };
    let mut line = Map::new();
    line.insert(kind.to_owned(), event);
    Some(Sent {
        metadata: json!({"metadata": metadata(document)}),
        event: Value::Object(line),
    })
}

/// A duration in milliseconds that is read as exactly these microseconds again: the intake cuts, so a rounded-down one
/// would lose one.
#[must_use]
pub fn milliseconds(us: i64) -> f64 {
    let mut ms = us as f64 / 1e3;
    for _ in 0..4 {
        if (ms * 1e6) as i64 / 1000 >= us {
            break;
        }
        ms = ms.next_up();
    }
    ms
}

/// The value at a path with points.
fn at<'v>(from: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(from, |value, name| &value[name])
}

/// Sets a member by a path with slashes, unless the value says nothing.
fn set(to: &mut Value, path: &str, value: Value) {
    if value.is_null() {
        return;
    }
    let mut place = to;
    for name in path.split('/') {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[name];
    }
    *place = value;
}

/// Sets members by the fields that they became.
fn copy(from: &Value, to: &mut Value, pairs: &[(&str, &str)]) {
    for (field, member) in pairs {
        set(to, member, at(from, field).clone());
    }
}

fn metadata(document: &Value) -> Value {
    let mut out = json!({});
    copy(
        document,
        &mut out,
        &[
            ("user.id", "user/id"),
            ("user.name", "user/username"),
            ("user.email", "user/email"),
            ("user.domain", "user/domain"),
            ("service.name", "service/name"),
            ("service.version", "service/version"),
            ("service.environment", "service/environment"),
            ("service.node.name", "service/node/configured_name"),
            ("service.language.name", "service/language/name"),
            ("service.language.version", "service/language/version"),
            ("service.runtime.name", "service/runtime/name"),
            ("service.runtime.version", "service/runtime/version"),
            ("service.framework.name", "service/framework/name"),
            ("service.framework.version", "service/framework/version"),
            ("agent.name", "service/agent/name"),
            ("agent.version", "service/agent/version"),
            ("agent.ephemeral_id", "service/agent/ephemeral_id"),
            ("agent.activation_method", "service/agent/activation_method"),
            ("host.architecture", "system/architecture"),
            ("host.id", "system/host_id"),
            ("host.os.platform", "system/platform"),
            ("host.hostname", "system/detected_hostname"),
            ("host.name", "system/configured_hostname"),
            ("container.id", "system/container/id"),
            ("kubernetes.namespace", "system/kubernetes/namespace"),
            ("kubernetes.node.name", "system/kubernetes/node/name"),
            ("kubernetes.pod.name", "system/kubernetes/pod/name"),
            ("kubernetes.pod.uid", "system/kubernetes/pod/uid"),
            ("process.pid", "process/pid"),
            ("process.parent.pid", "process/ppid"),
            ("process.title", "process/title"),
            ("process.args", "process/argv"),
            ("cloud.account.id", "cloud/account/id"),
            ("cloud.account.name", "cloud/account/name"),
            ("cloud.availability_zone", "cloud/availability_zone"),
            ("cloud.instance.id", "cloud/instance/id"),
            ("cloud.instance.name", "cloud/instance/name"),
            ("cloud.machine.type", "cloud/machine/type"),
            ("cloud.project.id", "cloud/project/id"),
            ("cloud.project.name", "cloud/project/name"),
            ("cloud.provider", "cloud/provider"),
            ("cloud.region", "cloud/region"),
            ("cloud.service.name", "cloud/service/name"),
            ("network.connection.type", "network/connection/type"),
        ],
    );
    set(&mut out, "labels", sender_labels(document));
    // Without these nothing is taken.
    for (member, instead) in [("name", "unknown"), ("version", "unknown")] {
        if !out["service"]["agent"][member].is_string() {
            set(&mut out, &format!("service/agent/{member}"), instead.into());
        }
    }
    out
}

/// The members that transactions and spans share.
fn timed(document: &Value, kind: &str) -> Option<Value> {
    let mut out = json!({});
    let of = &document[kind];
    let us = of["duration"]["us"].as_i64()?;
    out["duration"] = json!(milliseconds(us));
    out["timestamp"] = document["timestamp"]["us"].as_i64()?.into();
    out["sample_rate"] = match of["representative_count"].as_f64() {
        Some(count) if count > 0.0 => json!(1.0 / count),
        _ => json!(0),
    };
    copy(
        document,
        &mut out,
        &[
            ("trace.id", "trace_id"),
            ("parent.id", "parent_id"),
            ("event.outcome", "outcome"),
            ("span.kind", "otel/span_kind"),
        ],
    );
    copy(of, &mut out, &[("name", "name"), ("type", "type")]);
    let links = document["span"]["links"].as_array().map(|links| {
        let link =
            |link: &Value| json!({"trace_id": link["trace"]["id"], "span_id": link["span"]["id"]});
        links.iter().map(link).collect::<Value>()
    });
    set(&mut out, "links", links.unwrap_or_default());
    Some(out)
}

fn transaction(document: &Value) -> Option<Value> {
    let mut out = timed(document, "transaction")?;
    let of = &document["transaction"];
    out["span_count"] =
        json!({"started": of["span_count"]["started"].as_i64().unwrap_or_default()});
    copy(
        of,
        &mut out,
        &[
            ("id", "id"),
            ("result", "result"),
            ("sampled", "sampled"),
            ("span_count.dropped", "span_count/dropped"),
            ("marks", "marks"),
            ("custom", "context/custom"),
            ("experience.cls", "experience/cls"),
            ("experience.fid", "experience/fid"),
            ("experience.tbt", "experience/tbt"),
            ("experience.longtask.count", "experience/longtask/count"),
            ("experience.longtask.max", "experience/longtask/max"),
            ("experience.longtask.sum", "experience/longtask/sum"),
        ],
    );
    copy(
        document,
        &mut out,
        &[
            ("session.id", "session/id"),
            ("session.sequence", "session/sequence"),
        ],
    );
    function(document, &mut out);
    context(document, &mut out);
    message(of, &mut out);
    Some(out)
}

fn span(document: &Value) -> Option<Value> {
    let mut out = timed(document, "span")?;
    let of = &document["span"];
    copy(
        of,
        &mut out,
        &[
            ("id", "id"),
            ("subtype", "subtype"),
            ("action", "action"),
            ("sync", "sync"),
            ("db.instance", "context/db/instance"),
            ("db.link", "context/db/link"),
            ("db.rows_affected", "context/db/rows_affected"),
            ("db.statement", "context/db/statement"),
            ("db.type", "context/db/type"),
            ("db.user.name", "context/db/user"),
            (
                "destination.service.name",
                "context/destination/service/name",
            ),
            (
                "destination.service.resource",
                "context/destination/service/resource",
            ),
            (
                "destination.service.type",
                "context/destination/service/type",
            ),
            (
                "composite.compression_strategy",
                "composite/compression_strategy",
            ),
            ("composite.count", "composite/count"),
        ],
    );
    if let Some(sum) = of["composite"]["sum"]["us"].as_i64() {
        set(&mut out, "composite/sum", json!(milliseconds(sum)));
    }
    copy(
        document,
        &mut out,
        &[
            ("transaction.id", "transaction_id"),
            ("child.id", "child_ids"),
            ("destination.address", "context/destination/address"),
            ("destination.port", "context/destination/port"),
            ("url.original", "context/http/url"),
            ("http.request.method", "context/http/method"),
            ("http.request.id", "context/http/request/id"),
            ("http.request.body.original", "context/http/request/body"),
            ("http.response.status_code", "context/http/status_code"),
        ],
    );
    response(document, &mut out, "context/http/response");
    service(document, &mut out);
    message(of, &mut out);
    labels(document, &mut out, "context/tags");
    set(&mut out, "stacktrace", stacktrace(&of["stacktrace"]));
    Some(out)
}

fn error(document: &Value) -> Option<Value> {
    let mut out = json!({});
    out["timestamp"] = document["timestamp"]["us"].as_i64()?.into();
    let of = &document["error"];
    copy(
        document,
        &mut out,
        &[
            ("error.id", "id"),
            ("trace.id", "trace_id"),
            ("parent.id", "parent_id"),
            ("transaction.id", "transaction_id"),
            ("transaction.name", "transaction/name"),
            ("transaction.type", "transaction/type"),
            ("transaction.sampled", "transaction/sampled"),
        ],
    );
    copy(
        of,
        &mut out,
        &[
            ("culprit", "culprit"),
            ("custom", "context/custom"),
            ("log.level", "log/level"),
            ("log.message", "log/message"),
            ("log.param_message", "log/param_message"),
            ("log.logger_name", "log/logger_name"),
        ],
    );
    context(document, &mut out);
    set(
        &mut out,
        "log/stacktrace",
        stacktrace(&of["log"]["stacktrace"]),
    );
    set(&mut out, "exception", exception(of["exception"].as_array()));
    Some(out)
}

fn log(document: &Value) -> Option<Value> {
    let mut out = json!({});
    out["@timestamp"] = document["@timestamp"].clone();
    if !out["@timestamp"].is_string() {
        return None;
    }
    copy(
        document,
        &mut out,
        &[
            ("message", "message"),
            ("log.level", "log/level"),
            ("log.logger", "log/logger"),
            ("log.origin.file.name", "log/origin/file/name"),
            ("log.origin.file.line", "log/origin/file/line"),
            ("log.origin.function", "log/origin/function"),
            ("process.thread.name", "process/thread/name"),
            ("event.dataset", "event/dataset"),
            ("error.type", "error/type"),
            ("error.message", "error/message"),
            ("error.stack_trace", "error/stack_trace"),
            ("trace.id", "trace.id"),
            ("transaction.id", "transaction.id"),
        ],
    );
    // A line of a transaction has its id in both fields.
    if document["span"]["id"] != document["transaction"]["id"] {
        set(&mut out, "span.id", document["span"]["id"].clone());
    }
    function(document, &mut out);
    labels(document, &mut out, "labels");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_get_their_tree_back() {
        let flat = json!([
            {"type": "a"}, {"type": "b"}, {"type": "c"}, {"type": "d", "parent": 1}, {"type": "e", "parent": 0},
        ]);
        assert_eq!(
            exception(flat.as_array()),
            json!({"type": "a", "cause": [
                {"type": "b", "cause": [{"type": "c"}, {"type": "d"}]},
                {"type": "e"},
            ]})
        );
    }

    #[test]
    fn a_duration_is_read_as_it_was_written() {
        for us in (0..200_000).chain([32_592_981, 3_600_000_001, 1_i64 << 42]) {
            assert_eq!((milliseconds(us) * 1e6) as i64 / 1000, us);
        }
    }

    #[test]
    fn what_is_no_document_of_an_event_is_none() {
        for document in [
            json!({}),
            json!(1),
            json!({"processor": {"event": "metric"}}),
            json!({"processor": {"event": "span"}}),
        ] {
            assert_eq!(sent(&document), None, "{document}");
        }
    }
}
