//! The context of transactions, spans and errors: request, response, message, function.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::fields::Fields;
use super::{address, origin};
use crate::json::{Json, Members};

/// `context` of transactions and errors.
pub(super) fn context<'a>(out: &mut Fields<'a>, context: &'a Json<'a>) {
    own_service(out, &context["service"]);
    origin::user(out, &context["user"]);
    request(out, &context["request"]);
    response(out, &context["response"]);
    url(out, &context["request"]["url"]);
    page(out, context);
    out.labels(&context["tags"]);
    out.copy(
        &context["cloud"]["origin"],
        &[
            ("account/id", "cloud.origin.account.id"),
            ("provider", "cloud.origin.provider"),
            ("region", "cloud.origin.region"),
            ("service/name", "cloud.origin.service.name"),
        ],
    );
}

/// The service that an event names for itself, and the one that it calls or is called by.
pub(super) fn own_service<'a>(out: &mut Fields<'a>, service: &'a Json<'a>) {
    origin::service(out, service);
    out.copy(
        service,
        &[
            ("origin/id", "service.origin.id"),
            ("origin/name", "service.origin.name"),
            ("origin/version", "service.origin.version"),
        ],
    );
    let (kind, name) = (&service["target"]["type"], &service["target"]["name"]);
    if kind.is_string() || name.is_string() {
        target(out, kind.as_str().unwrap_or_default(), name.as_str());
    }
}

/// The target of a call as a whole. It has a type, which may be empty.
pub(super) fn target<'a>(out: &mut Fields<'a>, kind: &'a str, name: Option<&'a str>) {
    out.remove("service.target");
    out.set_even_empty("service.target.type", kind);
    out.set("service.target.name", name);
}

fn request<'a>(out: &mut Fields<'a>, request: &'a Json<'a>) {
    out.copy(
        request,
        &[
            ("method", "http.request.method"),
            ("cookies", "http.request.cookies"),
            ("env", "http.request.env"),
            ("body", "http.request.body.original"),
            ("http_version", "http.version"),
        ],
    );
    let sent = headers(&request["headers"]);
    if let Some(agent) = sent.get("User-Agent") {
        out.set("user_agent.original", joined(agent.clone()));
    }
    client(
        out,
        request["socket"]["remote_address"]
            .as_str()
            .unwrap_or_default(),
        &sent,
    );
    if !sent.is_empty() {
        out.set("http.request.headers", sent);
    }
}

fn response<'a>(out: &mut Fields<'a>, response: &'a Json<'a>) {
    out.copy(
        response,
        &[
            ("status_code", "http.response.status_code"),
            ("finished", "http.response.finished"),
            ("headers_sent", "http.response.headers_sent"),
            ("transfer_size", "http.response.transfer_size"),
            ("encoded_body_size", "http.response.encoded_body_size"),
            ("decoded_body_size", "http.response.decoded_body_size"),
        ],
    );
    let sent = headers(&response["headers"]);
    if !sent.is_empty() {
        out.set("http.response.headers", sent);
    }
}

/// `context.http` of spans.
pub(super) fn client_http<'a>(out: &mut Fields<'a>, http: &'a Json<'a>) {
    out.set("url.original", http["url"].share());
    out.set("http.request.method", http["method"].share());
    out.set("http.request.id", http["request"]["id"].share());
    out.set(
        "http.request.body.original",
        http["request"]["body"].share(),
    );
    response(out, &http["response"]);
    // This older field wins where both are sent, as on Elastic's server.
    out.set("http.response.status_code", http["status_code"].share());
}

/// `context.message`, under `transaction` or `span`.
pub(super) fn message<'a>(out: &mut Fields<'a>, kind: &str, message: &'a Json<'a>) {
    for (member, field) in [("body", "body"), ("routing_key", "routing_key")] {
        out.set(format!("{kind}.message.{field}"), message[member].share());
    }
    out.set(
        format!("{kind}.message.queue.name"),
        message["queue"]["name"].share(),
    );
    out.set(
        format!("{kind}.message.age.ms"),
        message["age"]["ms"].share(),
    );
    let sent = headers(&message["headers"]);
    if !sent.is_empty() {
        out.set(format!("{kind}.message.headers"), sent);
    }
}

/// `faas`
pub(super) fn function<'a>(out: &mut Fields<'a>, faas: &'a Json<'a>) {
    out.copy(
        faas,
        &[
            ("id", "faas.id"),
            ("name", "faas.name"),
            ("version", "faas.version"),
            ("coldstart", "faas.coldstart"),
            ("execution", "faas.execution"),
            ("trigger/type", "faas.trigger.type"),
            ("trigger/request_id", "faas.trigger.request_id"),
        ],
    );
}

fn url<'a>(out: &mut Fields<'a>, url: &'a Json<'a>) {
    out.copy(
        url,
        &[
            ("raw", "url.original"),
            ("full", "url.full"),
            ("hostname", "url.domain"),
            ("pathname", "url.path"),
            ("search", "url.query"),
            ("hash", "url.fragment"),
        ],
    );
    if let Some(scheme) = url["protocol"].as_str() {
        out.set("url.scheme", scheme.strip_suffix(':').unwrap_or(scheme));
    }
    match &url["port"] {
        // Agents send it as a number or as a text; Elasticsearch indexes numbers.
        Json::Text(port) => out.set("url.port", port.parse::<u32>().ok()),
        port => out.set("url.port", port.share()),
    }
}

/// The page that a browser was on, taken apart where the request has no address of its own.
fn page<'a>(out: &mut Fields<'a>, context: &'a Json<'a>) {
    out.set("http.request.referrer", context["page"]["referer"].share());
    let has_url = context["request"]["url"]
        .as_object()
        .is_some_and(|url| !url.is_empty());
    let Some(page) = context["page"]["url"].as_str().filter(|_| !has_url) else {
        return;
    };
    let original = address::cut(page);
    out.set("url.original", original);
    let Some(parts) = address::parse(original) else {
        return;
    };
    out.set("url.full", parts.full);
    out.set("url.scheme", parts.scheme);
    out.set("url.domain", parts.domain);
    out.set("url.port", parts.port);
    out.set("url.path", parts.path);
    out.set("url.query", parts.query);
    out.set("url.fragment", parts.fragment);
}

/// Headers under the names that Go gives them. One value is a text, several are an array.
fn headers<'a>(sent: &'a Json<'a>) -> Members<'a> {
    let mut headers = BTreeMap::<Cow<'a, str>, Vec<Json<'a>>>::new();
    for (name, value) in sent.members() {
        let values = headers.entry(canonical(name)).or_default();
        match value {
            Json::List(several) => values.extend(several.iter().map(Json::share)),
            Json::Null => {}
            value => values.push(value.share()),
        }
    }
    let single = |mut values: Vec<Json<'a>>| match values.len() {
        1 => values.remove(0),
        _ => Json::List(values),
    };
    headers
        .into_iter()
        .map(|(name, values)| (name, single(values)))
        .collect()
}

/// `content-type` as `Content-Type`; what is not a name of a header stays as it is.
fn canonical(name: &str) -> Cow<'_, str> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_cased = |(at, byte): (usize, u8)| match at == 0 || name.as_bytes()[at - 1] == b'-' {
        true => !byte.is_ascii_lowercase(),
        false => !byte.is_ascii_uppercase(),
    };
    if !name.bytes().all(is_token) || name.bytes().enumerate().all(is_cased) {
        return Cow::Borrowed(name);
    }
    let mut is_start = true;
    let cased = name.chars().map(|c| {
        let cased = if is_start {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        };
        is_start = c == '-';
        cased
    });
    Cow::Owned(cased.collect())
}

fn joined(values: Json<'_>) -> Json<'_> {
    match values {
        Json::List(values) => {
            let texts: Vec<_> = values.iter().filter_map(Json::as_str).collect();
            texts.join(", ").into()
        }
        value => value,
    }
}

/// The client: the address that a proxy names, else the peer. With a proxy, the peer is `source.nat.ip`.
fn client(out: &mut Fields<'_>, socket: &str, headers: &Members<'_>) {
    let peer = address(socket);
    let named = forwarded(headers);
    if let Some((ip, port)) = named.or(peer) {
        for side in ["source", "client"] {
            out.set(format!("{side}.ip"), ip.to_string());
        }
        // The port of a peer is that of a connection long gone; that of a proxied client is told.
        let sides: &[&str] = if named.is_some() {
            &["source", "client"]
        } else {
            &["source"]
        };
        for side in sides {
            out.set(format!("{side}.port"), port);
        }
    }
    if let (Some(_), Some((ip, _))) = (named, peer) {
        out.set("source.nat.ip", ip.to_string());
    }
}

fn forwarded(headers: &Members<'_>) -> Option<(IpAddr, Option<u16>)> {
    let first = |name: &str| {
        let value = headers.get(name)?;
        let value = value
            .as_str()
            .or_else(|| value.as_list()?.first()?.as_str())?;
        Some(value.split(',').next()?.trim())
    };
    let pair = first("Forwarded").and_then(|element| {
        let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))
    });
    // Elastic's server looks for them in this order.
    pair.and_then(|(_, value)| address(value))
        .or_else(|| first("X-Real-Ip").and_then(address))
        .or_else(|| first("X-Forwarded-For").and_then(address))
}

fn address(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let text = text.trim().trim_matches('"');
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some((address.ip().to_canonical(), Some(address.port())));
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let ip: IpAddr = bare.parse().ok()?;
    // Node.js tells IPv4 addresses as `::ffff:10.0.0.1`. A search for the address that people know finds them.
    Some((ip.to_canonical(), None))
}

#[cfg(test)]
mod tests;
