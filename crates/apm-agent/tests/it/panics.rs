//! Panics outside of actix, and the hook that the service has set.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apm_agent::Agent;
use apm_agent::options::CloudProvider;
use test_support::alone;

use crate::support::server::{Behaviour, FakeServer};

#[test]
fn the_hook_of_the_service_is_called_and_the_panic_recorded() {
    alone("panics::a_panic_meets_two_hooks", &[]);
}

#[test]
#[ignore = "run by the one above, in a process of its own"]
fn a_panic_meets_two_hooks() {
    static CALLED: AtomicUsize = AtomicUsize::new(0);
    std::panic::set_hook(Box::new(|_| {
        CALLED.fetch_add(1, Ordering::Relaxed);
    }));
    let server = FakeServer::start(Behaviour::Accept);
    let agent = Agent::builder()
        .server_url(server.url())
        .option("cloud_provider", "none")
        .start();
    let transaction = agent.transaction("job", "task");
    let work = AssertUnwindSafe(|| transaction.run(|| panic!("on purpose")));
    assert!(catch_unwind(work).is_err());
    drop(transaction);
    assert!(agent.flush(Duration::from_secs(20)));

    assert_eq!(CALLED.load(Ordering::Relaxed), 1);
    let events = server.events();
    let find = |kind: &str| events.iter().find_map(|event| event.get(kind)).unwrap();
    let exception = &find("error")["exception"];
    assert_eq!(exception["message"], "on purpose");
    assert_eq!(exception["handled"], false);
    assert_eq!(find("error")["transaction_id"], find("transaction")["id"]);
    assert_eq!(find("transaction")["outcome"], "failure");
}

#[test]
fn without_capture_panics_the_hook_of_the_process_is_left_alone() {
    let off = [("ELASTIC_APM_CAPTURE_PANICS", "false")];
    alone("panics::a_panic_meets_the_hook_that_was_set_before", &off);
}

#[test]
#[ignore = "run by the one above, in a process of its own"]
fn a_panic_meets_the_hook_that_was_set_before() {
    let server = FakeServer::start(Behaviour::Accept);
    let builder = Agent::builder().server_url(server.url());
    let agent = builder
        .cloud_provider(CloudProvider::None)
        .from_env()
        .unwrap()
        .start();
    let transaction = agent.transaction("job", "task");
    let work = AssertUnwindSafe(|| transaction.run(|| panic!("on purpose")));
    assert!(catch_unwind(work).is_err());
    drop(transaction);
    assert!(agent.flush(Duration::from_secs(20)));
    let events = server.events();
    assert!(
        events
            .iter()
            .any(|event| event.get("transaction").is_some())
    );
    assert!(
        events.iter().all(|event| event.get("error").is_none()),
        "{events:?}"
    );
}
