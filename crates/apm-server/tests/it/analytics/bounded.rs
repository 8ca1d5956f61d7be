//! Answers whose size does not depend on how much somebody sent, nor on the range that is asked for.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use actix_web::http::StatusCode;
use actix_web::test;
use actix_web::web;
use apm_store::event::Event;
use apm_store::{NameLimits, Store, StoreOptions};
use serde_json::{Value as Json, json};

use super::api::{RANGE, get};
use super::{MINUTE, batch, open, store_all};
use crate::support::events::{NEW_YEAR, error, now, span, transaction};
use crate::support::server::TestServer;

/// As much time as can be asked for.
const EVER: &str = "from=1970-01-01T00:00:00Z&to=9999-12-30T00:00:00Z";

/// A service with 1200 of everything that is listed, of which each takes longer than the one before.
fn many(store: &Store) {
    let mut events = batch("shop");
    for number in 1..=1_200_u64 {
        let mut request = transaction(&mut events, number, &format!("{number}"));
        request.duration = number as i64;
        request.timestamp = NEW_YEAR;
        events.events.push(Event::Transaction(request));
        let mut call = span(&mut events, number, &format!("select c{number} from t"));
        call.resource = Some(events.keep(&format!("db{number}")));
        call.duration = number as i64;
        events.events.push(Event::Span(call));
        for _ in 0..=u8::from(number > 200) {
            let mut fault = error(&mut events, number);
            fault.grouping_key = number;
            events.events.push(Event::Error(fault));
        }
    }
    store_all(store, events);
    for number in 0..1_200 {
        let mut events = batch(&format!("service {number}"));
        let request = transaction(&mut events, 10_000 + number, "a");
        events.events.push(Event::Transaction(request));
        store_all(store, events);
    }
}

/// A store that has as many names as `seed` writes into it.
async fn without_limits(dir: &Path, seed: fn(&Store)) -> Store {
    let options = StoreOptions {
        names: NameLimits::new(0),
        ..StoreOptions::new(dir.join("apm.db"))
    };
    let store = Store::open(options).expect("a new database");
    let seeding = store.clone();
    web::block(move || seed(&seeding)).await.expect("a thread");
    store
}

/// The rows of a list of [`many`].
fn all(path: &str) -> usize {
    match path {
        "services" => 1_201,
        _ => 1_200,
    }
}

/// An answer, and how many bytes it has.
async fn sized(store: &Store, path: &str) -> (Json, usize) {
    let response = get(store, path, None).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let body = test::read_body(response).await;
    (serde_json::from_slice(&body).expect("JSON"), body.len())
}

#[actix_web::test]
async fn a_list_has_a_thousand_rows_and_says_how_many_it_leaves_out() {
    let dir = tempfile::tempdir().expect("a directory");
    // As a database of before there were limits.
    let store = without_limits(dir.path(), many).await;
    for range in [RANGE, EVER] {
        for (path, rows, left_out) in [
            ("services", "services", 201),
            ("services/shop/transactions", "transactions", 200),
            ("services/shop/errors", "errors", 200),
            ("services/shop/dependencies", "dependencies", 200),
            ("dependencies", "dependencies", 200),
            // A statement has up to 8 KiB of text.
            ("queries", "statements", 1_000),
        ] {
            let (body, bytes) = sized(&store, &format!("/api/v1/{path}?{range}")).await;
            let listed = body[rows].as_array().expect("rows");
            assert_eq!(listed.len() + left_out, all(path), "{path}");
            assert_eq!(body["left_out"], left_out, "{path}");
            let buckets = body["axis"]["buckets"].as_array().expect("buckets");
            assert!(
                (10..=62).contains(&buckets.len()),
                "{path}: {}",
                buckets.len()
            );
            assert!(bytes < 2 << 20, "{path}: {bytes} bytes");
        }
    }
    let (body, _) = sized(
        &store,
        &format!("/api/v1/services/shop/transactions?{RANGE}"),
    )
    .await;
    let groups = body["transactions"].as_array().expect("groups");
    assert_eq!(groups[0]["name"], "GET /1200", "most time first");
    assert_eq!(
        groups[0]["impact"].as_f64(),
        Some(1200.0 / (600.0 * 1201.0)),
        "of all time"
    );
    let listed: HashSet<&Json> = groups.iter().map(|group| &group["name"]).collect();
    let callers = body["sql"].as_array().expect("callers");
    assert!(
        callers
            .iter()
            .all(|caller| listed.contains(&caller["transaction"]))
    );
    assert_eq!(body["latency"]["total"]["count"], 1200.0);
    // Neither of the two is listed in the first thousand.
    let view = format!("/api/v1/services/shop/transactions/view?name=GET%20%2F1&{RANGE}");
    let (body, _) = sized(&store, &view).await;
    assert_eq!(body["share"].as_f64(), Some(1.0 / (600.0 * 1201.0)));
    for page in 1..=2 {
        let path = format!("/api/v1/services?{RANGE}&size=1000&page={page}&cmp=off");
        let (body, _) = sized(&store, &path).await;
        let (totals, busiest) = (&body["totals"], &body["busiest"]["service"]);
        assert_eq!(totals["transactions"], 2_400.0, "page {page}");
        assert_eq!(busiest, "shop", "page {page}");
        // Errors of the shop; its statements have all of its time, and the other services have none.
        let minutes = totals["transactions"].as_f64().expect("a number")
            / totals["throughput"].as_f64().expect("a number");
        let errors = totals["errors_per_minute"].as_f64().expect("a number") * minutes;
        assert!((errors - 2_200.0).abs() < 1e-6, "page {page}: {errors}");
        let time = 600.0 * 1201.0;
        let share = totals["db_share"].as_f64().expect("a number");
        let expected = time / (time + 1_200.0 * 1_500.0);
        assert!((share - expected).abs() < 1e-9, "page {page}: {share}");
    }
    let (body, _) = sized(&store, &format!("/api/v1/services/shop/errors?{RANGE}")).await;
    let errors = body["errors"].as_array().expect("errors");
    assert!(
        errors.iter().all(|group| group["occurrences"] == 2),
        "most occurrences"
    );
    assert_eq!(
        (&body["occurrences"], &body["series"][0]),
        (&2200.into(), &2200.into())
    );
    // Of all groups, and not of the thousand that are read.
    assert_eq!(body["unhandled"], 2_200);
    assert_eq!(body["most_frequent"]["occurrences"], 2);
    let (body, _) = sized(&store, &format!("/api/v1/map?{EVER}")).await;
    let rows = |name: &str| body[name].as_array().map(Vec::len);
    assert_eq!((rows("nodes"), rows("alone")), (Some(200), Some(200)));
    // The shop and 1,200 databases are drawn in part, 1,200 services call nobody.
    assert_eq!(body["left_out"], 1_201 - 200 + 1_200 - 200);
    let (body, _) = sized(&store, &format!("/api/v1/dependencies/db1200?{RANGE}")).await;
    assert_eq!(body["statements_left_out"], 200);
    let (body, _) = sized(&store, &format!("/api/v1/discover?size=0&{EVER}")).await;
    assert!(
        body["histogram"]
            .as_array()
            .is_some_and(|of| of.len() <= 62)
    );
}

#[actix_web::test]
async fn a_page_shows_two_hundred_rows_of_a_list_and_says_so() {
    let server = TestServer::start();
    let metadata = json!({"metadata": {"service": {"name": "shop", "agent": {"name": "rust", "version": "1"}}}});
    let mut sent = format!("{metadata}\n");
    for number in 1..=1_100 {
        let event = json!({"transaction": {
            "id": format!("{number:016x}"), "trace_id": format!("{number:032x}"), "name": format!("GET /{number}"),
            "type": "request", "duration": f64::from(number), "timestamp": now(), "span_count": {"started": 0}}});
        sent.push_str(&format!("{event}\n"));
    }
    assert_eq!(server.intake(sent).await.status, 202);
    let page = server.get("/services/shop/transactions").await;
    assert_eq!(page.text.matches("<tr><th class=\"grow\"").count(), 200);
    for said in ["The first 200 of 1", "are shown.", "GET /1100"] {
        assert!(page.text.contains(said), "{said}");
    }
    assert!(page.text.len() < 1 << 20, "{} bytes", page.text.len());
    // Those beyond the first thousand are on later pages.
    let beyond = server.get("/services/shop/transactions?page=6").await.text;
    assert!(beyond.contains("Rows 1,001 to 1,100") && beyond.contains("GET /1<"));
    assert!(!beyond.contains("GET /101<") && !beyond.contains("rel=\"next\""));
    let mut names = BTreeSet::new();
    for page in 1..=3 {
        let path = format!("/api/v1/services/shop/transactions?size=600&page={page}");
        let rows = server.get(&path).await.json();
        assert_eq!(rows["total"], 1_100);
        assert_eq!(rows["next_page"].as_i64(), (page < 3).then_some(page + 1));
        let listed = rows["transactions"].as_array().expect("rows").iter();
        names.extend(listed.map(|row| row["name"].to_string()));
    }
    assert_eq!(names.len(), 1_100, "every row is on a page");
    let file = server
        .get("/services/shop/transactions?csv=transactions")
        .await;
    assert_eq!(file.text.lines().count(), 1 + 1_000);
    let name = file.header("content-disposition");
    assert_eq!(
        name,
        "attachment; filename=\"transactions-1-to-1000-of-1100.csv\""
    );
    let rest = server
        .get("/api/v1/services/shop/transactions?format=csv&page=2")
        .await;
    assert_eq!(rest.text.lines().count(), 1 + 100);
    assert!(
        rest.header("content-disposition")
            .contains("-1001-to-1100-of-1100")
    );
    let all = server
        .get("/api/v1/services/shop/transactions?format=csv&search=%2F110")
        .await;
    // `GET /110` and `GET /1100`.
    assert_eq!(all.text.lines().count(), 1 + 2);
    assert!(
        all.header("content-disposition")
            .contains("\"transactions.csv\"")
    );
}

#[actix_web::test]
async fn statements_come_in_pages_of_some_megabytes_however_long_they_are() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let seeding = store.clone();
    let seed = move || {
        // Of this hour and of the one before, which answers compare it with.
        for hour in 0..2 {
            let mut events = batch("shop");
            for number in 0..450_u64 {
                // Letters, not digits: these would be values.
                let column: String = format!("{number:03}")
                    .bytes()
                    .map(|digit| char::from(digit - b'0' + b'a'))
                    .collect();
                let columns = format!("column_of_the_{column}_kind, ").repeat(400);
                let mut call = span(&mut events, number, &format!("SELECT {columns}x FROM t"));
                call.timestamp = NEW_YEAR - hour * 60 * MINUTE + 5 * MINUTE;
                call.duration = 1_000 + number as i64;
                events.events.push(Event::Span(call));
            }
            store_all(&seeding, events);
        }
    };
    web::block(seed).await.expect("a thread");
    let mut seen = BTreeSet::new();
    let mut page = Some(1);
    let mut pages = 0;
    while let Some(number) = page {
        let path = format!(
            "/api/v1/queries?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z&size=1000&page={number}"
        );
        let (body, bytes) = sized(&store, &path).await;
        assert!(bytes < 8 << 20, "page {number}: {bytes} bytes");
        let listed = body["statements"].as_array().expect("statements");
        let names = |rows: &Vec<Json>| -> BTreeSet<String> {
            let name = |row: &Json| row["fingerprint"].as_str().expect("text").to_owned();
            rows.iter().map(name).collect()
        };
        let before = body["previous"]["statements"].as_array().expect("before");
        assert_eq!(names(listed), names(before), "the same, of the hour before");
        assert_eq!(body["previous"]["left_out"], 450 - listed.len());
        seen.append(&mut names(listed));
        page = body["next_page"].as_u64();
        pages += 1;
    }
    assert_eq!((seen.len(), pages), (450, 3));
    // A file has no link to the next page, and fewer columns.
    let path = "/api/v1/queries?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z&format=csv";
    let response = get(&store, path, None).await;
    let file = test::read_body(response).await;
    let lines = file.split(|byte| *byte == b'\n');
    assert_eq!(lines.filter(|line| !line.is_empty()).count(), 1 + 450);
    assert!(file.len() < 8 << 20, "{} bytes", file.len());
}

/// The same rows in two hours. Of the later one the first row has the most time, of the earlier one the least.
fn turned(store: &Store) {
    let rows = 1_100_i64;
    for hour in 0..2_i64 {
        let mut events = batch("shop");
        let at = NEW_YEAR - hour * 60 * MINUTE + 5 * MINUTE;
        for number in 1..=rows {
            let micros = match hour {
                0 => rows + 1 - number,
                _ => number,
            };
            let id = number.unsigned_abs() + 10_000 * hour.unsigned_abs();
            let mut request = transaction(&mut events, id, &format!("{number}"));
            (request.duration, request.timestamp) = (micros, at);
            events.events.push(Event::Transaction(request));
            let mut call = span(&mut events, id, &format!("select c{number} from t"));
            (call.duration, call.timestamp) = (micros, at);
            call.resource = Some(events.keep(&format!("db{number}")));
            events.events.push(Event::Span(call));
            for _ in 0..=i64::from(micros > rows / 2) {
                let mut fault = error(&mut events, id);
                fault.timestamp = at;
                fault.grouping_key = number.unsigned_abs();
                events.events.push(Event::Error(fault));
            }
        }
        store_all(store, events);
    }
}

#[actix_web::test]
async fn a_row_is_compared_with_itself_wherever_it_ranked_before() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = without_limits(dir.path(), turned).await;
    let hour = "from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z&cmp=previous&size=10";
    for (path, rows, key) in [
        ("services/shop/transactions", "transactions", "name"),
        ("queries", "statements", "normalized"),
        ("dependencies", "dependencies", "name"),
        ("errors", "errors", "key"),
    ] {
        // Of equally frequent groups, some that were beyond the first thousand.
        let order = match rows {
            "errors" => "&sort=-count&page=50",
            _ => "",
        };
        let (body, _) = sized(&store, &format!("/api/v1/{path}?{hour}{order}")).await;
        let names = |body: &Json| -> BTreeSet<String> {
            let listed = body[rows].as_array().expect("rows").iter();
            listed.map(|row| row[key].to_string()).collect()
        };
        assert_eq!(names(&body).len(), 10, "{path}");
        assert_eq!(names(&body), names(&body["previous"]), "{path}");
        assert_eq!(body["previous"]["left_out"], 1_090, "{path}");
    }
}
