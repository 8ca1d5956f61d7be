//! One number, one value: a figure that stands on two pages is the same on both, list against detail.

use std::time::Duration;

use apm_server::generate::{Options, generate};
use apm_server::import::Target;
use apm_store::Store;
use serde_json::Value as Json;

use super::api::json;
use super::open;
use crate::support::events::now;

/// The address of an answer over a range of seconds.
fn at(path: &str, (from, to): (i64, i64)) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    format!(
        "/api/v1/{path}{mark}cmp=off&from={}&to={}",
        time(from),
        time(to)
    )
}

/// RFC 3339.
fn time(second: i64) -> String {
    apm_time::rfc3339(second * 1_000_000)
}

/// A segment of a path, or a value.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

struct Pages {
    store: Store,
    /// Seconds since the epoch.
    range: (i64, i64),
    /// The part of itself by which a figure may differ. Two answers about a time that is not over have two presents.
    tolerance: f64,
    /// Figures that were compared.
    count: usize,
    wrong: Vec<String>,
}

impl Pages {
    async fn get(&self, path: &str) -> Json {
        json(&self.store, &at(path, self.range)).await
    }

    /// Compares a figure of two answers, each with its JSON pointer.
    fn same(&mut self, what: &str, (a, at_a): (&Json, &str), (b, at_b): (&Json, &str)) {
        self.count += 1;
        let (left, right) = (a.pointer(at_a), b.pointer(at_b));
        let is_close = match (left.and_then(Json::as_f64), right.and_then(Json::as_f64)) {
            (Some(left), Some(right)) => {
                (left - right).abs() <= self.tolerance * left.abs().max(1.0)
            }
            _ => left.is_some() && left == right,
        };
        if !is_close {
            self.wrong
                .push(format!("{what}: {at_a} is {left:?}, {at_b} is {right:?}"));
        }
    }

    /// The same figures, by name, of two objects.
    fn all(&mut self, what: &str, a: &Json, b: &Json, names: &[&str]) {
        for name in names {
            let pointer = format!("/{name}");
            self.same(what, (a, &pointer), (b, &pointer));
        }
    }
}

fn rows<'a>(answer: &'a Json, name: &str) -> &'a [Json] {
    answer[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(row: &'a Json, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

async fn services(pages: &mut Pages) {
    let list = pages.get("services").await;
    let insights = pages.get("insights").await;
    for row in rows(&list, "services") {
        let name = text(row, "name");
        let page = pages.get(&format!("services/{name}")).await;
        let total = &page["latency"]["total"];
        pages.same(name, (row, "/transactions"), (total, "/count"));
        pages.same(name, (row, "/latency_avg"), (total, "/avg"));
        pages.same(name, (row, "/throughput"), (total, "/throughput"));
        pages.same(name, (row, "/failed_rate"), (total, "/failed_rate"));
        let filtered = pages.get(&format!("services?service={name}")).await;
        pages.all(
            name,
            row,
            &filtered["services"][0],
            &[
                "transactions",
                "latency_avg",
                "latency",
                "errors",
                "db_share",
            ],
        );
        let errors = pages.get(&format!("services/{name}/errors")).await;
        pages.same(name, (row, "/errors"), (&errors, "/occurrences"));
        pages.same(name, (&page, "/errors_total"), (&errors, "/total"));
        let found = rows(&insights, "insights").iter();
        let found = found
            .filter(|finding| text(finding, "service") == name)
            .count();
        let counted = list["insights"][name].as_u64().unwrap_or(0);
        assert_eq!(counted, found as u64, "insights of {name}");
        transactions(pages, name, &page).await;
    }
}

/// The figures of all rows of a list together.
fn together(rows: &[Json]) -> Json {
    let sum = |of: &dyn Fn(&Json) -> f64| rows.iter().map(of).sum::<f64>();
    let number = |row: &Json, name: &str| row[name].as_f64().unwrap_or(0.0);
    let count = sum(&|row| number(row, "count"));
    let time = sum(&|row| number(row, "count") * number(row, "latency_avg"));
    serde_json::json!({
        "count": count,
        "avg": time / count,
        "throughput": sum(&|row| number(row, "throughput")),
    })
}

/// The instances of a service, and its versions, are all of it.
async fn parts(pages: &mut Pages) {
    let list = pages.get("services").await;
    for row in rows(&list, "services") {
        let name = text(row, "name");
        let page = pages.get(&format!("services/{name}")).await;
        let total = &page["latency"]["total"];
        let found = pages.get(&format!("services/{name}/instances")).await;
        let instances = together(rows(&found, "instances"));
        pages.all(name, &instances, total, &["count", "avg", "throughput"]);
        pages.same(name, (&found, "/count"), (total, "/count"));
        let found = pages.get(&format!("services/{name}/versions")).await;
        let versions = together(rows(&found, "versions"));
        pages.all(name, &versions, total, &["count", "avg"]);
    }
}

async fn transactions(pages: &mut Pages, service: &str, page: &Json) {
    const FIGURES: [&str; 7] = [
        "count",
        "latency_avg",
        "latency",
        "latency_max",
        "throughput",
        "failed_rate",
        "impact",
    ];
    let list = pages
        .get(&format!("services/{service}/transactions?type=*"))
        .await;
    pages.same(service, (page, "/transactions_total"), (&list, "/total"));
    for row in rows(&list, "transactions") {
        let (kind, name) = (text(row, "type"), text(row, "name"));
        let path = format!(
            "services/{service}/transactions/view?type={}&name={}",
            encoded(kind),
            encoded(name)
        );
        let detail = pages.get(&path).await;
        let total = &detail["latency"]["total"];
        pages.same(name, (row, "/count"), (total, "/count"));
        pages.same(name, (row, "/latency_avg"), (total, "/avg"));
        pages.same(name, (row, "/latency_max"), (total, "/max"));
        pages.same(name, (row, "/throughput"), (total, "/throughput"));
        pages.same(name, (row, "/failed_rate"), (total, "/failed_rate"));
        pages.same(name, (row, "/impact"), (&detail, "/share"));
        pages.same(name, (row, "/count"), (&detail, "/distribution/count"));
        pages.same(
            name,
            (row, "/latency"),
            (&detail, "/distribution/percentiles"),
        );
        let is_same = |other: &&Json| text(other, "name") == name && text(other, "type") == kind;
        if let Some(top) = rows(page, "transactions").iter().find(is_same) {
            pages.all(name, row, top, &FIGURES);
        }
    }
}

async fn errors(pages: &mut Pages) {
    const FIGURES: [&str; 4] = ["occurrences", "first_seen", "latest", "series"];
    let list = pages.get("errors").await;
    for row in rows(&list, "errors") {
        let (service, key) = (text(row, "service"), text(row, "key"));
        let detail = pages.get(&format!("services/{service}/errors/{key}")).await;
        pages.all(key, row, &detail["group"], &FIGURES);
        let own = pages.get(&format!("errors?service={service}")).await;
        let is_same = |other: &&Json| text(other, "key") == key;
        let own = rows(&own, "errors")
            .iter()
            .find(is_same)
            .expect("the same error");
        pages.all(key, row, own, &FIGURES);
    }
}

async fn statements(pages: &mut Pages) {
    const FIGURES: [&str; 8] = [
        "calls",
        "throughput",
        "total",
        "share",
        "latency_avg",
        "latency",
        "latency_max",
        "failed_rate",
    ];
    let everything = pages.get("queries").await;
    for found in rows(&everything, "statements") {
        let (service, fingerprint) = (text(found, "service"), text(found, "fingerprint"));
        // A share is that of the services that are asked for.
        let list = pages.get(&format!("queries?service={service}")).await;
        let is_same = |other: &&Json| text(other, "fingerprint") == fingerprint;
        let row = rows(&list, "statements").iter().find(is_same);
        let row = row.expect("the same statement");
        let path = format!("queries/{fingerprint}?service={service}");
        let detail = pages.get(&path).await;
        let mut shown = rows(&detail, "statements").iter();
        let shown = shown.find(|other| text(other, "service") == service);
        let shown = shown.expect("the same statement");
        pages.all(fingerprint, row, shown, &FIGURES);
        let callers = |answer: &Json| {
            let own = rows(answer, "callers").iter();
            let own = own.filter(|caller| {
                text(caller, "service") == service && text(caller, "fingerprint") == fingerprint
            });
            own.cloned().collect::<Vec<Json>>()
        };
        assert_eq!(callers(&list), callers(&detail), "callers of {fingerprint}");
    }
}

async fn dependencies(pages: &mut Pages) {
    const FIGURES: [&str; 6] = [
        "count",
        "latency_avg",
        "latency",
        "latency_max",
        "throughput",
        "failed_rate",
    ];
    let list = pages.get("dependencies").await;
    for row in rows(&list, "dependencies") {
        let name = text(row, "name");
        let detail = pages.get(&format!("dependencies/{}", encoded(name))).await;
        pages.all(name, row, &detail["dependency"], &FIGURES);
        for caller in rows(&detail, "callers") {
            let service = text(caller, "service");
            let own = pages.get(&format!("services/{service}/dependencies")).await;
            let is_same = |other: &&Json| text(other, "name") == name;
            let own = rows(&own, "dependencies").iter().find(is_same);
            pages.all(name, caller, own.expect("the same dependency"), &FIGURES);
        }
    }
}

async fn traces(pages: &mut Pages) {
    let list = pages.get("traces?size=20").await;
    for row in rows(&list, "traces") {
        let id = text(row, "trace");
        let trace = json(&pages.store, &format!("/api/v1/traces/{id}")).await;
        let entry = &trace["items"][0];
        pages.all(
            id,
            row,
            entry,
            &["name", "service", "timestamp", "duration", "outcome"],
        );
        pages.same(id, (row, "/spans"), (entry, "/spans_started"));
    }
}

#[test]
fn a_figure_is_the_same_on_every_page() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let now = now();
    let options = Options {
        window: Duration::from_secs(3 * 3_600),
        ..Options::new(400, now)
    };
    generate(&options, &mut Target::store(store.clone()), |_| ()).expect("made");
    let second = now / 1_000_000;
    let three_hours = (second - 3 * 3_600, second - 60);
    let mut pages = Pages {
        store,
        range: three_hours,
        tolerance: 1e-9,
        count: 0,
        wrong: Vec::new(),
    };
    // The store was filled outside of the runtime, which must not wait for the writer.
    actix_web::rt::System::new().block_on(async {
        services(&mut pages).await;
        errors(&mut pages).await;
        statements(&mut pages).await;
        dependencies(&mut pages).await;
        traces(&mut pages).await;
        parts(&mut pages).await;
        // Neither end is at a whole minute.
        let minute = second / 60 * 60;
        pages.range = (minute - 3_600 - 13, minute - 600 + 17);
        parts(&mut pages).await;
        // A part of it is to come.
        pages.range = (minute - 3_600 + 13, minute + 1_800);
        pages.tolerance = 0.01;
        parts(&mut pages).await;
    });
    assert!(pages.wrong.is_empty(), "{}", pages.wrong.join("\n"));
    assert!(pages.count > 300, "{} figures", pages.count);
}
