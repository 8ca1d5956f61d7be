//! Members that several kinds of events share: context, labels, stack traces.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::fields::legal_key;
use super::{copy, set};

/// `context` of transactions and errors.
pub(super) fn context(document: &Value, out: &mut Value) {
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

pub(super) fn response(document: &Value, out: &mut Value, to: &str) {
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
pub(super) fn service(document: &Value, out: &mut Value) {
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

pub(super) fn message(of: &Value, out: &mut Value) {
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

pub(super) fn function(document: &Value, out: &mut Value) {
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
pub(super) fn labels(document: &Value, out: &mut Value, to: &str) {
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
pub(super) fn sender_labels(document: &Value) -> Value {
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

pub(super) fn stacktrace(frames: &Value) -> Value {
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
pub(super) fn exception(flat: Option<&Vec<Value>>) -> Value {
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
