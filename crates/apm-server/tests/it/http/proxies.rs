//! The server behind a proxy, as the browsers before the proxy see it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use apm_server::{Config, SecretToken};

use crate::support::server::TestServer;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
pub(super) const NAVIGATES: (&str, &str) = ("Sec-Fetch-Mode", "navigate");

pub(super) fn with(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        config.secret_token = SecretToken::new("hush");
        change(config);
    })
}

/// Signs in through whatever the headers say; the cookie.
pub(super) async fn sign_in(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> String {
    let headers = [headers, &[FORM]].concat();
    let answer = server.send("POST", path, &headers, "token=hush").await;
    assert_eq!(answer.status, 303, "{headers:?}: {answer:?}");
    answer.header("set-cookie").to_owned()
}

#[actix_web::test]
async fn a_public_host_that_a_proxy_passes_on_is_refused_with_the_option_and_then_allowed() {
    let plain = with(|_| {});
    for path in ["/healthz", "/services", "/nope", "/assets/v/app.js"] {
        let answer = plain
            .send("GET", path, &[("Host", "apm.example.com")], "")
            .await;
        assert_eq!(answer.status, 403, "{path}");
        for word in [
            "apm.example.com",
            "--apm-allowed-hosts",
            "APM_ALLOWED_HOSTS",
        ] {
            assert!(
                answer.text.contains(word),
                "{path}: {word} in {}",
                answer.text
            );
        }
    }
    plain.stop().await;
    let told = with(|config| config.allowed_hosts = vec!["apm.example.com".to_owned()]);
    for (host, status) in [
        ("apm.example.com", 200),
        ("APM.example.com:443", 200),
        ("localhost", 200),
        ("evil.example", 403),
        ("apm.example.com.evil.example", 403),
    ] {
        let answer = told.send("GET", "/healthz", &[("Host", host)], "").await;
        assert_eq!(answer.status, status, "{host}");
    }
    // The proxy takes the encryption off.
    let own = [
        ("Host", "apm.example.com"),
        ("Origin", "https://apm.example.com"),
    ];
    sign_in(&told, "/login", &own).await;
    told.stop().await;
}

#[actix_web::test]
async fn a_form_is_taken_behind_a_proxy_that_rewrites_the_host() {
    let public = ("Origin", "https://apm.example.com");
    let plain = with(|_| {});
    let headers = [public, FORM];
    let refused = plain.send("POST", "/login", &headers, "token=hush").await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.text.contains("--apm-trusted-proxies"),
        "{}",
        refused.text
    );
    // Over an encrypted connection a browser judges itself.
    let judged = ("Sec-Fetch-Site", "same-origin");
    sign_in(&plain, "/login", &[public, judged]).await;
    for foreign in ["cross-site", "same-site"] {
        let own = plain.running.url();
        let headers = [("Origin", own.as_str()), ("Sec-Fetch-Site", foreign), FORM];
        let answer = plain.send("POST", "/login", &headers, "token=hush").await;
        assert_eq!(answer.status, 403, "{foreign}");
    }
    // Headers that anyone may write are not believed.
    let headers = [public, FORM, ("X-Forwarded-Host", "apm.example.com")];
    assert_eq!(
        plain
            .send("POST", "/login", &headers, "token=hush")
            .await
            .status,
        403
    );
    plain.stop().await;

    let told =
        with(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")]);
    let forwarded = [
        ("X-Forwarded-Host", "apm.example.com"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-For", "203.0.113.7"),
    ];
    let cookie = sign_in(&told, "/login", &[&forwarded[..], &[public]].concat()).await;
    assert!(cookie.contains("; Secure"), "{cookie}");
    let standard = (
        "Forwarded",
        "for=203.0.113.7;proto=https;host=apm.example.com",
    );
    sign_in(&told, "/login", &[standard, public]).await;
    let headers = [&forwarded[..], &[FORM, ("Origin", "https://evil.example")]].concat();
    assert_eq!(
        told.send("POST", "/login", &headers, "token=hush")
            .await
            .status,
        403
    );
    // A page that has let its own name point here is no proxy, though it is on the same machine.
    let rebound = [&forwarded[..], &[("Host", "evil.example")]].concat();
    assert_eq!(told.send("GET", "/login", &rebound, "").await.status, 403);
    told.stop().await;
}

#[actix_web::test]
async fn default_ports_are_the_same_origin() {
    let server = with(|_| {});
    for (host, origin, status) in [
        ("localhost:443", "https://localhost", 303),
        ("localhost", "http://localhost:80", 303),
        ("localhost:80", "http://localhost", 303),
        ("localhost:80", "https://localhost", 403),
        ("localhost:8200", "http://localhost", 403),
    ] {
        let headers = [("Host", host), ("Origin", origin), FORM];
        let answer = server.send("POST", "/login", &headers, "token=hush").await;
        assert_eq!(answer.status, status, "{host} {origin}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_link_from_another_site_leads_to_the_page_and_changes_nothing() {
    let server = with(|_| {});
    let origin = server.running.url();
    let cookie = sign_in(&server, "/login", &[("Origin", origin.as_str())]).await;
    assert!(
        cookie.contains("SameSite=Lax") && cookie.contains("HttpOnly"),
        "{cookie}"
    );
    assert!(
        !cookie.contains("Secure"),
        "a plain connection would not send it: {cookie}"
    );
    let session = ("Cookie", cookie.split(';').next().expect("a pair"));
    let foreign = ("Sec-Fetch-Site", "cross-site");
    let link = [session, foreign, NAVIGATES, ("Sec-Fetch-Dest", "document")];
    assert_eq!(server.send("GET", "/services", &link, "").await.status, 200);
    // Another site's page cannot read it either, though the browser would send the cookie.
    for dest in ["image", "script", "empty", "iframe"] {
        let part = [
            session,
            foreign,
            ("Sec-Fetch-Mode", "no-cors"),
            ("Sec-Fetch-Dest", dest),
        ];
        for path in ["/services", "/api/v1/sql?sql=select%201"] {
            assert_eq!(
                server.send("GET", path, &part, "").await.status,
                403,
                "{dest} {path}"
            );
        }
    }
    for path in [
        "/settings/clear",
        "/settings/agents",
        "/markers",
        "/logout",
        "/api/v1/markers",
    ] {
        for headers in [
            vec![session, foreign, NAVIGATES],
            vec![session, ("Sec-Fetch-Site", "same-site")],
            vec![session, ("Origin", "https://evil.example")],
            vec![session, ("Origin", "null")],
        ] {
            let headers = [&headers[..], &[FORM]].concat();
            let answer = server.send("POST", path, &headers, "sure=yes&name=x").await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_request_without_a_host_gets_open_routes_alone() {
    let plain = TestServer::start();
    let any = TestServer::with(|config| config.allowed_hosts = vec!["*".to_owned()]);
    for (request, status, of_any) in [
        ("GET /healthz", 200, 200),
        ("HEAD /healthz", 200, 200),
        ("GET /services", 403, 200),
        ("GET /api/v1/status", 403, 200),
        ("GET /metrics", 403, 200),
        ("POST /intake/v2/events", 403, 202),
        ("POST /logout", 403, 403),
        // An address with a host in it names one.
        ("GET http://localhost/metrics", 200, 200),
        ("GET http://evil.example/metrics", 403, 200),
    ] {
        for (server, status) in [(&plain, status), (&any, of_any)] {
            let addr = server.running.addr();
            let length = if request.starts_with("POST") {
                "Content-Length: 0\r\n"
            } else {
                ""
            };
            let text = format!("{request} HTTP/1.0\r\n{length}\r\n");
            let asked = actix_web::rt::task::spawn_blocking(move || {
                let mut stream = TcpStream::connect(addr).expect("connects");
                stream.write_all(text.as_bytes()).expect("sent");
                let mut said = String::new();
                stream.read_to_string(&mut said).expect("an answer");
                said
            });
            let said = asked.await.expect("a thread");
            let found = said
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok());
            assert_eq!(found, Some(status), "{request}: {said}");
        }
    }
    plain.stop().await;
    any.stop().await;
}

#[actix_web::test]
async fn only_a_trusted_proxy_says_whose_events_they_are() {
    let believes = TestServer::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    });
    let plain = TestServer::start();
    let body = r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}
{"log":{"message":"hello"}}
"#;
    for (server, client) in [(&plain, "127.0.0.1"), (&believes, "203.0.113.7")] {
        let headers = [("X-Forwarded-For", "198.51.100.1, 203.0.113.7")];
        let sent = server
            .send("POST", "/intake/v2/events", &headers, body)
            .await;
        assert_eq!(sent.status, 202);
        let found = server.get("/api/v1/discover?from=now-15m").await.json();
        assert_eq!(found["hits"][0]["host"]["ip"][0], client, "{found:#}");
    }
    plain.stop().await;
    believes.stop().await;
}

#[actix_web::test]
async fn a_slash_too_many_leads_to_the_same_route() {
    let server = with(|_| {});
    let token = ("Authorization", "Bearer hush");
    for (path, status) in [
        ("//intake/v2/events", 202),
        ("/intake//v2///events", 202),
        ("//config/v1/agents?service.name=a", 405),
        ("/intake/v2/events/", 404),
        ("/%2Fintake/v2/events", 404),
    ] {
        let answer = server.send("PUT", path, &[token], "").await;
        let posted = server.send("POST", path, &[token], "").await;
        let expected = if path.contains("events") {
            posted.status
        } else {
            answer.status
        };
        assert_eq!(expected, status, "{path}: {answer:?} {posted:?}");
        assert!(
            matches!(server.send("POST", path, &[], "").await.status, 401 | 404),
            "{path}"
        );
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_java_agent_learns_the_version_from_the_root() {
    let server = TestServer::start();
    let accept = (
        "Accept",
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
    );
    for agent in [
        "apm-agent-java/1.52.0 (shop 1.0)",
        "Java/21.0.1",
        "Java-http-client/21",
    ] {
        let answer = server
            .send("GET", "/", &[accept, ("User-Agent", agent)], "")
            .await;
        assert_eq!(answer.status, 200, "{agent}");
        assert!(answer.json()["version"].is_string(), "{agent}: {answer:?}");
    }
    let browser = (
        "Accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    );
    for headers in [vec![browser], vec![accept, NAVIGATES]] {
        let answer = server.send("GET", "/", &headers, "").await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, "/services")
        );
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_file_whose_tag_a_proxy_made_weak_is_known_again() {
    let server = TestServer::start();
    let path = "/assets/v/app.js";
    let tag = server.get(path).await.header("etag").to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    for (known, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"other\", W/{tag}"), 304),
        ("W/\"other\"".to_owned(), 200),
    ] {
        let answer = server
            .send("GET", path, &[("If-None-Match", &*known)], "")
            .await;
        assert_eq!(answer.status, status, "{known}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_window_that_another_site_opened_is_apart_from_it_where_browsers_obey_that() {
    let server =
        with(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")]);
    for (scheme, path, said) in [
        ("https", "/login", "same-origin"),
        ("http", "/login", ""),
        ("https", "/assets/v/app.js", ""),
    ] {
        let headers = [("X-Forwarded-Proto", scheme)];
        let answer = server.send("GET", path, &headers, "").await;
        assert_eq!(answer.status, 200, "{path}");
        let found = answer.header("cross-origin-opener-policy");
        assert_eq!(found, said, "{scheme} {path}");
    }
    server.stop().await;
}
