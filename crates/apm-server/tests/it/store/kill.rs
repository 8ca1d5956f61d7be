//! `kill -9` in the middle of intake: what was acknowledged is there, once.
//!
//! `POCKET_APM_KILL_ROUNDS` sets how often (default 4).

use std::env;
use std::time::{Duration, Instant};

use apm_store::{Store, StoreError, trace};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{acknowledge, child, kill_after, number, open, options};
use crate::support::events::pairs;

const DIR: &str = "POCKET_APM_KILL_DIR";
const ROUND: &str = "POCKET_APM_KILL_ROUND";

#[test]
#[ignore = "the child of the test below: stores until it is killed"]
fn a_child_that_stores_until_it_is_killed() {
    let Some(dir) = env::var_os(DIR) else { return };
    let round: u64 = env::var(ROUND).expect("a round").parse().expect("a number");
    let store = Store::open(options(dir.as_ref())).expect("opens");
    std::thread::scope(|scope| {
        for thread in 0..3u64 {
            let store = store.clone();
            scope.spawn(move || {
                let mut next = round << 40 | thread << 32;
                for count in (1..200).cycle() {
                    let ticket = store.submit(pairs("shop", next, count)).expect("room");
                    ticket.wait().expect("stored");
                    acknowledge(&format!("{next} {count}"));
                    next += count;
                }
            });
        }
    });
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let rounds =
        env::var("POCKET_APM_KILL_ROUNDS").map_or(4, |rounds| rounds.parse().expect("a number"));
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()));
    let mut acknowledged: Vec<(u64, u64)> = Vec::new();
    for round in 1..=rounds {
        let mut child = child("store::kill::a_child_that_stores_until_it_is_killed");
        child.env(DIR, dir.path()).env(ROUND, round.to_string());
        // Killed after some acknowledgements, each round after another number of them.
        let wanted = 5 + round * 37 % 60;
        let mut seen = 0;
        let rest = kill_after(&mut child, |line| {
            seen += u64::from(keep(line, &mut acknowledged));
            seen >= wanted
        });
        for line in rest {
            keep(&line, &mut acknowledged);
        }

        let start = Instant::now();
        let store = open(dir.path());
        let took = start.elapsed();
        assert!(took < Duration::from_millis(500), "opening took {took:?}");
        check(&store, &acknowledged);
    }
}

/// Whether a line of the child acknowledges something; if so it is noted.
fn keep(line: &str, acknowledged: &mut Vec<(u64, u64)>) -> bool {
    let Some((_, rest)) = line.split_once("ack ") else {
        return false;
    };
    let Some((first, count)) = rest.split_once(' ') else {
        return false;
    };
    match (first.parse(), count.parse()) {
        (Ok(first), Ok(count)) => acknowledged.push((first, count)),
        _ => return false,
    }
    true
}

fn check(store: &Store, acknowledged: &[(u64, u64)]) {
    let integrity = store
        .read::<_, StoreError>(|conn| {
            let check = "SELECT integrity_check AS line FROM pragma_integrity_check";
            Ok(diesel::sql_query(check).load::<Line>(conn)?)
        })
        .expect("a check");
    let integrity: Vec<_> = integrity.into_iter().map(|row| row.line).collect();
    assert_eq!(integrity, ["ok"]);

    let tx = number(store, "SELECT count(*) AS n FROM tx");
    assert_eq!(
        tx,
        number(store, "SELECT count(DISTINCT id) AS n FROM tx"),
        "none twice"
    );
    assert_eq!(
        tx,
        number(store, "SELECT count(*) AS n FROM span"),
        "whole batches only"
    );
    assert_eq!(2 * tx, number(store, "SELECT sum(events) AS n FROM block"));
    for level in [60, 600, 3600] {
        let sql = format!("SELECT sum(n) AS n FROM roll_tx WHERE level = {level}");
        assert_eq!(tx, number(store, &sql), "rollups agree");
    }
    for (first, count) in acknowledged {
        let sql = format!(
            "SELECT count(*) AS n FROM tx WHERE id BETWEEN {first} AND {}",
            first + count - 1
        );
        let found = number(store, &sql);
        assert_eq!(
            found,
            i64::try_from(*count).expect("few"),
            "from {first} on"
        );
    }
    let (first, _) = acknowledged.last().expect("some");
    let found = store.read::<_, StoreError>(|conn| trace(conn, &format!("{first:032x}")));
    assert_eq!(found.expect("reads").len(), 2);
}
