//! Calls counted for the services that answered: equal to a recount from the rows, whatever came first.

use apm_store::Store;
use apm_store::event::{Batch, Event};
use diesel::prelude::*;
use proptest::prelude::*;

use crate::store::{number, open};
use crate::support::events::{NEW_YEAR, batch, span, transaction};

const SERVICES: [&str; 3] = ["a", "b", "c"];

/// One half of a call.
#[derive(Clone, Debug)]
struct Half {
    call: u64,
    service: usize,
    is_span: bool,
    minute: i64,
    duration: i64,
    /// Whether its sender commits after it.
    commit: bool,
}

fn half() -> impl Strategy<Value = Half> {
    (
        0..40u64,
        0..3usize,
        any::<bool>(),
        -90..90i64,
        0..5_000_000i64,
        any::<bool>(),
    )
        .prop_map(|(call, service, is_span, minute, duration, commit)| Half {
            call,
            service,
            is_span,
            minute,
            duration,
            commit,
        })
}

fn add(batch: &mut Batch, half: &Half, place: u64) {
    let id = format!("{:016x}", half.call);
    let timestamp = NEW_YEAR + half.minute * 60_000_000;
    let event = if half.is_span {
        let mut event = span(batch, half.call, "");
        event.id = batch.keep_id(&id);
        event.kind = batch.keep("external");
        event.resource = Some(batch.keep(&format!("host-{}:80", half.call % 3)));
        event.sample_rate = Some(1.0 / (1 + half.call % 3) as f64);
        (event.timestamp, event.duration) = (timestamp, half.duration);
        Event::Span(event)
    } else {
        let mut event = transaction(batch, half.call, "a");
        event.id = batch.keep_id(&format!("{:016x}", 1000 + place));
        event.parent_id = Some(batch.keep_id(&id));
        event.timestamp = timestamp;
        Event::Transaction(event)
    };
    batch.events.push(event);
}

/// The table holds what the rows say, level by level.
fn check(store: &Store) {
    let expected = include_str!("calls.sql");
    let wrong = format!(
        "{expected} SELECT count(*) AS n FROM expected e \
         LEFT JOIN roll_call r USING (level, destination_id, bucket, callee_id, outcome) \
         WHERE r.count IS NULL OR abs(r.count - e.count) > 1e-9 * e.count OR r.n <> e.n OR r.max <> e.max \
            OR abs(r.sum - e.sum) > 1e-9 * e.sum"
    );
    assert_eq!(number(store, &wrong), 0, "sums");
    let more = format!(
        "{expected} SELECT (SELECT count(*) FROM roll_call) - (SELECT count(*) FROM expected) AS n"
    );
    assert_eq!(number(store, &more), 0, "rows");
    // Pages learn from this table that there is something in a bucket.
    let untold = "SELECT count(*) AS n FROM roll_call LEFT JOIN roll_received USING (level, bucket) \
        WHERE received IS NULL";
    assert_eq!(number(store, untold), 0, "buckets");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn calls_of_services_equal_a_recount(halves in prop::collection::vec(half(), 1..120)) {
        let dir = tempfile::tempdir().expect("a directory");
        let store = open(dir.path());
        let mut seen = std::collections::HashSet::new();
        let mut pending = SERVICES.map(batch);
        // A span is sent once; so is each callee of it.
        let once = halves.iter().filter(|half| {
            let service = if half.is_span { 0 } else { half.service };
            seen.insert((half.call, half.is_span, service))
        });
        for (place, half) in (0..).zip(once) {
            let sender = &mut pending[half.service];
            add(sender, half, place);
            if half.commit {
                let full = std::mem::replace(sender, batch(SERVICES[half.service]));
                store.submit(full).expect("room").wait().expect("stored");
            }
        }
        for last in pending {
            store.submit(last).expect("room").wait().expect("stored");
        }
        check(&store);
        // After a crash the coarser levels are made again from the minutes.
        for change in [
            "DELETE FROM roll_call WHERE level > 60 AND bucket % 1200 = 0",
            "INSERT INTO roll_behind SELECT bucket FROM roll_received WHERE level = 60",
        ] {
            let write = move |conn: &mut SqliteConnection| diesel::sql_query(change).execute(conn);
            store.write(write).expect("room").wait().expect("written");
        }
        store.close();
        drop(store);
        check(&open(dir.path()));
    }
}

#[test]
fn a_commit_that_failed_leaves_no_call_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let run = |sql: &'static str| {
        let write = move |conn: &mut SqliteConnection| diesel::sql_query(sql).execute(conn);
        store.write(write).expect("room").wait().expect(sql)
    };
    let sent = |is_span, service: usize| {
        let half = Half {
            call: 1,
            service,
            is_span,
            minute: 0,
            duration: 5,
            commit: true,
        };
        let mut batch = batch(SERVICES[service]);
        add(&mut batch, &half, 0);
        store.submit(batch).expect("room").wait()
    };
    run("CREATE TRIGGER fails BEFORE INSERT ON span_row BEGIN SELECT RAISE(ABORT, 'refused'); END");
    assert!(sent(true, 0).is_err());
    run("DROP TRIGGER fails");
    sent(false, 1).expect("stored");
    assert_eq!(number(&store, "SELECT count(*) AS n FROM roll_call"), 0);
    sent(true, 0).expect("stored");
    check(&store);
    assert_eq!(
        number(&store, "SELECT sum(n) AS n FROM roll_call WHERE level = 60"),
        1
    );
}
