//! The sentence over a trace agrees with its bars: time is called uncovered only where no bar covers it.

use serde_json::json;

use super::said;
use crate::support::events::now;
use crate::support::server::TestServer;

const MINUTE: i64 = 60_000_000;

/// A trace of a request of 100 ms with a span: start and duration in ms.
fn trace(number: i64, start: i64, duration: i64, at: i64) -> String {
    let (trace, id) = (
        format!("{:032x}", 0xabc0 + number),
        format!("{:016x}", 0xabc0 + number),
    );
    let metadata = json!({"metadata": {"service": {"name": "traced",
        "agent": {"name": "rust", "version": "1"}}}});
    let transaction = json!({"transaction": {"id": id, "trace_id": trace, "name": "GET /t", "type": "request",
        "duration": 100, "timestamp": at, "span_count": {"started": 1}}});
    let span = json!({"span": {"id": format!("{:016x}", 0xdef0 + number), "trace_id": trace, "transaction_id": id,
        "parent_id": id, "name": "read file", "type": "app", "duration": duration,
        "timestamp": at + start * 1_000}});
    format!("{metadata}\n{transaction}\n{span}")
}

#[actix_web::test]
async fn time_that_no_span_covers_is_only_what_no_bar_covers() {
    let server = TestServer::start();
    for (number, start, duration, expected) in [
        (0, 5, 90, "90 % of it was spent in read file."),
        (1, 45, 10, "90 % of it is time that no span covers."),
        (2, 1, 500, "It ended before read file did."),
        (3, 95, 500, "95 % of it is time that no span covers."),
    ] {
        let answer = server
            .intake(trace(number, start, duration, now() - MINUTE))
            .await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let page = format!("/traces/{:032x}", 0xabc0 + number);
        let html = server.get(&page).await.text;
        assert_eq!(
            said(&html, "<p class=\"why\">", "</p>"),
            expected,
            "{number}"
        );
    }
    server.stop().await;
}

#[actix_web::test]
async fn time_under_spans_that_outlast_their_parents_is_not_called_uncovered() {
    let server = TestServer::start();
    let at = now() - MINUTE;
    let trace = format!("{:032x}", 0xbee);
    let (request, start) = (format!("{:016x}", 0xbee0), format!("{:016x}", 0xbee1));
    let metadata = json!({"metadata": {"service": {"name": "traced",
        "agent": {"name": "nodejs", "version": "1"}}}});
    let transaction = json!({"transaction": {"id": request, "trace_id": trace, "name": "GET /t",
        "type": "request", "duration": 100, "timestamp": at, "span_count": {"started": 2}}});
    let span = |id: &str, parent: &str, name: &str, from: i64, duration: i64| {
        json!({"span": {"id": id, "trace_id": trace, "transaction_id": request, "parent_id": parent,
            "name": name, "type": "app", "duration": duration, "timestamp": at + from * 1_000}})
    };
    // A callback that is started within a millisecond, and works until the request ends.
    let started = span(&start, &request, "start work", 0, 1);
    let work = span(&format!("{:016x}", 0xbee2), &start, "work", 1, 97);
    let body = format!("{metadata}\n{transaction}\n{started}\n{work}");
    assert_eq!(server.intake(body).await.status, 202);
    let html = server.get(&format!("/traces/{trace}")).await.text;
    assert_eq!(
        said(&html, "<p class=\"why\">", "</p>"),
        "99 % of it is covered only by spans that ended after their parents."
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_trace_of_log_lines_alone_says_so() {
    let server = TestServer::start();
    let trace = format!("{:032x}", 0x109);
    let metadata = json!({"metadata": {"service": {"name": "traced",
        "agent": {"name": "nodejs", "version": "1"}}}});
    let line =
        json!({"log": {"@timestamp": now() - MINUTE, "message": "alone", "trace.id": trace}});
    assert_eq!(
        server.intake(format!("{metadata}\n{line}")).await.status,
        202
    );
    let html = server.get(&format!("/traces/{trace}")).await.text;
    assert!(html.contains("1 log line without a request."), "{html}");
    server.stop().await;
}
