//! Bodies of requests, which are recorded on demand, and of responses, which end the transaction.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Service as _;
use actix_web::http::header;
use actix_web::test::TestRequest;
use actix_web::web::{self, Bytes};
use actix_web::{Error, HttpResponse};
use serde_json::{Value, json};

use super::{Gone, call, only};
use crate::support::Checked;

/// A body in three chunks that looks at the context.
struct Chunks(u8);

impl MessageBody for Chunks {
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        drop(apm_agent::span(format!("chunk {}", self.0), "app"));
        std::thread::sleep(Duration::from_millis(5));
        self.0 += 1;
        Poll::Ready((self.0 <= 3).then(|| Ok(Bytes::from_static(b"chunk"))))
    }
}

#[actix_web::test]
async fn a_streamed_body_is_timed_to_its_end_and_runs_in_context() {
    let recorder = Checked::default();
    let app =
        app!(recorder, .route("/", web::get().to(async || HttpResponse::Ok().body(Chunks(0)))));
    call(&app, TestRequest::get()).await;
    let recorded = recorder.take();
    assert!(only(&recorded)["duration"].as_f64().unwrap() >= 15.0);
    assert_eq!(recorded.spans.len(), 4);
    assert!(only(&recorded)["context"]["response"]["finished"].is_null());
}

#[actix_web::test]
async fn a_body_that_is_given_up_says_so() {
    let recorder = Checked::default();
    let app =
        app!(recorder, .route("/", web::get().to(async || HttpResponse::Ok().body(Chunks(0)))));
    drop(app.call(TestRequest::get().to_request()).await.unwrap());
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["context"]["response"]["finished"], false);
    assert_eq!(only(&recorded)["outcome"], "success");
}

#[actix_web::test]
async fn an_event_stream_ends_its_transaction_at_the_head() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(async || {
        HttpResponse::Ok().content_type("text/event-stream").body(Chunks(0))
    })));
    let response = app.call(TestRequest::get().to_request()).await.unwrap();
    assert_eq!(recorder.take().transactions.len(), 1);
    drop(response);
    assert!(recorder.take().transactions.is_empty());
}

#[actix_web::test]
async fn an_upgrade_ends_its_transaction_at_the_head() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(async || {
        HttpResponse::SwitchingProtocols().upgrade("websocket").body(Chunks(0))
    })));
    let response = app.call(TestRequest::get().to_request()).await.unwrap();
    assert_eq!(only(&recorder.take())["result"], "HTTP 1xx");
    drop(response);
    assert!(recorder.take().transactions.is_empty());
}

#[actix_web::test]
async fn a_body_is_recorded_where_it_is_wanted_and_reaches_the_handler_whole() {
    let table = [
        ("off", false, false),
        ("errors", false, true),
        ("transactions", true, false),
        ("all", true, true),
    ];
    for (mode, in_transaction, in_error) in table {
        let recorder = Checked::with_options([("capture_body", mode)]);
        let app = app!(recorder, .route("/", web::post().to(async |body: String| {
            assert_eq!(body.len(), 20_003);
            Err::<&str, _>(Gone)
        })));
        let request = TestRequest::post()
            .insert_header((header::CONTENT_TYPE, "text/plain"))
            .set_payload(format!("\"é{}", "x".repeat(20_000)));
        call(&app, request).await;
        let recorded = recorder.take();
        let body = |event: &Value| {
            event["context"]["request"]["body"]
                .as_str()
                .map(|body| body.chars().count())
        };
        assert_eq!(
            body(only(&recorded)),
            in_transaction.then_some(10_000),
            "{mode}"
        );
        assert_eq!(
            body(&recorded.errors[0]),
            in_error.then_some(10_000),
            "{mode}"
        );
        assert_eq!(only(&recorded)["context"]["response"]["status_code"], 500);
    }
}

#[actix_web::test]
async fn the_secrets_of_a_form_are_not_recorded() {
    let recorder = Checked::with_options([("capture_body", "all")]);
    let app = app!(recorder, .route("/", web::post().to(async |body: String| body)));
    let request = TestRequest::post()
        .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
        .set_payload("user=ruan&password=s3cret");
    assert_eq!(call(&app, request).await.1, "user=ruan&password=s3cret");
    let recorded = recorder.take();
    assert_eq!(
        only(&recorded)["context"]["request"]["body"],
        json!({"user": "ruan", "password": "[REDACTED]"})
    );
}

#[actix_web::test]
async fn of_a_form_with_files_fields_and_names_are_recorded() {
    let recorder = Checked::with_options([("capture_body", "all")]);
    let app = app!(recorder, .route("/", web::post().to(async |body: Bytes| body)));
    let body = "--cut\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nruan\r\n\
        --cut\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\ns3cret\r\n\
        --cut\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"me.png\"\r\n\
        Content-Type: image/png\r\n\r\n\u{0}s3cret\r\n--cut--\r\n";
    let request = TestRequest::post()
        .insert_header((header::CONTENT_TYPE, "multipart/form-data; boundary=cut"))
        .set_payload(body);
    assert_eq!(call(&app, request).await.1, body);
    let recorded = recorder.take();
    assert_eq!(
        only(&recorded)["context"]["request"]["body"],
        json!({"user": "ruan", "password": "[REDACTED]", "_files": {"photo": "me.png"}})
    );
}

#[actix_web::test]
async fn a_body_that_nobody_reads_or_that_is_no_text_is_left_alone() {
    let recorder = Checked::with_options([("capture_body", "all")]);
    let app = app!(recorder,
        .route("/unread", web::post().to(async || "ok"))
        .route("/binary", web::post().to(async |body: Bytes| body))
    );
    for (path, kind) in [("/unread", "text/plain"), ("/binary", "image/png")] {
        let request = TestRequest::post()
            .uri(path)
            .insert_header((header::CONTENT_TYPE, kind))
            .set_payload("abc");
        call(&app, request).await;
        let recorded = recorder.take();
        assert!(
            only(&recorded)["context"]["request"]["body"].is_null(),
            "{path}"
        );
    }
}
