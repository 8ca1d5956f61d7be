//! Callers of statements: what is kept between questions says the same as one statement does.

use std::collections::BTreeMap;
use std::time::Instant;

use apm_server::analytics::Scope;
use apm_server::analytics::sql::Sql;
use apm_server::analytics::window::Window;
use apm_server::insight::Engine;
use apm_server::insight::callers::{self, Wanted};
use apm_store::{Store, StoreError, StoreOptions};
use apm_time::Range;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use sql_lexer::Fingerprint;

use super::{DEADLINE, GROUP, INSERT, options, request};
use crate::oracle;
use crate::support::events::{batch, now};

const MINUTE: i64 = 60_000_000;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    statement_id: i64,
    #[diesel(sql_type = BigInt)]
    fingerprint: i64,
    #[diesel(sql_type = BigInt)]
    requests: i64,
    #[diesel(sql_type = Double)]
    calls: f64,
    #[diesel(sql_type = Double)]
    most: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
}

/// By transaction and statement: requests, calls, most calls in one, µs.
type Found = BTreeMap<(String, String), (i64, i64, i64, i64)>;

fn asked(store: &Store, of: Wanted, window: &Window) -> Found {
    let callers = store.read(|conn| {
        let callers = callers::list(conn, &Scope::default(), of, window)?;
        Ok::<_, StoreError>(callers)
    });
    let callers = callers.expect("callers").into_iter();
    callers
        .map(|caller| {
            let all = |mean: f64| (mean * caller.requests as f64).round() as i64;
            let what = (
                caller.requests,
                all(caller.calls),
                caller.most as i64,
                all(caller.time),
            );
            ((caller.transaction, caller.fingerprint), what)
        })
        .collect()
}

/// One statement that asks the same.
fn question(of: Wanted, window: &Window) -> Sql {
    let scope = Scope::default();
    let all = |window: &Window| oracle::question(oracle::CALLERS_OF, &scope, window);
    match of {
        Wanted::All => all(window),
        Wanted::Statement(fingerprint) => {
            // The first value of a name counts.
            let sql = Sql::new(oracle::CALLERS_OF).bind("fingerprint", fingerprint.cast_signed());
            let sql = window.bind(sql).bind("service", None::<i64>);
            sql.bind("environment", None::<i64>)
        }
        Wanted::Each => {
            let range = Range {
                from: window.asked.from.max(window.asked.to - callers::LATELY),
                to: window.asked.to,
            };
            oracle::question(oracle::CALLERS, &scope, &Window::new(range, window.now))
        }
    }
}

fn shown(store: &Store, of: Wanted, window: &Window) -> Found {
    let rows = store.read(|conn| {
        let rows: Vec<Row> = question(of, window).load(conn)?;
        Ok::<_, StoreError>(rows)
    });
    let rows = rows.expect("rows").into_iter();
    rows.map(|row| {
        let fingerprint = match row.statement_id {
            0 => String::new(),
            _ => format!("{:016x}", row.fingerprint),
        };
        let what = (
            row.requests,
            row.calls as i64,
            row.most as i64,
            row.sum as i64,
        );
        ((row.name, fingerprint), what)
    })
    .collect()
}

#[test]
fn callers_are_those_of_the_shown_query_while_requests_come() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).expect("a store");
    let _engine = Engine::start(store.clone(), options(None)).expect("a thread");
    let now = now();
    let window = |hours: i64| {
        let range = Range {
            from: now - hours * 60 * MINUTE,
            to: now,
        };
        Window::new(range, now)
    };
    let everything = window(24 * 7);
    let one = Wanted::Statement(Fingerprint::from_text(GROUP).hash);
    let mut number = 0;
    for round in 0..6_u64 {
        let mut batch = batch("shop");
        // Late ones among them, for minutes and hours of which something was counted before.
        for (ago, name) in [
            (1, "GET /a"),
            (round, "GET /b"),
            (95, "GET /a"),
            (600, "GET /c"),
        ] {
            number += 1;
            let calls = usize::try_from(round + 1).expect("few");
            let statements = [vec![(GROUP, 900)], vec![(INSERT, 40); calls]].concat();
            let at = now - ago as i64 * MINUTE - 30_000_000;
            request(&mut batch, number, name, at, &statements);
        }
        store.submit(batch).expect("room").wait().expect("stored");
        let start = Instant::now();
        let counted = |found: &Found| found.values().map(|what| what.0).sum::<i64>();
        while counted(&asked(&store, Wanted::All, &everything)) < number as i64 {
            assert!(
                start.elapsed() < DEADLINE,
                "of {number}: {:?}",
                shown(&store, Wanted::All, &everything)
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        for hours in [1, 3, 24, 24 * 7] {
            for of in [Wanted::Each, Wanted::All, one] {
                let window = window(hours);
                let found = asked(&store, of, &window);
                assert_eq!(
                    found,
                    shown(&store, of, &window),
                    "{of:?}, {hours} h, round {round}"
                );
                assert!(!found.is_empty());
            }
        }
    }
}
