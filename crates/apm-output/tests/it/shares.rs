//! Counts that several servers before one engine share.

use std::time::{Duration, Instant};

use apm_store::Store;
use apm_store::share::Delta;

use crate::support::engine::{Act, Engine, OPENSEARCH};
use crate::support::every_kind::{call, mixed};
use crate::support::rollups::{rollups, transactions};
use crate::support::servers::{Server, deltas, follow};
use crate::support::{feed, feed_as, lines, named, now, start, wait};

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
    assert_eq!(kinds.len(), 17, "{kinds:?}");
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
fn a_name_that_another_server_gives_itself_is_one_line_of_at_most_a_hundred_characters() {
    let engine = Engine::start(OPENSEARCH);
    let name = format!("b\n\u{2028}\u{1b}[2J{}", "x".repeat(200));
    let source = serde_json::json!({"kind": "server", "store": "b", "node": "b", "name": name, "first": 1,
        "number": 0, "changed": now() / 1_000_000});
    let path = "/pocket-apm-shared-default/_doc/server-b".to_owned();
    engine.state().plain.insert(path, (1, source));
    let a = Server::new();
    let output = a.output(&engine, "a");
    wait("it is heard", || !output.coverage().peers.is_empty());
    let shown = output.coverage().peers[0].name.clone();
    assert_eq!(shown, format!("b[2J{}", "x".repeat(96)));
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
