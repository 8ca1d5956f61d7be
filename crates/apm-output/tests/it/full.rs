//! A disk that really is full while events are sent: a small one in memory, which only this test sees.
//!
//! ```sh
//! cargo test -p pocket-apm-output --test it a_small_disk -- --ignored
//! ```
//!
//! It needs Linux and the right to make namespaces (`unshare`).

use std::fs;
use std::time::{Duration, Instant};

use apm_store::StoreError;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use test_support::{on_small_disk, small_disk};

use crate::support::engine::{Act, Engine, OPENSEARCH};
use crate::support::{batches, config, lines, start, store, wait};

/// Events of a request.
const EACH: u64 = 400;

#[test]
#[ignore = "needs the right to make namespaces"]
fn a_small_disk_that_is_full_loses_and_doubles_nothing_that_was_acknowledged() {
    on_small_disk("full::a_child_on_a_small_disk");
}

#[test]
#[ignore = "the child of the test above"]
fn a_child_on_a_small_disk() {
    let Some(dir) = small_disk() else {
        return;
    };
    let ballast = dir.join("ballast");
    fs::write(&ballast, vec![1; 4 << 20]).expect("room");
    let (engine, store) = (Engine::start(OPENSEARCH), store(&dir));
    let output = start(&store, config(&engine));
    let metadata = r#"{"metadata":{"service":{"name":"shop","agent":{"name":"a","version":"1"}}}}"#;
    let submit = |first: u64| -> Result<usize, String> {
        let lines: Vec<String> = lines(first, EACH).collect();
        let mut stored = 0;
        for batch in batches(&format!("{metadata}\n{}", lines.join("\n"))) {
            let ticket = store
                .submit_when_room(batch)
                .map_err(|error| error.to_string())?;
            stored += ticket.wait().map_err(|error| error.to_string())?.events;
        }
        Ok(stored)
    };
    let (mut first, mut acknowledged) = (0, 0);
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        // Places in the order of events are noted at any moment, and the engine makes some of them unsure.
        engine.script([Act::TakenReset, Act::Items(3, 429)]);
        match submit(first) {
            Ok(stored) => acknowledged += stored,
            Err(_) => break,
        }
        first += EACH;
        assert!(Instant::now() < deadline, "the disk is not small");
    }
    // Numbers of requests that were refused are not used again: a part of them may have been stored.
    for _ in 0..20 {
        first += EACH;
        if let Ok(stored) = submit(first) {
            acknowledged += stored;
        }
    }
    fs::remove_file(&ballast).expect("room again");
    first += EACH;
    wait("it resumes", || match submit(first) {
        Ok(stored) => {
            acknowledged += stored;
            true
        }
        Err(_) => {
            first += EACH;
            false
        }
    });
    wait("all that was acknowledged is there", || {
        engine.event_count() >= acknowledged && output.stats().lag.events == 0
    });
    output.stop();
    assert_eq!(engine.duplicates(), 0);
    let stats = output.stats();
    assert_eq!((stats.refused, stats.lost), (0, 0));
    let stored = store.read::<_, StoreError>(|conn| {
        let sum: Sum = sql_query("SELECT sum(events) AS events FROM block").get_result(conn)?;
        Ok(sum.events)
    });
    let there = i64::try_from(engine.event_count()).expect("few");
    assert_eq!(
        stored.expect("readable"),
        there,
        "all that is stored, and nothing else"
    );
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    events: i64,
}
