//! Events made by hand, as the intake would hand them over.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use apm_store::event::{
    Batch, ErrorEvent, Event, Log, Metricset, Outcome, Resource, Sample, ServiceOverride, Span,
    Transaction,
};

/// 2026-01-01T00:00:00Z, µs.
pub(crate) const NEW_YEAR: i64 = 1_767_225_600_000_000;

/// Now, µs since the epoch.
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_micros()).expect("before 292000")
}

/// A sender.
pub(crate) fn resource(service: &str) -> Arc<Resource> {
    Arc::new(Resource {
        service_name: service.to_owned(),
        environment: Some("test".to_owned()),
        service_version: None,
        agent_name: "rust".to_owned(),
        agent_version: "1.0.0".to_owned(),
        language: None,
        client: None,
        document: format!(r#"{{"metadata":{{"service":{{"name":"{service}"}}}}}}"#),
    })
}

/// An empty batch that arrived now.
pub(crate) fn batch(service: &str) -> Batch {
    Batch::new(resource(service), now())
}

/// Adds a transaction `GET /{name}`, with ids made of its number.
pub(crate) fn transaction(batch: &mut Batch, number: u64, name: &str) -> Transaction {
    Transaction {
        id: batch.keep_id(&format!("{number:016x}")),
        trace_id: batch.keep_id(&format!("{number:032x}")),
        parent_id: None,
        service: ServiceOverride::default(),
        timestamp: NEW_YEAR,
        duration: 1500,
        name: Some(batch.keep(&format!("GET /{name}"))),
        kind: batch.keep("request"),
        result: Some(batch.keep("HTTP 2xx")),
        outcome: Outcome::Success,
        sampled: true,
        sample_rate: Some(1.0),
        status: Some(200),
        spans_started: 1,
        spans_dropped: None,
        dropped: 0..0,
        rest: batch.keep(&format!(r#"{{"context":{{"number":{number}}}}}"#)),
    }
}

/// A span with a statement, a child of the transaction of the same number.
pub(crate) fn span(batch: &mut Batch, number: u64, statement: &str) -> Span {
    let stack = batch.keep(r#"[{"filename":"main.rs","lineno":7}]"#);
    Span {
        id: batch.keep_id(&format!("{:016x}", number | 1 << 63)),
        trace_id: batch.keep_id(&format!("{number:032x}")),
        transaction_id: Some(batch.keep_id(&format!("{number:016x}"))),
        parent_id: batch.keep_id(&format!("{number:016x}")),
        service: ServiceOverride::default(),
        timestamp: NEW_YEAR + 100,
        duration: 700,
        name: batch.keep("SELECT FROM people"),
        kind: batch.keep("db"),
        subtype: Some(batch.keep("sqlite")),
        action: Some(batch.keep("query")),
        outcome: Outcome::Success,
        sample_rate: Some(1.0),
        status: None,
        resource: Some(batch.keep("sqlite/people.db")),
        target_type: Some(batch.keep("sqlite")),
        target_name: Some(batch.keep("people.db")),
        db_instance: Some(batch.keep("people.db")),
        db_statement: Some(batch.keep(statement)),
        composite: None,
        cost: None,
        stack: Some(stack),
        rest: batch.keep(&format!(r#"{{"span":{number}}}"#)),
    }
}

/// An error in the transaction of a number.
pub(crate) fn error(batch: &mut Batch, number: u64) -> ErrorEvent {
    ErrorEvent {
        id: batch.keep_id(&format!("{:032x}", u128::from(number) | 1 << 127)),
        trace_id: Some(batch.keep_id(&format!("{number:032x}"))),
        transaction_id: Some(batch.keep_id(&format!("{number:016x}"))),
        parent_id: Some(batch.keep_id(&format!("{number:016x}"))),
        service: ServiceOverride::default(),
        timestamp: NEW_YEAR + 200,
        grouping_key: 0xef46_db37_51d8_e999,
        kind: Some(batch.keep("Overflow")),
        message: Some(batch.keep("too much")),
        culprit: Some(batch.keep("main")),
        handled: Some(false),
        transaction_name: Some(batch.keep("GET /a")),
        transaction_kind: Some(batch.keep("request")),
        stack: None,
        rest: batch.keep(r#"{"exception":{"type":"Overflow"}}"#),
    }
}

/// A metricset with one sample.
pub(crate) fn metricset(batch: &mut Batch, value: f64) -> Metricset {
    let name = batch.keep("system.memory.total");
    let first = u32::try_from(batch.samples.len()).expect("few");
    batch.samples.push(Sample::gauge(name, value));
    Metricset {
        service: ServiceOverride::default(),
        timestamp: NEW_YEAR,
        breakdown: None,
        samples: first..first + 1,
        labels: None,
        rest: batch.keep(r#"{"samples":{}}"#),
    }
}

/// A log line in the trace of a number.
pub(crate) fn log(batch: &mut Batch, number: u64) -> Log {
    Log {
        trace_id: Some(batch.keep_id(&format!("{number:032x}"))),
        transaction_id: None,
        span_id: None,
        service: ServiceOverride::default(),
        timestamp: NEW_YEAR + 300,
        level: Some(batch.keep("info")),
        logger: None,
        message: Some(batch.keep("hello")),
        has_error: false,
        rest: batch.keep(r#"{"message":"hello"}"#),
    }
}

/// A batch of `count` transactions with a span each; numbers from `first` on.
pub(crate) fn pairs(service: &str, first: u64, count: u64) -> Batch {
    let mut batch = batch(service);
    for number in first..first + count {
        let event = transaction(&mut batch, number, "a");
        batch.events.push(Event::Transaction(event));
        let event = span(&mut batch, number, "select * from people where id = 1");
        batch.events.push(Event::Span(event));
    }
    batch
}
