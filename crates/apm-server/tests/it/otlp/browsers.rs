//! Telemetry that pages send from browsers.

use apm_server::SecretToken;

use super::http::{Answer, JSON, send};
use super::start;
use crate::support::server::TestServer;

const SHOP: (&str, &str) = ("Origin", "https://shop.example");
const EVIL: (&str, &str) = ("Origin", "https://evil.example");
const ASKS: [(&str, &str); 2] = [
    ("Access-Control-Request-Method", "POST"),
    (
        "Access-Control-Request-Headers",
        "authorization,content-type",
    ),
];
const ALLOWED: &str = "access-control-allow-origin";

/// The answer to a browser that asks whether a page of a site may send.
async fn preflight(server: &TestServer, origin: (&str, &str)) -> Answer {
    let headers = [origin, ASKS[0], ASKS[1]];
    send(server, "OPTIONS", "/v1/logs", &headers, "").await
}

#[actix_web::test]
async fn a_listed_site_may_send_and_no_other_one() {
    let server = start(|config| {
        config.otlp_origins = vec!["https://shop.example".to_owned()];
        config.secret_token = SecretToken::new("hush");
    });
    let asked = preflight(&server, SHOP).await;
    assert_eq!(asked.status, 204);
    assert_eq!(asked.header(ALLOWED), SHOP.1);
    assert_eq!(asked.header("access-control-allow-headers"), ASKS[1].1);
    assert_eq!(asked.header("access-control-allow-credentials"), "");
    let asked = preflight(&server, EVIL).await;
    assert_eq!((asked.status, asked.header(ALLOWED)), (401, ""));

    let secret = ("Authorization", "Bearer hush");
    let fetched = ("Sec-Fetch-Site", "cross-site");
    for (origin, secret, status, allowed) in [
        (SHOP, Some(secret), 200, SHOP.1),
        // The page may read why.
        (SHOP, None, 401, SHOP.1),
        (EVIL, Some(secret), 403, ""),
    ] {
        let mut headers = vec![JSON, origin, fetched];
        headers.extend(secret);
        let answer = send(&server, "POST", "/v1/logs", &headers, "{}").await;
        assert_eq!(answer.status, status, "{origin:?}");
        assert_eq!(answer.header(ALLOWED), allowed, "{origin:?}");
        let varies = !allowed.is_empty();
        assert_eq!(
            answer.header("vary").contains("Origin"),
            varies,
            "{origin:?}"
        );
    }
    // A page that is listed may send telemetry, and nothing else.
    let token = ("Authorization", "Bearer hush");
    let answer = server
        .send("POST", "/settings/clear", &[SHOP, fetched, token], "")
        .await;
    assert_eq!((answer.status, answer.header(ALLOWED)), (403, ""));
    server.stop().await;
}

#[actix_web::test]
async fn without_a_list_no_site_may_send() {
    let server = start(|_| {});
    let asked = preflight(&server, SHOP).await;
    assert_eq!((asked.status, asked.header(ALLOWED)), (405, ""));
    let answer = send(&server, "POST", "/v1/logs", &[JSON, SHOP], "{}").await;
    assert_eq!(answer.status, 403);
    assert!(server.found("processor.event:log").await.is_empty());
    server.stop().await;
}
