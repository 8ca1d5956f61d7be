//! The badge for development.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use ::tower::util::ServiceExt as _;
use ::tower::{Layer as _, service_fn};
use apm_agent::tower::{ApmLayer, Badge, ServerTiming};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, Request, Response};
use axum::response::Html;
use axum::routing::get as answer;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};

use super::{Frames, get, only};
use crate::support::Checked;
use crate::support::page::{PAGE, make_queries};

/// As docs/agent.md shows it.
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.0.ip())
}

fn badge() -> Badge {
    Badge::new("http://127.0.0.1:8200/", peer)
}

fn from(address: &str, path: &str) -> Request<Body> {
    let mut request = get(path);
    let address: IpAddr = address.parse().expect("an address");
    let peer = ConnectInfo(SocketAddr::new(address, 4));
    request.extensions_mut().insert(peer);
    request
}

async fn queries() -> Html<&'static str> {
    make_queries();
    Html(PAGE)
}

/// An application of axum whose pages have a badge, as a service adds it.
fn shop(recorder: &Checked, badge: Badge) -> Router {
    Router::new()
        .route("/", answer(queries))
        .layer(badge)
        .layer(ApmLayer::new(&recorder.agent()))
}

/// The head and the text of an answer, whose length is the one that was said before.
async fn said<S, B>(service: S, request: Request<Body>) -> (HeaderMap, String)
where
    S: tower_service::Service<Request<Body>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    let response = service.oneshot(request).await.expect("an answer");
    let hint = response.body().size_hint().exact();
    let (head, body) = response.into_parts();
    let text = body.collect().await.expect("a body").to_bytes();
    let length = text.len() as u64;
    assert!(hint.is_none_or(|hint| hint == length), "{hint:?}: {length}");
    if let Some(told) = head.headers.get("content-length") {
        assert_eq!(told.to_str().unwrap(), length.to_string());
    }
    let text = String::from_utf8(text.to_vec()).expect("UTF-8");
    (head.headers, text)
}

#[tokio::test]
async fn a_badge_shows_the_queries_of_a_page_of_axum_and_links_to_its_trace() {
    let recorder = Checked::default();
    let (headers, body) = said(shop(&recorder, badge()), from("127.0.0.1", "/")).await;
    let recorded = recorder.take();
    let trace = only(&recorded)["trace_id"].as_str().unwrap();
    assert!(body.starts_with("<html><body><h1>shop</h1><div"), "{body}");
    assert!(body.ends_with("</div></body></html>"), "{body}");
    let link = format!("href=\"http://127.0.0.1:8200/traces/{trace}\"");
    assert!(body.contains(&link), "{body}");
    assert!(body.contains("2 queries"), "{body}");
    assert!(body.contains("SELECT 1 FROM people"), "{body}");
    assert!(!body.contains("<script"), "{body}");
    // axum said how long the page is without it.
    assert!(headers.contains_key("content-length"));
    assert_eq!(
        recorded.spans.len(),
        3,
        "it changes nothing of what is sent"
    );
}

#[tokio::test]
async fn others_than_a_browser_on_this_machine_get_no_badge() {
    let recorder = Checked::default();
    let mut through_proxy = from("127.0.0.1", "/");
    let forwarded = "10.0.0.1".parse().unwrap();
    through_proxy
        .headers_mut()
        .insert("x-forwarded-for", forwarded);
    for request in [from("10.0.0.1", "/"), get("/"), through_proxy] {
        let (headers, body) = said(shop(&recorder, badge()), request).await;
        assert_eq!(body, PAGE);
        assert!(headers.contains_key("content-length"));
    }
    // Outside of a transaction there is nothing to tell.
    let alone = Router::new().route("/", answer(queries)).layer(badge());
    assert_eq!(said(alone, from("127.0.0.1", "/")).await.1, PAGE);
}

/// A body of a known size in parts, which waits before each, with trailers at its end.
struct Parts {
    parts: Vec<&'static [u8]>,
    promised: u64,
    trailers: Option<HeaderMap>,
    waited: bool,
}

impl Parts {
    fn new(mut parts: Vec<&'static [u8]>) -> Self {
        let promised = parts.iter().map(|part| part.len() as u64).sum();
        parts.reverse();
        Self {
            parts,
            promised,
            trailers: None,
            waited: false,
        }
    }
}

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.waited = !self.waited;
        if self.waited {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        let part = self
            .parts
            .pop()
            .map(|part| Frame::data(Bytes::from_static(part)));
        let last = part.or_else(|| self.trailers.take().map(Frame::trailers));
        Poll::Ready(last.map(Ok))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

/// A service that answers each request with a page of this body, with the badge.
fn serves<B: http_body::Body>(
    recorder: &Checked,
    body: impl Fn() -> B + Clone,
) -> impl tower_service::Service<
    Request<Body>,
    Response = Response<impl http_body::Body<Data = Bytes, Error = B::Error>>,
    Error = Infallible,
> {
    let service = service_fn(move |_: Request<Body>| {
        let response = Response::builder()
            .header("content-type", "text/html; charset=utf-8")
            .header("etag", "\"one\"")
            .header("last-modified", "Sun, 29 Nov 2026 00:00:00 GMT")
            .body(body());
        std::future::ready(Ok::<_, Infallible>(response.unwrap()))
    });
    ApmLayer::new(&recorder.agent()).layer(badge().layer(service))
}

#[tokio::test]
async fn a_page_in_parts_is_read_to_its_end_and_its_trailers_pass() {
    let recorder = Checked::default();
    let service = serves(&recorder, || Parts {
        trailers: Some(
            [("x-sum".parse().unwrap(), "7".parse().unwrap())]
                .into_iter()
                .collect(),
        ),
        ..Parts::new(vec![b"<body>one</bo", b"dy></html>"])
    });
    let response = service.oneshot(from("::1", "/")).await.unwrap();
    // The tag of the page without a badge is not that of this one.
    for name in ["etag", "last-modified"] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
    let promised = http_body::Body::size_hint(response.body()).exact();
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-sum"], "7");
    let text = body.to_bytes();
    assert_eq!(promised, Some(text.len() as u64));
    assert!(text.starts_with(b"<body>one<div"), "{text:?}");
    assert!(text.ends_with(b"</div></body></html>"), "{text:?}");
    let recorded = recorder.take();
    assert!(only(&recorded)["context"]["response"]["finished"].is_null());
}

#[tokio::test]
async fn a_body_that_is_longer_than_it_promised_passes_whole() {
    let recorder = Checked::default();
    let service = serves(&recorder, || Parts {
        promised: 8,
        ..Parts::new(vec![b"<body>", b"one", b"</body>"])
    });
    let response = service.oneshot(from("::1", "/")).await.unwrap();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&text[..], b"<body>one</body>");
}

#[tokio::test]
async fn an_error_of_a_body_is_handed_on() {
    let recorder = Checked::default();
    let service = serves(&recorder, || Hinted {
        size: SizeHint::with_exact(100),
        body: Frames {
            data: 1,
            breaks: true,
            ..Frames::default()
        },
    });
    let response = service.oneshot(from("::1", "/")).await.unwrap();
    let error = response.into_body().collect().await.expect_err("it breaks");
    assert_eq!(error.to_string(), "the disk is gone");
}

/// A body that says of its size what it is told to.
struct Hinted<B> {
    body: B,
    size: SizeHint,
}

impl<B: http_body::Body + Unpin> http_body::Body for Hinted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(task)
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

#[tokio::test]
async fn what_is_streamed_compressed_or_no_page_is_left_as_it_is() {
    let recorder = Checked::default();
    let streamed = || {
        Body::new(Hinted {
            body: Full::new(Bytes::from_static(b"ab")),
            size: SizeHint::default(),
        })
    };
    let packed = [("content-type", "text/html"), ("content-encoding", "br")];
    let app = Router::new()
        .route(
            "/stream",
            answer(move || async move { ([packed[0]], streamed()) }),
        )
        .route("/packed", answer(move || async move { (packed, "ab") }))
        .route("/text", answer(|| async { "ab" }))
        .layer(badge())
        .layer(ApmLayer::new(&recorder.agent()));
    for path in ["/stream", "/packed", "/text"] {
        let (_, body) = said(app.clone(), from("127.0.0.1", path)).await;
        assert_eq!(body, "ab", "{path}");
    }
}

#[tokio::test]
async fn a_badge_without_an_address_has_no_link_and_stands_beside_the_header() {
    let recorder = Checked::default();
    for address in ["", "javascript:alert(1)"] {
        let app = shop(&recorder, Badge::new(address, peer)).layer(ServerTiming);
        let app = app.layer(ApmLayer::new(&recorder.agent()));
        let (headers, body) = said(app, from("127.0.0.1", "/")).await;
        assert!(body.contains("data-pocket-apm"), "{body}");
        assert!(!body.contains("href="), "{body}");
        assert!(headers.contains_key("server-timing"));
    }
}
