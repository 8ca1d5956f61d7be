//! The end of what fired, and what a receiver gets of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use apm_alerts::{Lag, OutputProbe};
use serde_json::json;

use super::rules::{firing, with};
use crate::support::{CALM, Hook, Server};

#[test]
fn a_condition_that_has_ended_for_a_minute_is_told_to_the_receivers() {
    let hook = Hook::start(&[]);
    let mut options = with(&[json!({"name": "behind", "kind": "output_lag", "minutes": 5})]);
    let ops = json!({"name": "ops", "kind": "webhook", "url": hook.url});
    options.receivers = vec![serde_json::from_value(ops).expect("a receiver")];
    let lag = Arc::new(AtomicU64::new(600));
    let looks = Arc::new(AtomicU64::new(0));
    let (probed, counted) = (Arc::clone(&lag), Arc::clone(&looks));
    options.output = Some(OutputProbe::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Lag {
            events: 3,
            time: Duration::from_secs(probed.load(Ordering::Relaxed)),
        }
    }));
    let server = Server::start(options);
    // The second evaluation from now on began after this, and the third one after that was written.
    let looked_again = || {
        let before = looks.load(Ordering::Relaxed);
        server.until("looked at", |_| looks.load(Ordering::Relaxed) >= before + 3);
    };
    let fired = hook.next().body;
    assert_eq!(
        (&fired["change"], &fired["rule"]["name"]),
        (&json!("fired"), &json!("behind"))
    );
    assert_eq!(fired["title"], "behind");

    // It stays within a tenth of its bound: that is no end.
    lag.store(290, Ordering::Relaxed);
    looked_again();
    assert_eq!(server.number(CALM), 0);
    // It is below that, not for long enough.
    lag.store(0, Ordering::Relaxed);
    server.calm();
    looked_again();
    assert_eq!(firing(&server.overview(), "behind").len(), 1);
    assert!(hook.is_quiet(), "an end is told after a minute");
    // It rises again, and the minute begins anew.
    lag.store(300, Ordering::Relaxed);
    server.until("not calm", |_| server.number(CALM) == 0);
    lag.store(0, Ordering::Relaxed);
    server.calm();

    server.a_minute_later();
    let resolved = hook.next().body;
    assert_eq!(resolved["change"], "resolved");
    assert_eq!(resolved["rule"], fired["rule"]);
    assert_eq!(
        resolved["alerts"][0]["subject"],
        fired["alerts"][0]["subject"]
    );
    let title = resolved["title"].as_str().expect("a title");
    assert!(title.starts_with("Resolved: behind"), "{title}");
    let overview = server.until("calm", |all| firing(all, "behind").is_empty());
    assert_eq!(overview.history.len(), 2);
    server.until("sent", |all| {
        let state = |sent: &apm_alerts::Sent| sent.deliveries[0].state == "sent";
        all.history.iter().all(state)
    });
    assert!(hook.is_quiet(), "an end is told once");
}
