//! Counts that several servers before one engine share.

use std::time::{Duration, Instant};

use apm_output::Output;
use apm_store::share::{self, Caller, Delta, Follow};
use apm_store::{Store, StoreError, StoredId};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tempfile::TempDir;

use crate::support::engine::{Act, Engine, OPENSEARCH};
use crate::support::rollups::rollups;
use crate::support::{feed, feed_as, lines, named, now, sharing_store, start, wait};

/// A body with events of every kind that is counted.
fn mixed(service: &str, n: u64, at: i64) -> String {
    let head = format!(
        r#"{{"metadata":{{"service":{{"name":"{service}","environment":"test","version":"{n}",
        "agent":{{"name":"rust","version":"1"}}}}}}}}"#
    );
    let lines = [
        // A call of another service, and a statement with its cost.
        format!(
            r#"{{"transaction":{{"id":"{n:016x}","trace_id":"{n:032x}","name":"GET /a",
            "type":"request",
            "result":"HTTP 2xx","outcome":"success","duration":{n}.25,"timestamp":{at},"sample_rate":0.5,
            "span_count":{{"started":2}},
            "dropped_spans_stats":[{{"destination_service_resource":"redis","outcome":"success",
            "duration":{{"count":3,"sum":{{"us":300}}}}}}]}}}}"#
        ),
        format!(
            r#"{{"span":{{"id":"a{n:015x}","trace_id":"{n:032x}","parent_id":"{n:016x}","transaction_id":"{n:016x}",
            "name":"SELECT FROM t","type":"db","subtype":"sqlite","action":"query","duration":2,"timestamp":{at},
            "outcome":"success","sample_rate":0.5,
            "context":{{"tags":{{"sqlite_steps":{n},"sqlite_scan_steps":1,"sqlite_rows_returned":2}},
            "db":{{"statement":"SELECT * FROM t WHERE id = {n}","type":"sql"}},
            "destination":{{"service":{{"resource":"sqlite/d"}}}}}}}}}}"#
        ),
        format!(
            r#"{{"span":{{"id":"b{n:015x}","trace_id":"{n:032x}","parent_id":"{n:016x}","transaction_id":"{n:016x}",
            "name":"GET shop","type":"external","subtype":"http","duration":5,"timestamp":{at},"outcome":"failure",
            "context":{{"destination":{{"service":{{"resource":"shop:80"}}}}}}}}}}"#
        ),
        format!(
            r#"{{"transaction":{{"id":"c{n:015x}","trace_id":"{n:032x}","parent_id":"b{n:015x}",
            "name":"load","type":"page-load",
            "duration":9,"timestamp":{at},"span_count":{{"started":0}},
            "experience":{{"cls":0.1,"fid":3,"tbt":4}},"marks":{{"agent":{{"largestContentfulPaint":1200}}}}}}}}"#
        ),
        format!(
            r#"{{"error":{{"id":"{n:032x}","timestamp":{at},"exception":{{"message":"no {n}","type":"E{}"}}}}}}"#,
            n % 3
        ),
        format!(
            r#"{{"metricset":{{"timestamp":{at},"transaction":{{"name":"GET /a","type":"request"}},
            "span":{{"type":"db","subtype":"sqlite"}},"samples":{{"span.self_time.count":{{"value":2}},
            "span.self_time.sum.us":{{"value":77}}}}}}}}"#
        ),
        format!(
            r#"{{"metricset":{{"timestamp":{at},"tags":{{"pool":"p{}"}},"samples":{{
            "queue":{{"value":{n},"unit":"{{job}}"}},
            "done":{{"value":{n},"type":"counter","temporality":"delta"}},
            "size":{{"type":"histogram","values":[0.5,8],"counts":[{n},1]}}}}}}}}"#,
            n % 2
        ),
    ];
    let mut body = head.replace('\n', "");
    for line in lines {
        body.push('\n');
        body += &line.replace('\n', "");
    }
    body
}

/// Writes callers as the insights do.
fn call(store: &Store, minute: i64, n: i64) {
    let ticket = store.write(move |conn| {
        let callers = [0, 1].map(|statement| Caller {
            bucket: minute,
            group: 1,
            statement,
            requests: n,
            calls: 2.0 * n as f64,
            most: n as f64,
            sum: 10.0,
            tx_sum: 20.0,
            follows: 1,
            looped: 0.0,
            trace: StoredId::from("00000000000000000000000000000001"),
        });
        share::add_callers(conn, &callers, now())?;
        share::note_callers(conn, &callers)
    });
    ticket.expect("open").wait().expect("written");
}

pub(crate) struct Server {
    dir: TempDir,
    pub(crate) store: Store,
}

impl Server {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = sharing_store(dir.path());
        Self { dir, store }
    }

    pub(crate) fn output(&self, engine: &Engine, name: &str) -> Output {
        start(&self.store, named(engine, name))
    }

    /// Ends at once, as `kill -9` does but for what the system has not written, and begins again.
    pub(crate) fn again(self) -> Self {
        let Self { dir, store } = self;
        store.close();
        drop(store);
        let store = sharing_store(dir.path());
        Self { dir, store }
    }
}

/// Deltas of what was counted, as the engine would have them.
pub(crate) fn deltas(store: &Store) -> Vec<(i64, Vec<u8>)> {
    while let Some(packed) = store.read::<_, StoreError>(share::pack).expect("readable") {
        let ticket = store
            .write(move |conn| share::put(conn, &packed, 100))
            .expect("open");
        assert!(ticket.wait().expect("written"));
    }
    let waiting = store.read::<_, StoreError>(|conn| Ok(share::waiting(conn, 1000)?));
    waiting
        .expect("readable")
        .into_iter()
        .map(|delta| (delta.number, delta.delta))
        .collect()
}

pub(crate) fn follow(
    store: &Store,
    after: Option<i64>,
    to: i64,
    deltas: &[(i64, Vec<u8>)],
) -> share::Followed {
    let deltas = deltas
        .iter()
        .map(|(_, json)| Delta::read(json).expect("a delta"))
        .collect();
    let follow = Follow {
        store: "other".to_owned(),
        name: "b:8200".to_owned(),
        after,
        to,
        skipped: 0,
        deltas,
    };
    let ticket = store.follow(store.clears(), follow).expect("open");
    ticket
        .wait()
        .expect("written")
        .expect("nothing was deleted")
}

#[test]
fn every_kind_of_rollup_is_the_same_where_it_is_followed_and_each_delta_counts_once() {
    let (from, to) = (Server::new(), Server::new());
    let at = now();
    for n in 1..40 {
        feed_as(
            &from.store,
            &mixed("shop", n, at - (n as i64 % 5) * 60_000_000),
            true,
        );
        // Late ones are of another hour.
        feed_as(
            &from.store,
            &mixed("stock", 5000 + n, at - 7_200_000_000),
            true,
        );
    }
    call(&from.store, at / 60_000_000 * 60, 3);
    let found = deltas(&from.store);
    let last = found.last().expect("deltas").0;
    assert_eq!(
        found.iter().map(|delta| delta.0).collect::<Vec<_>>(),
        (1..=last).collect::<Vec<_>>()
    );
    assert!(follow(&to.store, None, last, &found).is_taken);
    // The same again is not taken.
    let again = follow(&to.store, None, last, &found);
    assert!(!again.is_taken);
    let (wanted, got) = (rollups(&from.store), rollups(&to.store));
    let kinds: std::collections::BTreeSet<&str> = wanted
        .iter()
        .filter_map(|row| row.split('|').next())
        .collect();
    assert_eq!(kinds.len(), 15, "{kinds:?}");
    assert_eq!(wanted, got);
    // Nothing of it is sent on.
    assert!(deltas(&to.store).is_empty());
}

#[test]
fn a_delta_that_another_program_wrote_breaks_nothing() {
    let to = Server::new();
    let minute = now() / 60_000_000 * 60;
    for wrong in [
        "",
        "[]",
        "{}",
        r#"{"format":2}"#,
        r#"{"format":1,"tx":[1]}"#,
    ] {
        assert!(Delta::read(wrong.as_bytes()).is_none(), "{wrong}");
    }
    let odd = format!(
        r#"{{"format":1,"services":[{{"name":""}},{{"name":"a"}}],"transactions":[[0,"t","x"],[9,"t","x"],[1,"t","x"]],
        "tx":[[0,{minute},0,1,1,1,1,1],[1,{minute},0,1,1,1,1,1],[7,{minute},0,1,1,1,1,1],[2,{minute},0,9,1,1,1,1],
        [2,{minute},0,1,1,9223372036854775807,1,1],[2,{minute},0,1,1,1000000001,1,1],
        [2,1,0,1,1,1,1,1],[2,0,0,1,1,1,1,1],[2,{minute},0,1,-1,1,1,1],[2,{minute},99,1,1,1,1,1]],
        "tx_bins":[[2,{minute},1,99999,1]],"cost":[[0,{minute},1,[1,2]]],"vitals":[[2,{minute},99,0,1,1]],
        "calls":[[0,0,{minute},1,1,1,1,1]],"errors":[{{"service":1,"key":7,"seen":-9223372036854775808}}],
        "error":[[5,{minute},1],[0,{minute},9223372036854775807],[0,{minute},9223372036854775807],[0,{minute},-1]],
        "series":[{{"service":1,"name":"m","kind":1,"labels":"{{}}"}}],
        "metric":[[0,{minute},9223372036854775807,1,1,null,null],[0,{minute},9223372036854775807,1,1,null,null]],
        "breakdown":[[9,{minute},"a","b",1,1]],
        "callers":[{{"transaction":2,"statement":5,"minute":{minute},"requests":1,"follows":0,"sums":[1,1,1,1,1],
        "trace":"x"}}]}}"#
    );
    let followed = follow(&to.store, None, 1, &[(1, odd.into_bytes())]);
    assert!(followed.is_taken && followed.dropped >= 19, "{followed:?}");
    let rows = rollups(&to.store);
    assert!(rows.iter().all(|row| row.starts_with("tx|")), "{rows:?}");
    assert_eq!(rows.len(), 3, "one on each level: {rows:?}");
}

#[test]
fn servers_before_one_engine_show_the_sums_of_all_and_a_late_one_catches_up() {
    let engine = Engine::start(OPENSEARCH);
    let (a, b) = (Server::new(), Server::new());
    let outputs = (a.output(&engine, "a"), b.output(&engine, "b"));
    let at = now();
    for n in 1..30 {
        feed_as(&a.store, &mixed("shop", n, at), true);
        feed_as(&b.store, &mixed("shop", 1000 + n, at), true);
        feed_as(&b.store, &mixed("stock", 5000 + n, at), true);
    }
    let reference = Server::new();
    for n in 1..30 {
        feed_as(&reference.store, &mixed("shop", n, at), true);
        feed_as(&reference.store, &mixed("shop", 1000 + n, at), true);
        feed_as(&reference.store, &mixed("stock", 5000 + n, at), true);
    }
    // The first of two bodies decides over the sample of a statement and the message of an error: no counts.
    let counts = |store: &Store| -> Vec<String> {
        let rows = rollups(store).into_iter();
        rows.filter(|row| !row.starts_with("statement|") && !row.starts_with("error|"))
            .collect()
    };
    let wanted = counts(&reference.store);
    wait("both have all", || {
        counts(&a.store) == wanted && counts(&b.store) == wanted
    });
    let late = Server::new();
    let _late = late.output(&engine, "c");
    wait("the late one has all", || counts(&late.store) == wanted);
    wait("each knows the two others", || {
        outputs.0.coverage().servers() == 3 && outputs.1.coverage().servers() == 3
    });
    let coverage = outputs.0.coverage();
    let names: Vec<&str> = coverage
        .peers
        .iter()
        .map(|peer| peer.name.as_str())
        .collect();
    assert_eq!(names, ["b", "c"]);
    assert!(coverage.behind() < Duration::from_secs(2), "{coverage:?}");
    assert_eq!(coverage.trouble, None);
    // One that ends is told to be silent, and its counts stay.
    outputs.1.stop();
    wait("b is silent", || outputs.0.coverage().peers[0].is_silent);
    assert!(!outputs.0.coverage().peers[1].is_silent);
    assert_eq!(counts(&a.store), wanted);
}

#[test]
fn an_engine_that_fails_and_servers_that_start_again_neither_lose_nor_double_counts() {
    let engine = Engine::start(OPENSEARCH);
    let (mut a, mut b) = (Server::new(), Server::new());
    let mut n = 0;
    for round in 0..6 {
        engine.script([
            Act::Status(503),
            Act::TakenReset,
            Act::Items(2, 429),
            Act::TakenRollover,
            Act::Reset,
            Act::TakenGarbage,
        ]);
        let outputs = (a.output(&engine, "a"), b.output(&engine, "b"));
        for _ in 0..5 {
            n += 1;
            feed(&a.store, lines(n * 100, 40));
            feed(&b.store, lines(n * 100 + 50, 40));
        }
        // Some rounds end in the midst of it.
        if round % 2 == 0 {
            let at_once = Duration::from_millis(20 * round);
            let begun = Instant::now();
            wait("a while", || begun.elapsed() >= at_once);
        }
        drop(outputs);
        (a, b) = (a.again(), b.again());
    }
    let outputs = (a.output(&engine, "a"), b.output(&engine, "b"));
    let wanted = 6 * 5 * 2 * 10;
    wait("both have all transactions", || {
        [&a, &b]
            .into_iter()
            .all(|server| transactions(&server.store) == wanted)
    });
    wait("nothing waits", || {
        outputs
            .0
            .coverage()
            .peers
            .first()
            .is_some_and(|peer| peer.waiting == 0)
    });
    assert_eq!(
        (transactions(&a.store), transactions(&b.store)),
        (wanted, wanted)
    );
    assert_eq!(outputs.0.coverage().peers[0].skipped, 0);
}

/// Transactions by the rollups.
fn transactions(store: &Store) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let row = store.read::<Row, StoreError>(|conn| {
        let sum = "SELECT coalesce(sum(n), 0) AS n FROM roll_tx WHERE level = 60";
        Ok(diesel::sql_query(sum).get_result(conn)?)
    });
    row.expect("readable").n
}

#[test]
fn a_delta_that_is_missing_is_waited_for_and_then_passed_over() {
    let engine = Engine::start(OPENSEARCH);
    let (a, b) = (Server::new(), Server::new());
    let mut config = named(&engine, "a");
    let hole = Duration::from_secs(2);
    config.pace.hole = hole;
    let output = start(&a.store, config);
    let _b = b.output(&engine, "b");
    feed(&b.store, lines(0, 4));
    wait("the first one is there", || transactions(&a.store) == 1);
    engine.state().hidden = Some("\"number\":2");
    let begun = Instant::now();
    feed(&b.store, lines(4, 4));
    // A number is announced before its delta is closed: until that is sent, it takes what comes next.
    wait("the second one is sent", || {
        let state = engine.state();
        let mut documents = state.documents.values().flatten();
        documents.any(|(_, source)| source["delta"].is_object() && source["number"] == 2)
    });
    wait("the other one knows of it", || {
        output.coverage().peers[0].waiting >= 1
    });
    feed(&b.store, lines(8, 4));
    wait("the third one is taken without the second", || {
        transactions(&a.store) == 2
    });
    assert!(begun.elapsed() >= hole, "it is waited for");
    assert_eq!(output.coverage().peers[0].skipped, 1);
    // The second one comes too late, and counts nothing.
    engine.state().hidden = None;
    feed(&b.store, lines(12, 4));
    wait("the fourth one is taken", || transactions(&a.store) == 3);
}

#[test]
fn an_announcement_that_no_server_made_holds_up_no_other() {
    let engine = Engine::start(OPENSEARCH);
    let long = "x".repeat(2000);
    for (place, store, first, number) in [
        ("a", "a", i64::MIN, 5),
        ("b", "b", 1, i64::MAX),
        ("c", "c", i64::MAX, i64::MAX),
        ("d", &*long, 1, 1),
    ] {
        let source = serde_json::json!({"kind": "server", "store": store, "node": place, "name": "", "first": first,
            "number": number, "changed": now() / 1_000_000});
        let path = format!("/pocket-apm-shared-default/_doc/server-{place}");
        engine.state().plain.insert(path, (1, source));
    }
    let (a, b) = (Server::new(), Server::new());
    let (output, _b) = (a.output(&engine, "a"), b.output(&engine, "b"));
    feed(&b.store, lines(0, 4));
    wait("its counts are there", || transactions(&a.store) == 1);
    assert_eq!(output.coverage().peers.len(), 1);
    assert_eq!(output.coverage().trouble, None);
}

#[test]
fn deleting_everything_takes_the_counts_of_others_again() {
    let engine = Engine::start(OPENSEARCH);
    let (a, b) = (Server::new(), Server::new());
    let outputs = (a.output(&engine, "a"), b.output(&engine, "b"));
    feed(&a.store, lines(0, 4));
    feed(&b.store, lines(4, 8));
    wait("both have all", || {
        transactions(&a.store) == 3 && transactions(&b.store) == 3
    });
    a.store.clear().expect("open").wait().expect("cleared");
    wait("those of the other are back", || {
        transactions(&a.store) == 2
    });
    feed(&a.store, lines(20, 4));
    wait("a has a new name for the other", || {
        transactions(&b.store) == 4
    });
    assert_eq!(outputs.1.coverage().trouble, None);
}
