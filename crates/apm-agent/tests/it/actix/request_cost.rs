//! The header `Server-Timing` and the badge for development.

use std::net::SocketAddr;

use actix_web::body::{BodySize, MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::test::TestRequest;
use actix_web::web::{self, Bytes};
use actix_web::{Error, HttpResponse};
use apm_agent::actix::{Badge, ServerTiming};

use crate::support::Checked;
use crate::support::page::{PAGE, make_queries};

async fn queries() -> HttpResponse {
    make_queries();
    page()
}

fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::ETAG, "\"one\""))
        .body(PAGE)
}

fn peer(address: &str) -> TestRequest {
    let address: SocketAddr = address.parse().unwrap();
    TestRequest::get().peer_addr(address)
}

async fn answer<B: MessageBody>(
    app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    request: TestRequest,
) -> (HeaderMap, String) {
    let response = app.call(request.to_request()).await.unwrap();
    let headers = response.headers().clone();
    let body = to_bytes(response.into_body()).await.unwrap_or_default();
    (headers, String::from_utf8_lossy(&body).into_owned())
}

#[actix_web::test]
async fn server_timing_names_the_trace_and_counts_queries() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(queries)).wrap(ServerTiming));
    let (headers, _) = answer(&app, peer("10.1.2.3:4")).await;
    let recorded = recorder.take();
    let trace = recorded.transactions[0]["trace_id"].as_str().unwrap();
    let timing = headers.get("server-timing").unwrap().to_str().unwrap();
    let start = format!("trace;desc=\"{trace}\", sql;desc=\"2\";dur=");
    assert!(timing.starts_with(&start), "{timing}");
    assert!(timing.contains(", total;dur="), "{timing}");
}

#[actix_web::test]
async fn without_the_middleware_nothing_is_told() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(queries)));
    let (headers, body) = answer(&app, peer("127.0.0.1:4")).await;
    assert!(headers.get("server-timing").is_none());
    assert_eq!(body, PAGE);
}

#[actix_web::test]
async fn a_badge_shows_the_queries_of_a_page_and_links_to_its_trace() {
    let recorder = Checked::default();
    let badge = Badge::new("http://127.0.0.1:8200/");
    let app = app!(recorder, .route("/", web::get().to(queries)).wrap(badge));
    let (headers, body) = answer(&app, peer("127.0.0.1:4")).await;
    let recorded = recorder.take();
    let trace = recorded.transactions[0]["trace_id"].as_str().unwrap();
    assert!(body.starts_with("<html><body><h1>shop</h1><div"), "{body}");
    assert!(body.ends_with("</div></body></html>"), "{body}");
    let link = format!("href=\"http://127.0.0.1:8200/traces/{trace}\"");
    assert!(body.contains(&link), "{body}");
    assert!(body.contains("2 queries"), "{body}");
    assert!(body.contains("SELECT 1 FROM people"), "{body}");
    assert!(!body.contains("<script"), "{body}");
    // The tag of the page without a badge is not that of this one.
    assert!(headers.get(header::ETAG).is_none());
}

#[actix_web::test]
async fn others_than_this_machine_get_no_badge() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(queries)).wrap(Badge::new("")));
    for request in [
        peer("10.0.0.1:4"),
        TestRequest::get(),
        peer("127.0.0.1:4").insert_header(("x-forwarded-for", "10.0.0.1")),
    ] {
        let (headers, body) = answer(&app, request).await;
        assert_eq!(body, PAGE);
        assert!(headers.contains_key(header::ETAG));
    }
}

/// A body of a known size that comes in parts.
struct Parts(Vec<&'static [u8]>, BodySize);

impl MessageBody for Parts {
    type Error = Error;

    fn size(&self) -> BodySize {
        self.1
    }

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Bytes, Error>>> {
        std::task::Poll::Ready(self.0.pop().map(|part| Ok(Bytes::from_static(part))))
    }
}

#[actix_web::test]
async fn what_is_streamed_compressed_or_no_page_is_left_as_it_is() {
    let recorder = Checked::default();
    let app = app!(recorder,
        .route("/stream", web::get().to(async || {
            HttpResponse::Ok().content_type("text/html").body(Parts(vec![b"b", b"a"], BodySize::Stream))
        }))
        .route("/parts", web::get().to(async || {
            HttpResponse::Ok().content_type("text/html").body(Parts(vec![b"b", b"a"], BodySize::Sized(2)))
        }))
        .route("/packed", web::get().to(async || {
            HttpResponse::Ok().content_type("text/html").insert_header((header::CONTENT_ENCODING, "br")).body("ab")
        }))
        .route("/json", web::get().to(async || HttpResponse::Ok().json(["ab"])))
        .route("/none", web::get().to(async || HttpResponse::NoContent().content_type("text/html").finish()))
        .wrap(Badge::new("http://127.0.0.1:8200"))
    );
    for (path, expected) in [
        ("/stream", "ab"),
        ("/parts", "ab"),
        ("/packed", "ab"),
        ("/json", "[\"ab\"]"),
        ("/none", ""),
    ] {
        let (_, body) = answer(&app, peer("127.0.0.1:4").uri(path)).await;
        assert_eq!(body, expected, "{path}");
    }
}

#[actix_web::test]
async fn a_badge_without_an_address_has_no_link() {
    let recorder = Checked::default();
    for address in ["", "javascript:alert(1)"] {
        let app = app!(recorder, .route("/", web::get().to(queries)).wrap(Badge::new(address)));
        let (_, body) = answer(&app, peer("127.0.0.1:4")).await;
        assert!(body.contains("data-pocket-apm"), "{body}");
        assert!(!body.contains("href="), "{body}");
    }
}

#[actix_web::test]
async fn a_badge_and_the_header_can_be_had_together() {
    let recorder = Checked::default();
    let app = app!(recorder,
        .route("/", web::get().to(queries)).wrap(Badge::new("")).wrap(ServerTiming)
    );
    let (headers, body) = answer(&app, peer("[::1]:4")).await;
    assert!(headers.contains_key("server-timing"));
    assert!(body.contains("2 queries"), "{body}");
    assert_eq!(
        recorder.take().spans.len(),
        3,
        "what is told changes nothing of what is sent"
    );
}
