//! Overviews and pages over traces of which tail sampling has left a share.

use std::time::Duration;

use apm_store::event::{Batch, Event};
use apm_store::{Store, StoreOptions, TailSampling};

use crate::store::{number, wait_until};
use crate::support::events::{NEW_YEAR, resource, span, transaction};
use crate::support::server::TestServer;

const TRACES: u64 = 3000;

/// A file with requests of New Year's Day, of which a fifth was left.
fn sampled(path: &std::path::Path) {
    let store = Store::open(StoreOptions {
        raw_max_age: None,
        rollup_max_age: None,
        keep: 0,
        trusted_jump: Duration::from_secs(1000 * 24 * 60 * 60),
        tail: Some(TailSampling {
            share: 0.2,
            slow: None,
            wait: Duration::from_secs(60),
        }),
        ..StoreOptions::new(path)
    });
    let store = store.expect("opens");
    for first in (0..TRACES).step_by(100) {
        let at = NEW_YEAR + first.cast_signed() * 100_000;
        let mut batch = Batch::new(resource("shop"), at);
        for number in first..first + 100 {
            let mut event = transaction(&mut batch, number, "a");
            event.timestamp = at;
            event.duration = 1000 + (number % 50).cast_signed() * 100;
            batch.events.push(Event::Transaction(event));
            let mut event = span(&mut batch, number, "select 1");
            event.timestamp = at;
            batch.events.push(Event::Span(event));
        }
        store.submit(batch).expect("room").wait().expect("stored");
    }
    let left = "SELECT count(*) AS n FROM block WHERE id >= (SELECT coalesce(max(sampled), 0) FROM kept_state)";
    wait_until("all blocks were sampled", || number(&store, left) == 0);
    store.close();
}

#[actix_web::test]
async fn what_is_counted_from_samples_is_near_what_rollups_count_and_is_called_an_estimate() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("apm.db");
    let file = path.clone();
    // The store's tickets block, which a thread of the runtime must not.
    let filled = std::thread::spawn(move || sampled(&file));
    filled.join().expect("sampled");
    let server = TestServer::with(|config| config.database = path);
    let range = "from=2025-12-31T23:59:00Z&to=2026-01-01T00:11:00Z&cmp=off";
    let rolled = server
        .get(&format!("/api/v1/services?{range}"))
        .await
        .json();
    let all = rolled["services"][0]["transactions"]
        .as_f64()
        .expect("a count");
    assert_eq!(all, TRACES as f64, "{rolled}");

    let query = "trace.id:*";
    let counted = server
        .get(&format!("/api/v1/services?{range}&q={query}"))
        .await
        .json();
    let scan = &counted["scan"];
    assert!(scan["requests"].as_u64() < Some(TRACES / 3), "{scan}");
    assert!(
        scan["whole_since"].as_i64() > Some(NEW_YEAR / 1_000_000),
        "{scan}"
    );
    let estimate = counted["services"][0]["transactions"]
        .as_f64()
        .expect("a count");
    assert!((estimate - all).abs() < all / 6.0, "{estimate} of {all}");
    let page = server
        .get(&format!("/services/shop?{range}&q={query}"))
        .await;
    assert!(page.text.contains("an estimate. Before"), "{}", page.text);

    let one = "/services/shop/transactions/view?type=request&name=GET%20/a";
    let view = |query: &str| format!("/api/v1{one}&{range}{query}");
    for (path, whole) in [(view(""), true), (view(&format!("&q={query}")), false)] {
        let found = server.get(&path).await.json();
        let bars = found["distribution"]["bars"].as_array().expect("bars");
        let dealt: f64 = bars.iter().filter_map(|bar| bar["count"].as_f64()).sum();
        let near = (dealt - all).abs();
        assert!(
            near < if whole { 0.5 } else { all / 6.0 },
            "{path}: {dealt} of {all}"
        );
    }

    // Rollups do not tell instances apart.
    let path = format!("/api/v1/services/shop/instances?{range}");
    let found = server.get(&path).await.json();
    let instances = found["instances"].as_array().expect("instances");
    let counts = instances.iter().filter_map(|one| one["count"].as_f64());
    let estimate: f64 = counts.sum();
    assert!((estimate - all).abs() < all / 6.0, "{estimate} of {all}");

    let traces = server.get(&format!("/traces?{range}")).await.text;
    assert!(traces.contains("and samples are stored"), "{traces}");
    let settings = server.get("/api/v1/settings").await.json();
    assert!(settings["tail_percent"].is_null(), "{settings}");
    server.stop().await;
}

#[actix_web::test]
async fn the_page_of_settings_and_the_metrics_tell_of_tail_sampling() {
    let server = TestServer::with(|config| {
        config.tail = Some(TailSampling {
            share: 0.1,
            slow: Some(Duration::from_secs(1)),
            wait: Duration::from_secs(300),
        });
    });
    let settings = server.get("/api/v1/settings").await.json();
    assert_eq!(settings["tail_percent"].as_f64(), Some(10.0));
    assert_eq!(settings["tail_seconds"].as_f64(), Some(300.0));
    let page = server.get("/settings").await.text;
    assert!(
        page.contains("--apm-tail-sample") && page.contains("of traces after"),
        "{page}"
    );
    let metrics = server.get("/metrics").await.text;
    assert!(
        metrics.contains("pocket_apm_sampled_out_events_total 0"),
        "{metrics}"
    );
    server.stop().await;
}
