//! An engine that was emptied, replaced, brought back, or lost an index.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use apm_output::Output;
use apm_store::share::{self, Document};
use apm_store::{StoreError, output};
use diesel::prelude::*;
use serde_json::json;

use crate::support::engine::{Act, Answer, Engine, OPENSEARCH, Request, serve};
use crate::support::rollups::transactions;
use crate::support::servers::Server;
use crate::support::{
    config, feed, lines, named, now, of_hosts, sharing_store, start, store, wait,
};

const EVENTS: &str = "/_index_template/pocket-apm";

/// Deletes all that an engine has.
fn empty(engine: &Engine) {
    let mut state = engine.state();
    state.documents.clear();
    state.plain.clear();
    state.templates.clear();
}

/// Waits until nothing of a server waits.
fn all_sent(output: &Output) {
    wait("its counts are sent", || {
        let coverage = output.coverage();
        let own = coverage.own.is_some_and(|own| own.waiting == 0);
        own && output.stats().lag.events == 0
    });
}

/// An address where an engine is, after a test had a look at the request.
fn behind(
    engine: &Engine,
    look: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
) -> String {
    let engine = engine.clone();
    let address = serve(move |request| look(request).unwrap_or_else(|| engine.answer(request)));
    format!("http://{address}")
}

fn reply(status: u16, body: &serde_json::Value) -> Answer {
    Answer::Reply(status, body.to_string().into())
}

#[test]
fn counts_of_a_store_that_was_brought_back_reach_servers_that_know_its_numbers() {
    let engine = Engine::start(OPENSEARCH);
    let (a, b) = (Server::new(), Server::new());
    let of_b = b.output(&engine, "b");
    let of_a = a.output(&engine, "a");
    feed(&a.store, lines(0, 4));
    all_sent(&of_a);
    of_a.stop();
    drop(of_a);
    let backup = tempfile::tempdir().expect("a directory");
    let a = a.copied(backup.path());
    let of_a = a.output(&engine, "a");
    for round in 1..6 {
        feed(&a.store, lines(round * 100, 4));
        all_sent(&of_a);
        wait("the other one has them", || {
            transactions(&b.store) == round as i64 + 1
        });
    }
    of_a.stop();
    drop(of_a);
    // The backup takes events while the engine is away: their numbers were given before.
    let restored = sharing_store(backup.path());
    engine.state().credential = Some("Basic of another".to_owned());
    let of_restored = start(&restored, named(&engine, "a"));
    feed(&restored, lines(10_000, 4));
    wait("they are numbered", || {
        let waiting = restored.read::<_, StoreError>(|conn| Ok(share::waiting(conn, 10)?));
        !waiting.expect("readable").is_empty()
    });
    assert_eq!(transactions(&b.store), 6);
    engine.state().credential = None;
    wait("the other one has them, too", || {
        transactions(&b.store) == 7
    });
    all_sent(&of_restored);
    assert_eq!(of_b.coverage().peers[0].skipped, 0);
    let state = engine.state();
    let mut numbers: Vec<i64> = state
        .documents
        .values()
        .filter_map(|copies| copies[0].1["number"].as_i64())
        .collect();
    numbers.sort_unstable();
    let count = numbers.len() as i64;
    assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
}

#[test]
fn deltas_that_were_sent_before_a_crash_keep_their_numbers_and_count_once() {
    let engine = Engine::start(OPENSEARCH);
    let (a, b) = (Server::new(), Server::new());
    let of_a = a.output(&engine, "a");
    feed(&a.store, lines(0, 4));
    all_sent(&of_a);
    of_a.stop();
    drop(of_a);
    feed(&a.store, lines(100, 4));
    crate::support::servers::deltas(&a.store);
    let backup = tempfile::tempdir().expect("a directory");
    let a = a.copied(backup.path());
    let of_a = a.output(&engine, "a");
    all_sent(&of_a);
    of_a.stop();
    drop(of_a);
    // The copy does not know that its delta was sent.
    let crashed = sharing_store(backup.path());
    let of_crashed = start(&crashed, named(&engine, "a"));
    feed(&crashed, lines(200, 4));
    let _b = b.output(&engine, "b");
    wait("the other one has all", || transactions(&b.store) >= 3);
    all_sent(&of_crashed);
    assert_eq!(transactions(&b.store), 3);
    assert_eq!(engine.duplicates(), 0);
}

/// Settings are taken, and stand nowhere else.
fn take(_: &mut SqliteConnection, _: &Document) -> QueryResult<bool> {
    Ok(true)
}

#[test]
fn decisions_are_shared_again_with_an_engine_that_was_emptied() {
    let engine = Engine::start(OPENSEARCH);
    let a = Server::new();
    let config = || {
        let mut config = named(&engine, "a");
        config.kinds = &["setting", "marker"];
        config.take = Some(take);
        config
    };
    let has = |kind: &str| {
        let state = engine.state();
        let mut plain = state.plain.values();
        plain.any(|(_, source)| source["kind"] == kind)
    };
    let output = start(&a.store, config());
    wait("the first look", || output.coverage().looked.is_some());
    let decided = a.store.write(|conn| {
        share::publish(conn, "setting", "shop", Some("0.25"), now())?;
        share::publish(conn, "marker", "gone", None, now())
    });
    decided.expect("open").wait().expect("written");
    wait("they are there", || has("setting") && has("marker"));
    empty(&engine);
    wait("they are there again", || {
        has("setting") && has("marker") && has("server")
    });
    feed(&a.store, lines(0, 4));
    wait("the templates, too", || engine.state().templates.len() == 3);
    all_sent(&output);
    output.stop();
    drop(output);
    empty(&engine);
    let output = start(&a.store, config());
    wait("after a start, too", || has("setting") && has("marker"));
    // A server that joins does not wait for counts that went to the engine of before.
    feed(&a.store, lines(100, 4));
    let b = Server::new();
    let of_b = b.output(&engine, "b");
    wait("it has the new ones", || transactions(&b.store) == 1);
    assert_eq!(of_b.coverage().peers[0].skipped, 0);
    output.stop();
}

#[test]
fn an_engine_that_was_emptied_has_the_template_before_the_next_document() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    // Each request with documents, and whether the template was there.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (looked, of_look) = (Arc::clone(&seen), engine.clone());
    let url = behind(&engine, move |request| {
        if request.path.starts_with("/_bulk") {
            let has = of_look.state().templates.contains_key(EVENTS);
            looked.lock().expect("whole").push(has);
        }
        None
    });
    let output = start(&store, of_hosts([url]));
    let mut count = feed(&store, lines(0, 4));
    wait("they are there", || engine.event_count() == count);
    empty(&engine);
    count = feed(&store, lines(100, 4));
    wait("the next are there", || engine.event_count() == count);
    // It comes back empty while a request is sent again and again.
    engine.script(vec![Act::Status(503); 3]);
    let before = seen.lock().expect("whole").len();
    count += feed(&store, lines(200, 4));
    wait("one was tried", || {
        seen.lock().expect("whole").len() > before
    });
    engine.state().templates.clear();
    wait("the last are there", || engine.event_count() == count);
    output.stop();
    // The one that was on its way when the engine was emptied may have met none, and was refused.
    let seen = seen.lock().expect("whole");
    assert!(seen.len() > 5 && *seen.last().expect("some"), "{seen:?}");
    assert_eq!(seen.iter().filter(|has| !**has).count(), 0, "{seen:?}");
    assert_eq!(engine.duplicates(), 0);
}

#[test]
fn the_name_of_the_engine_is_noted_beside_the_place_and_nothing_is_sent_twice_to_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path());
    let about = |name: &'static str| {
        let engine = Engine::start(OPENSEARCH);
        let url = behind(&engine, move |request| {
            let about = json!({"cluster_uuid": name,
                "version": {"distribution": "opensearch", "number": "2.19.6"}});
            (request.path == "/").then(|| reply(200, &about))
        });
        (engine, url)
    };
    let (old, new) = (about("old"), about("new"));
    let meet = |name: &'static str| {
        let met = store.write(move |conn| output::meet(conn, name));
        met.expect("open").wait().expect("written")
    };
    let mut sent = [0, 0];
    for round in 0..4 {
        let at = round % 2;
        let (engine, url) = if at == 0 { &old } else { &new };
        // The last request has an unknown outcome for this run.
        sent[at] += feed(&store, lines(round as u64 * 1000, 200));
        engine.script([Act::TakenReset]);
        let output = start(&store, of_hosts([url.clone()]));
        wait("nothing waits", || {
            let stats = output.stats();
            stats.lag.events == 0 && stats.documents > 0
        });
        output.stop();
        assert_eq!(engine.event_count(), sent[at]);
    }
    assert_eq!((old.0.duplicates(), new.0.duplicates()), (0, 0));
    assert_eq!(meet("new"), None);
    assert_eq!(meet("third").as_deref(), Some("new"));
}

#[test]
fn a_lost_index_from_before_the_documents_does_not_stop_the_output() {
    let day = 24 * 60 * 60 * 1000;
    let millis = now() / 1000;
    // The index was full five days ago, an hour ago.
    for (full, is_asked) in [(millis - 5 * day, false), (millis - day / 24, true)] {
        let dir = tempfile::tempdir().expect("a directory");
        let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
        let is_lost = Arc::new(AtomicBool::new(false));
        let lost = Arc::clone(&is_lost);
        let url = behind(&engine, move |request| {
            let path = request.path.split('?').next().unwrap_or_default();
            let names = path.trim_start_matches('/').split('/').next()?;
            let stream = "traces-apm-default";
            let (one, two) = (
                ".ds-traces-apm-default-000001",
                ".ds-traces-apm-default-000002",
            );
            if path.starts_with("/_data_stream/") {
                let indices = [one, two].map(|name| json!({"index_name": name}));
                let streams = json!([{"name": stream, "indices": indices}]);
                return Some(reply(200, &json!({"data_streams": streams})));
            }
            if path.ends_with("/_settings/index.creation_date") {
                let of = |at: i64| json!({"settings": {"index.creation_date": at.to_string()}});
                return Some(reply(200, &json!({one: of(full - 9 * day), two: of(full)})));
            }
            let is_question = path.ends_with("/_search") || path.ends_with("/_refresh");
            let has_lost =
                names.contains("traces-apm") && !names.split(',').all(|name| name == two);
            (lost.load(Ordering::SeqCst) && is_question && has_lost).then(|| {
                let error = json!({"type": "search_phase_execution_exception", "reason": "all shards failed"});
                reply(503, &json!({"error": error, "status": 503}))
            })
        });
        let mut count = feed(&store, lines(0, 640));
        let output = start(&store, of_hosts([url.clone()]));
        wait("all are there", || engine.event_count() == count);
        is_lost.store(true, Ordering::SeqCst);
        // The parts that were taken have no answer.
        engine.script([Act::TakenRollover]);
        count += feed(&store, lines(1000, 40));
        wait("they are there", || engine.event_count() == count);
        if is_asked {
            wait("the output waits", || output.stats().trouble.is_some());
            is_lost.store(false, Ordering::SeqCst);
        }
        wait("nothing waits", || output.stats().lag.events == 0);
        output.stop();
        drop(output);
        // A start asks, too.
        is_lost.store(!is_asked, Ordering::SeqCst);
        count += feed(&store, lines(2000, 40));
        let output = start(&store, of_hosts([url]));
        wait("the last are there", || {
            engine.event_count() == count && output.stats().lag.events == 0
        });
        output.stop();
        assert_eq!(engine.duplicates(), 0);
    }
}

#[test]
fn the_parts_of_an_earlier_request_are_waited_for_as_well() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let asked = Arc::new(Mutex::new(0));
    let (counted, of_look) = (Arc::clone(&asked), engine.clone());
    let url = behind(&engine, move |request| {
        let query = request.path.strip_prefix("/_tasks?")?;
        let mut actions = query.split('&');
        let pattern = actions.find_map(|part| part.strip_prefix("actions="))?;
        // The node that took the request was killed: its part is at work on another one.
        let action = "indices:data/write/bulk[s]";
        let is_meant = match pattern.strip_suffix('*') {
            Some(head) => action.starts_with(head),
            None => action == pattern,
        };
        let mut asked = counted.lock().expect("whole");
        *asked += 1;
        let owner = of_look.state().owners.iter().next().cloned();
        (is_meant && *asked < 4).then(|| {
            let task = json!({"action": action, "headers": {"X-Opaque-Id": owner}});
            reply(200, &json!({"nodes": {"n": {"tasks": {"n:1": task}}}}))
        })
    });
    let count = feed(&store, lines(0, 4));
    let output = start(&store, config(&engine));
    wait("they are there", || engine.event_count() == count);
    output.stop();
    drop(output);
    let count = count + feed(&store, lines(400, 4));
    let output = start(&store, of_hosts([url]));
    wait("the rest is there", || engine.event_count() == count);
    output.stop();
    assert!(*asked.lock().expect("whole") >= 4);
}
