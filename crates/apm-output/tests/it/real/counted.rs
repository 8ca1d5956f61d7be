//! A counter whose reports go to two servers in turn.

use serde_json::{Value, json};

use super::server::Server;
use super::together::{send, wait};
use crate::support::now;

const REPORTS: i64 = 30;

/// Both servers show what the counter grew by, once.
pub(super) fn count(servers: &[Server; 2]) {
    let first = now() - 40 * 60_000_000;
    let report = |n: i64| {
        let head =
            r#"{"metadata":{"service":{"name":"mill","agent":{"name":"java","version":"1"}}}}"#;
        let metrics = json!({"metricset": {"timestamp": first + n * 60_000_000, "samples": {
            "ground": {"type": "counter", "value": 500.5 + 2.5 * n as f64}, "depth": {"value": 3}}}});
        let at = usize::try_from(n).expect("small") % 2;
        assert!(send(&servers[at], &format!("{head}\n{metrics}")));
    };
    let chart = |server: &Server, metric: &str| {
        let path = format!("/api/v1/services/mill/metrics?from=now-1h&to=now&metric={metric}");
        server.get(&path)["chart"].clone()
    };
    report(0);
    for server in servers {
        wait("both know where it begins", || {
            chart(server, "depth")["series"] == 1
        });
    }
    (1..=REPORTS).for_each(report);
    for server in servers {
        let wanted = 2.5 * REPORTS as f64;
        let mut last = Value::Null;
        wait("the counter grew by what it grew", || {
            last = chart(server, "ground");
            let total = last["lines"][0]["total"].as_f64();
            total.is_some_and(|total| (total - wanted).abs() < 1e-6)
        });
        assert_eq!(last["kind"], "counter", "{last}");
    }
    // It stays what it is, once the last reports were told.
    std::thread::sleep(std::time::Duration::from_secs(5));
    for server in servers {
        let total = chart(server, "ground")["lines"][0]["total"].as_f64();
        assert!(total.is_some_and(|total| (total - 75.0).abs() < 1e-6));
    }
}
