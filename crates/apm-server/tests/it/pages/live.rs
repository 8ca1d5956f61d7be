//! The live page's stream: what arrives is sent, what does not match is not, and a closed tab costs nothing.

use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::{metadata, transaction};
use crate::support::events::now;
use crate::support::server::{TestServer, eventually};

/// Streams that the server keeps open at a time.
const STREAMS: usize = 16;

type Events = std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, awc::error::PayloadError>>>>;

async fn open(server: &TestServer, query: &str) -> Result<Events, u16> {
    open_behind(server, query, None).await
}

/// Opens a stream as a browser does that has lost one: with the id of the last batch that it got.
async fn open_behind(server: &TestServer, query: &str, last: Option<&str>) -> Result<Events, u16> {
    let url = server.url(&format!("/live/stream{query}"));
    let mut request = server.client.get(url);
    if let Some(last) = last {
        request = request.insert_header(("last-event-id", last));
    }
    let answer = request.send().await.expect("an answer");
    match answer.status().as_u16() {
        200 => Ok(Box::pin(answer)),
        status => Err(status),
    }
}

/// The text of a stream until it says `what`.
async fn until(events: &mut Events, what: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut said = String::new();
    while !said.contains(what) {
        let left = deadline.saturating_duration_since(Instant::now());
        let next = actix_web::rt::time::timeout(left, events.next()).await;
        let chunk = next.unwrap_or_else(|_| panic!("in vain waited for {what}: {said}"));
        said.push_str(&String::from_utf8_lossy(
            &chunk.expect("it goes on").expect("bytes"),
        ));
    }
    said
}

async fn send(server: &TestServer, service: &str, number: u64, name: &str) {
    let body = format!(
        "{}\n{}\n",
        metadata(service),
        transaction(number, name, now())
    );
    assert_eq!(server.intake(body).await.status, 202);
}

// One test, for the places are those of the whole process.
#[actix_web::test]
async fn events_arrive_by_their_filter_and_a_closed_tab_gives_its_place_back() {
    let server = TestServer::with(|config| config.base_path = "/apm".parse().expect("a path"));
    let mut all = open(&server, "").await.expect("a place");
    let mut some = open(&server, "?q=service.name:shop")
        .await
        .expect("a place");
    send(&server, "other", 1, "GET /other").await;
    let said = until(&mut all, "GET /other").await;
    assert!(said.contains("event: rows\ndata: <tr"), "{said}");
    assert!(
        said.contains(" href=\"/apm/traces/"),
        "rows lead below the base path: {said}"
    );
    send(&server, "shop", 2, "GET /<shop>").await;
    let said = until(&mut some, "GET /&lt;shop&gt;").await;
    assert!(!said.contains("GET /other"), "filtered: {said}");
    let said = until(&mut all, "GET /&lt;shop&gt;").await;
    assert!(!said.contains("GET /other"), "each once: {said}");
    assert_eq!(
        open(&server, "?q=a:").await.err(),
        Some(503),
        "a filter that cannot be read"
    );

    // A browser that connects again gets what it has not got yet, and nothing twice, whatever its page came with.
    let last = said
        .rsplit("id: ")
        .next()
        .and_then(|rest| rest.lines().next());
    let mut again = open_behind(&server, "?since=-1", last)
        .await
        .expect("a place");
    send(&server, "shop", 3, "GET /missed").await;
    let said = until(&mut again, "GET /missed").await;
    assert!(!said.contains("GET /other"), "each once: {said}");
    assert!(!said.contains("GET /&lt;shop&gt;"), "each once: {said}");
    let said = until(&mut all, "GET /missed").await;
    assert!(said.contains("event: rows"), "{said}");

    // Log lines have a stream of their own, by severity, and keep their line breaks.
    let mut lines = open(&server, "?feed=logs&level=error")
        .await
        .expect("a place");
    let line = |level: &str, message: &str| {
        serde_json::json!({"log": {"message": message, "log.level": level}}).to_string()
    };
    let own = [line("info", "not this"), line("ERROR", "but\nthis")].join("\n");
    let body = format!("{}\n{own}\n", metadata("shop"));
    assert_eq!(server.intake(body).await.status, 202);
    let said = until(&mut lines, "but&#10;this").await;
    assert!(!said.contains("not this"), "{said}");
    let said = until(&mut all, "not this").await;
    assert!(!said.contains("GET /other"), "each once: {said}");

    let mut others = vec![again];
    for _ in 4..STREAMS {
        others.push(open(&server, "").await.expect("a place"));
    }
    assert_eq!(open(&server, "").await.err(), Some(503), "no place is left");
    drop(others);
    drop(some);
    drop(lines);
    // Streams that were opened stay open: a place that was taken for a try would only be given back with the next
    // event.
    let mut number = 10;
    let mut opened = Vec::new();
    eventually("closed streams to give their places back", async || {
        number += 1;
        send(&server, "shop", number, "GET /again").await;
        let body = format!("{}\n{}\n", metadata("shop"), line("error", "again"));
        assert_eq!(server.intake(body).await.status, 202);
        while let Ok(stream) = open(&server, "").await {
            opened.push(stream);
        }
        opened.len() == STREAMS - 1
    })
    .await;
    drop(all);
    server.stop().await;
}
