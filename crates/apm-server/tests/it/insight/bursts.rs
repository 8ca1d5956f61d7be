//! Requests that come in bursts, as on a busy machine: growth is told by the rows at the moment of each.

use apm_server::insight::Engine;
use apm_store::event::{Cost, Event};
use apm_store::{Store, StoreOptions};

use super::{GROUP, INSERT, finding, options, request, until};
use crate::support::events::{batch, now};

#[test]
fn growth_shows_where_all_requests_came_within_a_few_milliseconds() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).unwrap();
    let mut events = batch("my-app-01");
    // Fifteen rounds at the end of a tenth of a second, and the others at the start of one that comes later.
    let tenth = (now() - 20_000_000) / 100_000 * 100_000;
    for round in 0..40_u64 {
        let burst = if round < 15 {
            tenth + 80_000
        } else {
            tenth + 500_000 - 15_000
        };
        let at = burst + 1_000 * round.cast_signed();
        request(&mut events, 2 * round, "sql-write", at, &[(INSERT, 40); 5]);
        request(
            &mut events,
            2 * round + 1,
            "sql-group",
            at + 600,
            &[(GROUP, 90)],
        );
        let rows = 5 * (round + 1).cast_signed();
        let group = events
            .events
            .iter_mut()
            .rev()
            .find_map(|event| match event {
                Event::Span(span) => Some(span),
                _ => None,
            });
        group.unwrap().cost = Some(Cost {
            steps: 46 + 12 * rows,
            scan_steps: rows - 1,
            ..Cost::default()
        });
    }
    store.submit(events).unwrap().wait().unwrap();
    let engine = Engine::start(store.clone(), options(None)).unwrap();
    let found = until(&store, false, |found| finding(found, "growth").is_some());
    let growth = finding(&found, "growth").unwrap();
    assert!(
        growth.says.title.starts_with("GET /sql-group "),
        "{growth:#?}"
    );
    assert!(
        growth.says.cause.contains("it grows with the rows."),
        "{growth:#?}"
    );
    drop(engine);
}
