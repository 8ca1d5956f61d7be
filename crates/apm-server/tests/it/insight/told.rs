//! A finding becomes an alert.

use std::time::{Duration, Instant};

use apm_alerts::{AlertError, Alerts, Overview};
use apm_server::insight::Engine;
use apm_store::{Store, StoreOptions};

use super::{DEADLINE, article, finding, options, until};

fn overview(store: &Store, alerts: &Alerts) -> Overview {
    let read = store.read::<_, AlertError>(|conn| alerts.overview(conn));
    read.expect("an overview")
}

#[test]
fn a_new_finding_fires_the_rule_that_comes_with_the_program() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).expect("a store");
    let mut alerting = apm_alerts::Options::default();
    alerting.look = Duration::from_millis(50);
    let alerts = Alerts::start(store.clone(), alerting).expect("threads");
    let engine = Engine::start(store.clone(), options(None)).expect("a thread");
    assert!(overview(&store, &alerts).firing.is_empty());
    let stored = store.submit(article(100, 0)).expect("room");
    stored.wait().expect("stored");
    let found = until(&store, false, |found| finding(found, "growth").is_some());
    let growth = finding(&found, "growth").expect("it was found");
    let started = Instant::now();
    let told = loop {
        let firing = overview(&store, &alerts).firing;
        let told = firing
            .iter()
            .find(|one| one.alert.text.contains(&growth.says.title));
        if let Some(told) = told {
            break told.clone();
        }
        assert!(started.elapsed() < DEADLINE, "{growth:#?}: {firing:#?}");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(
        (&*told.rule, &*told.name),
        ("builtin-insight", "A new insight")
    );
    assert_eq!(told.alert.service, "my-app-01");
    assert_eq!(told.alert.link, "/insights");
    drop(engine);
    alerts.stop();
}
