//! A trace goes out and comes back; everything goes.

use std::io::Write as _;

use apm_server::export::Export;
use apm_server::generate::{Options, generate};
use apm_server::import::{Target, stream};
use apm_server::insight::marker;
use apm_store::{Store, StoreError, trace};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{metadata, transaction};
use crate::store::{number, open};
use crate::support::events::now;
use crate::support::server::TestServer;

const TRACE: &str = "0000000000000000000000000000002a";
/// The transaction that the trace begins with.
const ROOT: &str = "000000000000002a";

/// Everything that a recorded trace can hold: a composite, an error with a stack, a log line, another service, an
/// orphan.
fn recording(at: i64) -> String {
    let span = json!({"span": {
        "id": "00000000000000b1", "trace_id": TRACE, "transaction_id": ROOT, "parent_id": ROOT,
        "name": "INSERT INTO people", "type": "db", "subtype": "sqlite", "action": "query", "timestamp": at + 100,
        "duration": 0.613, "sync": true,
        "composite": {"compression_strategy": "exact_match", "count": 4, "sum": 0.6}, "outcome": "success",
        "stacktrace": [{"filename": "a.rs", "lineno": 7, "function": "f", "library_frame": false}],
        "context": {"db": {"statement": "INSERT INTO people VALUES (?)", "type": "sql", "rows_affected": 4}}}});
    let orphan = json!({"span": {
        "id": "00000000000000b2", "trace_id": TRACE, "parent_id": "00000000000000ff", "name": "lost", "type": "custom",
        "timestamp": at + 200, "duration": 1, "child_ids": ["00000000000000b1"]}});
    let error = json!({"error": {
    "id": "000000000000000000000000000000e1", "trace_id": TRACE, "transaction_id": ROOT, "parent_id": ROOT,
    "timestamp": at + 300, "culprit": "f", "transaction": {"name": "GET /a", "type": "request", "sampled": true},
    "exception": {
        "type": "panic", "message": "no", "handled": false, "stacktrace": [{"filename": "a.rs", "lineno": 8}],
        "cause": [{"type": "x", "message": "y"}],
    }}});
    let logged = json!({"error": {
        "id": "000000000000000000000000000000e2", "trace_id": TRACE, "transaction_id": ROOT, "parent_id": ROOT,
        "timestamp": at + 400,
        "log": {"message": "oh", "level": "warning", "stacktrace": [{"filename": "b.rs", "lineno": 9}]}}});
    let log = json!({"log": {
        "@timestamp": at + 500, "message": "hello", "log.level": "info", "trace.id": TRACE, "transaction.id": ROOT,
    }});
    let mut lines = vec![metadata("shop"), transaction(42, "GET /a", at)];
    lines.extend([span, orphan, error, logged, log].map(|line| line.to_string()));
    lines.push(metadata("other"));
    lines.push(
        transaction(43, "GET /b", at + 600)
            .replace(&format!("{:032x}", 43), TRACE)
            .replace("\"name\"", "\"parent_id\":\"000000000000002a\",\"name\""),
    );
    lines.join("\n") + "\n"
}

/// Sends a recording as its two agents would: a body each.
async fn sent(server: &TestServer) {
    let text = recording(now());
    let (first, second) = text[1..].split_once("{\"metadata\"").expect("two senders");
    for body in [format!("{{{first}"), format!("{{\"metadata\"{second}")] {
        let answer = server.intake(body).await;
        assert_eq!(answer.status, 202, "{answer:?}");
    }
}

/// A trace without what storing it adds: the numbers of its events.
fn told(store: &Store, id: &str) -> Vec<String> {
    let id = id.to_owned();
    let events = store.read::<_, StoreError>(move |conn| trace(conn, &id));
    let mut events = events.expect("reads");
    events.sort_by_key(|event| (event.timestamp, event.kind.as_str(), event.id.clone()));
    let told = events.iter_mut().map(|event| {
        event.seq = 0;
        let rest: serde_json::Value = serde_json::from_str(&event.rest).expect("JSON");
        event.rest = rest.to_string();
        let stack = event
            .stack
            .as_deref()
            .map(|json| serde_json::from_str::<serde_json::Value>(json).expect("JSON"));
        event.stack = stack.map(|stack| stack.to_string());
        // The address that a request came from is of the transport, not of the trace.
        let mut sender: serde_json::Value = serde_json::from_str(&event.resource).expect("JSON");
        event.resource = sender["metadata"].take().to_string().into();
        format!("{event:?}")
    });
    told.collect()
}

fn exported(store: &Store, id: &str) -> String {
    let id = id.to_owned();
    let lines = store.read::<_, StoreError>(move |conn| {
        let mut export = Export::begin(conn, &id)?;
        let mut all = String::new();
        while let Some(lines) = export.lines(conn)? {
            all.push_str(&lines);
        }
        Ok(all)
    });
    lines.expect("reads")
}

#[test]
fn what_is_exported_is_imported_as_it_was() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    let [from, to] = [0, 1].map(|i| open(dirs[i].path()));
    let taken = stream(
        recording(now()).as_bytes(),
        &mut Target::store(from.clone()),
        || (),
    );
    assert_eq!(taken.expect("stored").rejected, 0);
    generate(
        &Options::new(40, now()),
        &mut Target::store(from.clone()),
        |_| (),
    )
    .expect("made");
    let ids: Vec<String> = from
        .read::<_, StoreError>(|conn| {
            use diesel::prelude::*;
            #[derive(QueryableByName)]
            struct Id {
                #[diesel(sql_type = diesel::sql_types::Text)]
                id: String,
            }
            let text = "SELECT DISTINCT lower(hex(trace_id)) AS id FROM tx LIMIT 20";
            let ids: Vec<Id> = diesel::sql_query(text).load(conn)?;
            Ok(ids.into_iter().map(|row| row.id).collect())
        })
        .expect("reads");
    assert!(ids.len() >= 20, "several to compare");
    for id in ids.iter().map(String::as_str).chain([TRACE]) {
        let lines = exported(&from, id);
        let events = lines
            .lines()
            .filter(|line| !line.starts_with("{\"metadata\""))
            .count();
        let taken =
            stream(lines.as_bytes(), &mut Target::store(to.clone()), || ()).expect("stored");
        assert_eq!(
            (taken.accepted as usize, taken.rejected),
            (events, 0),
            "{lines}"
        );
        let (before, after) = (told(&from, id), told(&to, id));
        assert_eq!(before, after, "{id}");
        assert_eq!(exported(&to, id).lines().count(), lines.lines().count());
        if id == TRACE {
            break;
        }
    }
    let orphan = told(&to, TRACE);
    assert_eq!(orphan.len(), 7, "{orphan:#?}");
}

#[actix_web::test]
async fn a_trace_is_downloaded_and_uploaded_by_the_pages() {
    let (here, there) = (TestServer::start(), TestServer::start());
    sent(&here).await;
    let file = here.get(&format!("/traces/{TRACE}/export")).await;
    assert_eq!(
        (file.status, file.header("content-type")),
        (200, "application/x-ndjson")
    );
    assert!(
        file.header("content-disposition").contains(TRACE),
        "{file:?}"
    );
    let page = here.get(&format!("/traces/{TRACE}")).await;
    assert!(
        page.text
            .contains(&format!("href=\"/traces/{TRACE}/export\""))
    );
    assert_eq!(here.get("/traces/00/export").await.status, 404);

    let form = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"t.ndjson\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{}\r\n--cut--\r\n",
        file.text
    );
    let own = there.running.url();
    let kind = ("Content-Type", "multipart/form-data; boundary=cut");
    let foreign = [kind, ("Origin", "https://evil.example")];
    assert_eq!(
        there
            .send("POST", "/settings/import", &foreign, form.clone())
            .await
            .status,
        403
    );
    let headers = [kind, ("Origin", own.as_str())];
    let taken = there
        .send("POST", "/settings/import", &headers, form.clone())
        .await;
    let back = format!("/settings?imported=7&refused=0&trace={TRACE}");
    assert_eq!(
        (taken.status, taken.header("location")),
        (303, back.as_str()),
        "{taken:?}"
    );
    let told = there.get(&back).await;
    assert!(told.text.contains("7 events were stored"), "{}", told.text);
    assert_eq!(there.get(&format!("/traces/{TRACE}")).await.status, 200);
    let notes = form.replace(&file.text, "these are my notes\n");
    let refused = there
        .send("POST", "/settings/import", &headers, notes)
        .await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text.contains("begin with a metadata line"),
        "{}",
        refused.text
    );
    // The same file compressed names its trace, too.
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(file.text.as_bytes()).expect("compresses");
    let mut form =
        b"--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"t.ndjson.gz\"\r\n\r\n"
            .to_vec();
    form.extend(gz.finish().expect("compresses"));
    form.extend(b"\r\n--cut--\r\n");
    let taken = there.send("POST", "/settings/import", &headers, form).await;
    assert_eq!(
        (taken.status, taken.header("location")),
        (303, back.as_str()),
        "{taken:?}"
    );
    here.stop().await;
    there.stop().await;
}

#[actix_web::test]
async fn everything_goes_when_it_is_meant() {
    let server = TestServer::start();
    sent(&server).await;
    let own = server.running.url();
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    let clear = async |headers: &[(&str, &str)], body: &'static str| {
        server
            .send("POST", "/settings/clear", headers, body)
            .await
            .status
    };
    assert_eq!(clear(&[kind], "sure=yes").await, 403, "without an origin");
    assert_eq!(
        clear(&[kind, ("Origin", "https://evil.example")], "sure=yes").await,
        403
    );
    assert_eq!(
        clear(&[kind, ("Origin", &own)], "").await,
        400,
        "not confirmed"
    );
    let services = async || server.get("/api/v1/services").await.json()["services"].clone();
    assert_eq!(services().await.as_array().map(Vec::len), Some(2));
    assert_eq!(clear(&[kind, ("Origin", &own)], "sure=yes").await, 303);
    assert_eq!(services().await, json!([]));
    assert_eq!(server.get(&format!("/traces/{TRACE}")).await.status, 404);
    // Events that come afterwards are stored and counted as ever.
    sent(&server).await;
    assert_eq!(services().await.as_array().map(Vec::len), Some(2));
    assert_eq!(server.get(&format!("/traces/{TRACE}")).await.status, 200);
    server.stop().await;
}

#[test]
fn clearing_empties_every_table_but_the_settings_of_agents() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    generate(
        &Options::new(50, now()),
        &mut Target::store(store.clone()),
        |_| (),
    )
    .expect("made");
    store.clear().expect("taken").wait().expect("cleared");
    for table in [
        "tx",
        "span",
        "error",
        "block",
        "trace_at",
        "service",
        "statement",
        "stack",
        "roll_tx",
        "roll_received",
        "finding",
    ] {
        assert_eq!(
            number(&store, &format!("SELECT count(*) AS n FROM {table}")),
            0,
            "{table}"
        );
    }
    let again = generate(
        &Options::new(50, now()),
        &mut Target::store(store.clone()),
        |_| (),
    )
    .expect("made");
    let events = number(&store, "SELECT sum(events) AS n FROM block");
    assert_eq!(again.accepted, events.unsigned_abs());
    let strays =
        "SELECT count(*) AS n FROM tx_group WHERE service_id NOT IN (SELECT id FROM service)";
    assert_eq!(number(&store, strays), 0);
}

#[test]
fn what_was_worked_out_before_everything_was_deleted_is_not_written_afterwards() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mark = |clears| {
        let written = store.write_of(clears, |conn| {
            marker::set(conn, 1, ("shop", None), marker::Kind::Start, "process 1")
        });
        written.expect("taken").wait().expect("answered")
    };
    let markers = || number(&store, "SELECT count(*) AS n FROM marker");
    let before = store.clears();
    assert!(mark(before).is_some());
    assert_eq!(markers(), 1);
    store.clear().expect("taken").wait().expect("cleared");
    assert_eq!(mark(before), None);
    assert_eq!(markers(), 0);
    assert!(mark(store.clears()).is_some());
    assert_eq!(markers(), 1);
}
