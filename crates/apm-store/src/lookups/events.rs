//! Events made of numbers, as an intake hands them over.

use std::sync::Arc;

use crate::event::{
    Batch, ErrorEvent, Event, Metricset, Outcome, Resource, Sample, ServiceOverride, Span,
    Transaction,
};

/// Seconds since the epoch.
pub(super) const NEW_YEAR: i64 = 1_767_225_600;

/// When all of these events happened, µs since the epoch.
const TIME: i64 = NEW_YEAR * 1_000_000;

/// Names of a table that are made of numbers; everything else is the same each time.
pub(super) fn named(table: &str, numbers: std::ops::Range<u64>) -> Vec<Batch> {
    match table {
        "service" => numbers
            .map(|number| batch(&format!("shop {number}"), 1, table, number..number + 1))
            .collect(),
        "resource" | "instance" => numbers
            .map(|number| batch("shop", number, table, number..number + 1))
            .collect(),
        _ => vec![batch("shop", 1, table, numbers)],
    }
}

/// A batch of one sender with an event for each number.
fn batch(service: &str, pid: u64, table: &str, numbers: std::ops::Range<u64>) -> Batch {
    let resource = Resource {
        service_name: service.to_owned(),
        environment: None,
        service_version: None,
        agent_name: "a".to_owned(),
        agent_version: "1".to_owned(),
        language: None,
        client: None,
        document: format!(
            r#"{{"metadata":{{"process":{{"pid":{pid}}},
            "service":{{"name":"{service}","node":{{"configured_name":"n{pid}"}}}}}}}}"#
        ),
    };
    let mut batch = Batch::new(Arc::new(resource), TIME);
    for number in numbers {
        let event = event(&mut batch, table, number);
        batch.events.push(event);
    }
    batch
}

fn event(batch: &mut Batch, table: &str, number: u64) -> Event {
    match table {
        "tx_group" => transaction(batch, number, &format!("GET /{number}"), "ok"),
        "result" => transaction(batch, number, "GET /", &format!("code {number}")),
        "span_group" => span(
            batch,
            number,
            &format!("call {number}"),
            "db",
            "SELECT 1",
            1,
        ),
        "destination" => span(
            batch,
            number,
            "call",
            &format!("host-{number}"),
            "SELECT 1",
            1,
        ),
        "statement" => {
            let statement = format!("SELECT c{number} FROM t");
            span(batch, number, "call", "db", &statement, 1)
        }
        "stack" => span(batch, number, "call", "db", "SELECT 1", number),
        "error_group" => error(batch, number),
        "metric_name" => metric(batch, number, "{}"),
        "metric_series" => metric(batch, 0, &format!(r#"{{"pool":{number}}}"#)),
        _ => transaction(batch, number, "GET /", "ok"),
    }
}

fn transaction(batch: &mut Batch, number: u64, name: &str, result: &str) -> Event {
    Event::Transaction(Transaction {
        id: batch.keep_id(&format!("{number:016x}")),
        trace_id: batch.keep_id(&format!("{number:032x}")),
        parent_id: None,
        service: ServiceOverride::default(),
        timestamp: TIME,
        duration: 1_000,
        name: Some(batch.keep(name)),
        kind: batch.keep("request"),
        result: Some(batch.keep(result)),
        outcome: Outcome::Unknown,
        sampled: true,
        sample_rate: None,
        status: None,
        spans_started: 0,
        spans_dropped: None,
        dropped: 0..0,
        rest: batch.keep("{}"),
    })
}

fn span(batch: &mut Batch, number: u64, name: &str, host: &str, sql: &str, line: u64) -> Event {
    let stack = batch.keep(&format!(r#"[{{"filename":"f","lineno":{line}}}]"#));
    Event::Span(Span {
        id: batch.keep_id(&format!("{number:016x}")),
        trace_id: batch.keep_id(&format!("{number:032x}")),
        transaction_id: None,
        parent_id: batch.keep_id(&format!("{number:016x}")),
        service: ServiceOverride::default(),
        timestamp: TIME,
        duration: 1_000,
        name: batch.keep(name),
        kind: batch.keep("db"),
        subtype: Some(batch.keep("sqlite")),
        action: None,
        outcome: Outcome::Unknown,
        sample_rate: None,
        status: None,
        resource: Some(batch.keep(host)),
        target_type: None,
        target_name: Some(batch.keep(host)),
        db_instance: None,
        db_statement: Some(batch.keep(sql)),
        composite: None,
        cost: None,
        stack: Some(stack),
        rest: batch.keep("{}"),
    })
}

fn error(batch: &mut Batch, number: u64) -> Event {
    Event::Error(ErrorEvent {
        id: batch.keep_id(&format!("{number:016x}")),
        trace_id: None,
        transaction_id: None,
        parent_id: None,
        service: ServiceOverride::default(),
        timestamp: TIME,
        grouping_key: number,
        kind: Some(batch.keep(&format!("Fault{number}"))),
        message: None,
        culprit: None,
        handled: None,
        transaction_name: None,
        transaction_kind: None,
        stack: None,
        rest: batch.keep("{}"),
    })
}

fn metric(batch: &mut Batch, number: u64, labels: &str) -> Event {
    let name = batch.keep(&format!("metric.{number}"));
    let first = u32::try_from(batch.samples.len()).expect("few");
    batch.samples.push(Sample::gauge(name, 1.0));
    Event::Metricset(Metricset {
        service: ServiceOverride::default(),
        timestamp: TIME,
        breakdown: None,
        samples: first..first + 1,
        labels: Some(batch.keep(labels)),
        rest: batch.keep("{}"),
    })
}
