//! The parameters of a search, and the query that they make.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Query;
use apm_time::{LATEST, Range};
use serde_json::{Map, Value};

/// Traces where no number is asked for, and at most.
const USUAL: usize = 20;
const MOST: usize = 200;

/// Traces that are asked for by their ids.
const MOST_IDS: usize = 50;

/// The time that is searched where none is given, µs.
const HOUR: i64 = 3_600_000_000;

/// Tags that are known by another name here, and the field.
const FIELDS: [(&str, &str); 11] = [
    ("http.method", "http.request.method"),
    ("http.request.method", "http.request.method"),
    ("http.status_code", "http.response.status_code"),
    ("http.response.status_code", "http.response.status_code"),
    ("http.url", "url.original"),
    ("db.statement", "span.db.statement"),
    ("db.query.text", "span.db.statement"),
    ("db.system", "span.subtype"),
    ("db.system.name", "span.subtype"),
    ("peer.service", "span.destination.service.resource"),
    ("deployment.environment", "service.environment"),
];

/// The first value of each parameter.
pub(super) type Pairs = HashMap<String, String>;

/// The parameters of an address.
pub(super) fn pairs(request: &HttpRequest) -> Pairs {
    let all = Query::<Vec<(String, String)>>::from_query(request.query_string());
    let mut pairs = Pairs::new();
    for (name, value) in all.map(Query::into_inner).unwrap_or_default() {
        let known = pairs.entry(name.clone()).or_insert_with(|| value.clone());
        // Ids of traces are given one by one, each under the same name.
        if name == "traceID" && *known != value {
            known.push(',');
            known.push_str(&value);
        }
    }
    pairs
}

/// A parameter that is given and not empty.
fn given<'a>(asked: &'a Pairs, name: &str) -> Option<&'a str> {
    let value = asked.get(name).map(String::as_str);
    value.filter(|value| !value.is_empty())
}

/// The traces that are asked for by their ids.
pub(super) fn ids(asked: &Pairs) -> Vec<String> {
    let ids = given(asked, "traceID").unwrap_or_default();
    let ids = ids.split(',').filter(|id| !id.is_empty());
    ids.take(MOST_IDS).map(str::to_owned).collect()
}

/// A search for traces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) service: String,
    /// In the language of the query bar.
    pub(super) query: String,
    pub(super) range: Range,
    pub(super) limit: usize,
}

impl Search {
    /// Reads it. The error says which parameter is wrong.
    pub(super) fn read(asked: &Pairs, now: i64) -> Result<Self, String> {
        let given = |name| given(asked, name);
        let service = given("service").ok_or("the parameter service is missing")?;
        let mut parts = Vec::new();
        if let Some(operation) = given("operation").filter(|operation| *operation != "all") {
            let name = kql::quoted(operation);
            parts.push(format!("(transaction.name: {name} or span.name: {name})"));
        } else {
            parts.push("processor.event: transaction".to_owned());
        }
        for (name, sign) in [("minDuration", ">="), ("maxDuration", "<=")] {
            if let Some(text) = given(name) {
                let duration = duration(text)
                    .ok_or_else(|| format!("{name}: {text} is no duration such as 1.5s"))?;
                let us = duration.as_micros();
                parts.push(format!(
                    "(transaction.duration.us {sign} {us} or span.duration.us {sign} {us})"
                ));
            }
        }
        if let Some(tags) = given("tags") {
            let tags: Map<String, Value> =
                serde_json::from_str(tags).map_err(|_| "tags: it is no JSON object".to_owned())?;
            for (name, value) in &tags {
                parts.push(tag(name, value)?);
            }
        }
        let time = |name| match given(name) {
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| format!("{name}: {text} is no number of microseconds")),
            None => Ok(None),
        };
        let to = time("end")?.unwrap_or(now).clamp(0, LATEST);
        let from = time("start")?.unwrap_or(to - HOUR).clamp(0, LATEST);
        if from >= to {
            return Err("start: it is not before end".to_owned());
        }
        let limit = match given("limit") {
            Some(text) => text
                .parse()
                .map_err(|_| format!("limit: {text} is no number"))?,
            None => USUAL,
        };
        Ok(Self {
            service: service.to_owned(),
            query: parts.join(" and "),
            range: Range { from, to },
            limit: limit.min(MOST),
        })
    }
}

/// The condition of a tag.
fn tag(name: &str, value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => {
            return Err(format!(
                "tags: the value of {name} is neither text nor a number"
            ));
        }
    };
    if name == "error" {
        return Ok(match &*text {
            "false" => "not event.outcome: failure".to_owned(),
            _ => "event.outcome: failure".to_owned(),
        });
    }
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if !plain {
        return Err(format!("tags: {name:?} is no name of a tag"));
    }
    let known = FIELDS.iter().find(|(tag, _)| *tag == name);
    if let Some((_, field)) = known {
        return Ok(kql::filter(field, &text));
    }
    // Any other tag is a field of the document or a label; names of labels have no dots.
    let label = format!("labels.{}", name.replace('.', "_"));
    Ok(format!(
        "({} or {})",
        kql::filter(name, &text),
        kql::filter(&label, &text)
    ))
}

/// The time that calls between services are asked for: `endTs` and `lookback`, ms.
pub(super) fn lookback(asked: &Pairs, now: i64) -> Result<Range, String> {
    let millis = |name: &str, usual: i64| match given(asked, name) {
        Some(text) => text
            .parse::<i64>()
            .map_err(|_| format!("{name}: {text} is no number of milliseconds")),
        None => Ok(usual),
    };
    let to = millis("endTs", now / 1000)?.clamp(0, LATEST / 1000) * 1000;
    let length = millis("lookback", 24 * HOUR / 1000)?.clamp(1, 90 * 24 * HOUR / 1000) * 1000;
    Ok(Range {
        from: (to - length).max(0),
        to: to.max(1),
    })
}

/// A duration as Go writes them: `1.2s`, `100ms`, `1h30m`, `50us`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        rest = &rest[end..];
        seconds += number * unit;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests;
