//! Charts, whose numbers can be counted by hand.

use actix_web::test::read_body;
use apm_server::analytics::distribution::Scale;
use apm_server::analytics::instances::Servers;
use apm_server::analytics::samples::Durations;
use apm_server::analytics::{
    Scope, breakdown, distribution, latency, metrics, samples, throughput,
};
use apm_store::StoreError;
use apm_store::event::{Breakdown, Event};

use super::api::get;
use super::lists::close;
use super::{batch, of_service, open, shop, store_all, window};
use crate::support::events::{NEW_YEAR, metricset};

#[test]
fn a_chart_has_a_value_for_each_minute_and_each_result() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    shop(&store);
    let (chart, results) = store
        .read::<_, StoreError>(|conn| {
            let scope = of_service("shop");
            Ok((
                latency::chart(conn, &scope, &window())?,
                throughput::chart(conn, &scope, &window())?,
            ))
        })
        .expect("charts");
    assert_eq!(chart.axis.buckets.len(), 15);
    // The first minute: a's 1 to 60 ms and all of b.
    assert!(close(Some(chart.count[0]), 110.0) && close(Some(chart.throughput[0]), 110.0));
    assert!(close(chart.avg[1], 80_500.0), "{:?}", chart.avg);
    assert_eq!(chart.percentiles[1].map(|of| of.p95), Some(98_000.0));
    assert!(close(chart.failed_rate[0], 11.0 / 110.0));
    assert_eq!((chart.avg[2], chart.failed_rate[2]), (None, None));
    let counts: Vec<(&str, f64)> = results
        .results
        .iter()
        .map(|of| (of.result.as_str(), of.count))
        .collect();
    assert_eq!(counts, [("HTTP 2xx", 135.0), ("HTTP 5xx", 15.0)]);
    assert!(close(Some(results.results[0].mean), 9.0));
}

#[test]
fn a_brush_selects_the_samples_of_its_durations_newest_first() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    shop(&store);
    let scope = Scope {
        transaction_name: Some("GET /a".to_owned()),
        ..of_service("shop")
    };
    let durations = Durations {
        min: 10_000,
        max: 20_000,
    };
    let (spread, brushed) = store
        .read::<_, StoreError>(|conn| {
            Ok((
                distribution::chart(conn, &scope, &window(), Scale::Linear)?,
                samples::list(conn, &scope, &window(), durations, 500)?,
            ))
        })
        .expect("samples");
    assert!(spread.exact && close(Some(spread.count), 100.0));
    let failed: f64 = spread.bars.iter().map(|bar| bar.failed).sum();
    assert!(close(Some(failed), 10.0));
    let found: Vec<i64> = brushed.iter().map(|sample| sample.duration).collect();
    assert_eq!(
        found,
        (10..20).rev().map(|ms| ms * 1000).collect::<Vec<_>>()
    );
    assert_eq!(brushed[0].trace_id, format!("{:032x}", 19));
    assert_eq!(brushed[9].outcome, "failure");
}

#[test]
fn memory_in_use_is_of_the_limit_that_counts() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    let mut gauges = |minute: i64, values: &[(&str, f64)]| {
        let mut event = metricset(&mut events, 1000.0);
        event.timestamp = NEW_YEAR + minute * super::MINUTE;
        for (name, value) in values {
            let name = events.keep(name);
            events
                .samples
                .push(apm_store::event::Sample::gauge(name, *value));
            event.samples.end += 1;
        }
        events.events.push(Event::Metricset(event));
    };
    gauges(
        0,
        &[
            ("system.memory.actual.free", 250.0),
            ("system.cpu.total.norm.pct", 0.5),
        ],
    );
    gauges(
        1,
        &[
            ("system.process.cgroup.memory.mem.usage.bytes", 100.0),
            ("system.process.cgroup.memory.mem.limit.bytes", 200.0),
        ],
    );
    gauges(
        2,
        &[
            ("system.process.cgroup.memory.mem.usage.bytes", 100.0),
            (
                "system.process.cgroup.memory.mem.limit.bytes",
                9_223_372_036_854_771_712.0,
            ),
        ],
    );
    store_all(&store, events);
    let page = store
        .read::<_, StoreError>(|conn| {
            Ok(metrics::page(
                conn,
                &of_service("shop"),
                &window(),
                ("", Servers::This),
            )?)
        })
        .expect("metrics");
    assert!(
        close(page.memory.avg[0], 0.75)
            && close(page.memory.max[1], 0.5)
            && close(page.memory.avg[2], 0.1)
    );
    assert_eq!(page.memory.avg[3], None);
    assert!(close(page.system_cpu.avg[0], 0.5));
    assert_eq!(page.names.len(), 5);
}

#[test]
fn time_by_kind_of_span_comes_from_the_agents_own_sums() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    for (kind, sum) in [("app", 300.0), ("db", 700.0)] {
        let mut event = metricset(&mut events, 1.0);
        event.breakdown = Some(Breakdown {
            transaction_name: Some(events.keep("GET /a")),
            transaction_kind: Some(events.keep("request")),
            span_kind: Some(events.keep(kind)),
            span_subtype: None,
            count: 1.0,
            sum,
        });
        events.events.push(Event::Metricset(event));
    }
    store_all(&store, events);
    let chart = store
        .read::<_, StoreError>(|conn| Ok(breakdown::chart(conn, &of_service("shop"), &window())?))
        .expect("a chart");
    let shares: Vec<(&str, f64)> = chart
        .kinds
        .iter()
        .map(|kind| (kind.kind.as_str(), kind.share))
        .collect();
    assert_eq!(shares, [("db", 0.7), ("app", 0.3)]);
}

#[actix_web::test]
async fn the_sum_of_nothing_is_not_below_zero() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    for path in [
        "services",
        "services/nobody/transactions/view?name=none",
        "services/nobody",
        "services/nobody/metrics",
    ] {
        let answer = get(&store, &format!("/api/v1/{path}"), None).await;
        let body = read_body(answer).await;
        let text = String::from_utf8_lossy(&body);
        assert!(
            text.starts_with('{') && !text.contains("-0.0"),
            "{path}: {text}"
        );
    }
}
