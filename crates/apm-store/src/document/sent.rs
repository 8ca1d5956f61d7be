//! The reverse: a document as an agent would have sent it. So an event that another server stored can be read here.
//!
//! What an agent may say in two ways comes back in one: labels of the metadata as labels of the event, and the like. The
//! document that is made of it again is the same.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::fields::legal_key;

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

/// `context` of transactions and errors.
fn context(document: &Value, out: &mut Value) {
    copy(
        document,
        out,
        &[
            ("http.request.method", "context/request/method"),
            ("http.request.cookies", "context/request/cookies"),
            ("http.request.env", "context/request/env"),
            ("http.request.body.original", "context/request/body"),
            ("http.request.headers", "context/request/headers"),
            ("http.version", "context/request/http_version"),
            ("http.request.referrer", "context/page/referer"),
            ("url.original", "context/request/url/raw"),
            ("url.full", "context/request/url/full"),
            ("url.domain", "context/request/url/hostname"),
            ("url.path", "context/request/url/pathname"),
            ("url.query", "context/request/url/search"),
            ("url.fragment", "context/request/url/hash"),
            ("url.scheme", "context/request/url/protocol"),
            ("url.port", "context/request/url/port"),
            ("cloud.origin.account.id", "context/cloud/origin/account/id"),
            ("cloud.origin.provider", "context/cloud/origin/provider"),
            ("cloud.origin.region", "context/cloud/origin/region"),
            (
                "cloud.origin.service.name",
                "context/cloud/origin/service/name",
            ),
        ],
    );
    // Behind a proxy the peer is told apart.
    let peer = &document["source"]["nat"]["ip"];
    let peer = if peer.is_string() {
        peer.clone()
    } else {
        peer_address(&document["source"])
    };
    set(out, "context/request/socket/remote_address", peer);
    // A request has a method, or it is not taken.
    if out["context"]["request"].is_object() && !out["context"]["request"]["method"].is_string() {
        set(out, "context/request/method", "".into());
    }
    response(document, out, "context/response");
    service(document, out);
    labels(document, out, "context/tags");
}

fn peer_address(source: &Value) -> Value {
    match (source["ip"].as_str(), source["port"].as_u64()) {
        (Some(ip), Some(port)) if ip.contains(':') => format!("[{ip}]:{port}").into(),
        (Some(ip), Some(port)) => format!("{ip}:{port}").into(),
        (Some(ip), None) => ip.into(),
        _ => Value::Null,
    }
}

fn response(document: &Value, out: &mut Value, to: &str) {
    for name in [
        "status_code",
        "finished",
        "headers_sent",
        "transfer_size",
        "encoded_body_size",
        "decoded_body_size",
        "headers",
    ] {
        let value = document["http"]["response"][name].clone();
        set(out, &format!("{to}/{name}"), value);
    }
}

/// The service that is called, and the one that calls.
fn service(document: &Value, out: &mut Value) {
    copy(
        document,
        out,
        &[
            ("service.target.type", "context/service/target/type"),
            ("service.target.name", "context/service/target/name"),
            ("service.origin.id", "context/service/origin/id"),
            ("service.origin.name", "context/service/origin/name"),
            ("service.origin.version", "context/service/origin/version"),
        ],
    );
}

fn message(of: &Value, out: &mut Value) {
    copy(
        of,
        out,
        &[
            ("message.body", "context/message/body"),
            ("message.routing_key", "context/message/routing_key"),
            ("message.queue.name", "context/message/queue/name"),
            ("message.age.ms", "context/message/age/ms"),
            ("message.headers", "context/message/headers"),
        ],
    );
}

fn function(document: &Value, out: &mut Value) {
    copy(
        document,
        out,
        &[
            ("faas.id", "faas/id"),
            ("faas.name", "faas/name"),
            ("faas.version", "faas/version"),
            ("faas.coldstart", "faas/coldstart"),
            ("faas.execution", "faas/execution"),
            ("faas.trigger.type", "faas/trigger/type"),
            ("faas.trigger.request_id", "faas/trigger/request_id"),
        ],
    );
}

/// The labels of the event's own.
fn labels(document: &Value, out: &mut Value, to: &str) {
    let own = own_labels(document);
    if !own.is_empty() {
        set(out, to, Value::Object(own));
    }
}

/// All labels are taken to be the event's own, except where OpenTelemetry told these apart: `attributes` has them with
/// the names that were sent.
fn own_labels(document: &Value) -> Map<String, Value> {
    let mut own = Map::new();
    if document["attributes"].is_null() && document["span"]["kind"].is_null() {
        for group in ["labels", "numeric_labels"] {
            own.extend(document[group].as_object().cloned().unwrap_or_default());
        }
        return own;
    }
    let mut open = vec![(String::new(), &document["attributes"])];
    while let Some((path, value)) = open.pop() {
        match value.as_object() {
            Some(members) => open.extend(members.iter().map(|(name, value)| {
                let dot = if path.is_empty() { "" } else { "." };
                (format!("{path}{dot}{name}"), value)
            })),
            None if value.is_null() => {}
            None => _ = own.insert(path, value.clone()),
        }
    }
    own
}

/// The labels of the sender: all others.
fn sender_labels(document: &Value) -> Value {
    let own = own_labels(document);
    let own: HashSet<_> = own.keys().map(|name| legal_key(name)).collect();
    let groups = ["labels", "numeric_labels"].map(|group| document[group].as_object());
    let others = groups.into_iter().flatten().flatten();
    let others = others.filter(|(name, _)| !own.contains(name.as_str()));
    let others: Map<String, Value> = others
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    match others.is_empty() {
        true => Value::Null,
        false => Value::Object(others),
    }
}

fn stacktrace(frames: &Value) -> Value {
    let Some(frames) = frames.as_array() else {
        return Value::Null;
    };
    let frame = |frame: &Value| {
        let mut out = json!({});
        for name in [
            "filename",
            "classname",
            "module",
            "function",
            "abs_path",
            "vars",
            "library_frame",
        ] {
            set(&mut out, name, frame[name].clone());
        }
        copy(
            frame,
            &mut out,
            &[
                ("line.number", "lineno"),
                ("line.column", "colno"),
                ("line.context", "context_line"),
                ("context.pre", "pre_context"),
                ("context.post", "post_context"),
            ],
        );
        out
    };
    frames.iter().map(frame).collect()
}

/// The tree of an exception and its causes, of a list depth first: the parent of each is the one before, or is named.
fn exception(flat: Option<&Vec<Value>>) -> Value {
    let mut nodes: Vec<(usize, Value)> = Vec::new();
    for (index, one) in flat.into_iter().flatten().enumerate() {
        let mut node = json!({});
        for name in ["message", "module", "type", "code", "handled", "attributes"] {
            set(&mut node, name, one[name].clone());
        }
        set(&mut node, "stacktrace", stacktrace(&one["stacktrace"]));
        let parent = one["parent"]
            .as_u64()
            .and_then(|parent| usize::try_from(parent).ok());
        let parent = parent.filter(|parent| *parent < index);
        nodes.push((parent.unwrap_or(index.saturating_sub(1)), node));
    }
    // The last ones are nobody's parents.
    while nodes.len() > 1 {
        let Some((parent, node)) = nodes.pop() else {
            break;
        };
        let owner = &mut nodes[parent].1;
        match owner["cause"].as_array_mut() {
            Some(causes) => causes.insert(0, node),
            None => owner["cause"] = json!([node]),
        }
    }
    nodes.pop().map_or(Value::Null, |(_, node)| node)
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
