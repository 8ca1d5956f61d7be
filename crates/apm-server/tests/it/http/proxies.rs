//! The server behind a proxy, as the browsers before the proxy see it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use apm_server::{Config, SecretToken};

use crate::support::server::TestServer;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const NAVIGATES: (&str, &str) = ("Sec-Fetch-Mode", "navigate");

fn with(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        config.secret_token = SecretToken::new("hush");
        change(config);
    })
}

/// Signs in through whatever the headers say; the cookie.
async fn sign_in(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> String {
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
    // What anyone may write is not believed.
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

/// What of a page leads to this server.
fn addresses(page: &str) -> Vec<&str> {
    [" href=\"", " src=\"", " action=\"", " data-live=\""]
        .iter()
        .flat_map(|attribute| page.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|address| address.starts_with('/'))
        .collect()
}

#[actix_web::test]
async fn below_a_base_path_everything_leads_back_to_it() {
    let by_option = with(|config| config.base_path = "/apm".parse().expect("a path"));
    let by_header = with(|config| config.trusted_proxies = vec!["127.0.0.1".parse().expect("one")]);
    // A proxy passes the path on, or takes the prefix off and may say so.
    for (server, before, headers) in [
        (&by_option, "/apm", &[][..]),
        (&by_option, "", &[]),
        (&by_header, "", &[("X-Forwarded-Prefix", "/apm/")]),
        (&by_header, "/apm", &[("X-Forwarded-Prefix", "/apm")]),
    ] {
        let origin = server.running.url();
        let at = |path: &str| format!("{before}{path}");
        let asked = [headers, &[NAVIGATES]].concat();
        let anonymous = server
            .send("GET", &at("/services?from=now-1h"), &asked, "")
            .await;
        assert_eq!(anonymous.status, 302);
        assert_eq!(
            anonymous.header("location"),
            "/apm/login?next=/services%3Ffrom%3Dnow-1h"
        );
        let login = server.send("GET", &at("/login"), &asked, "").await;
        assert!(
            login.text.contains("action=\"/apm/login\""),
            "{}",
            login.text
        );

        let form = [headers, &[("Origin", origin.as_str())]].concat();
        let cookie = sign_in(server, &at("/login"), &form).await;
        assert!(cookie.contains("; Path=/apm;"), "{cookie}");
        let session = cookie.split(';').next().expect("a pair");
        let signed_in = [headers, &[NAVIGATES, ("Cookie", session)]].concat();
        for path in [
            "/services",
            "/live",
            "/settings",
            "/compare",
            "/sql",
            "/setup",
            "/discover",
            "/nope",
        ] {
            let page = server.send("GET", &at(path), &signed_in, "").await;
            assert!(matches!(page.status, 200 | 404), "{path}: {page:?}");
            let all = addresses(&page.text);
            assert!(all.len() > 10, "{path}: {all:?}");
            for address in all {
                assert!(address.starts_with("/apm/"), "{path}: {address}");
                // Files and pages are there, whether the proxy takes the prefix off or not.
                let asked = address
                    .strip_prefix("/apm")
                    .filter(|_| before.is_empty())
                    .unwrap_or(address);
                if address.contains("/assets/") {
                    let file = server
                        .send("GET", &asked.replace("&amp;", "&"), headers, "")
                        .await;
                    assert_eq!(file.status, 200, "{asked}");
                }
            }
        }
        let root = server.send("GET", &at("/"), &signed_in, "").await;
        assert_eq!(
            (root.status, root.header("location")),
            (302, "/apm/services")
        );
        let theme = server
            .send("GET", &at("/theme/dark?back=%2Fservices"), &signed_in, "")
            .await;
        assert_eq!(theme.header("location"), "/apm/services");
        assert!(
            theme.header("set-cookie").contains("; Path=/apm;"),
            "{theme:?}"
        );
        let form = [headers, &[("Origin", origin.as_str()), ("Cookie", session)]].concat();
        let left = server.send("POST", &at("/logout"), &form, "").await;
        assert_eq!(left.header("location"), "/apm/login");
    }
    // Agents beside the server do not need the prefix, those before the proxy send it.
    for path in ["/intake/v2/events", "/apm/intake/v2/events"] {
        let token = [("Authorization", "Bearer hush")];
        assert_eq!(
            by_option.send("POST", path, &token, "").await.status,
            202,
            "{path}"
        );
    }
    // The prefix is nothing that opens an address.
    for path in [
        "/apm/services",
        "/apm/apm/services",
        "/services",
        "/apm%2Fservices",
        "//apm//services",
    ] {
        let status = by_option.send("GET", path, &[], "").await.status;
        assert!(matches!(status, 401 | 404), "{path}: {status}");
    }
    by_option.stop().await;
    by_header.stop().await;
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
    // Nor is it read by another site's page, though the browser would send the cookie.
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
async fn an_old_balancer_asks_without_a_host() {
    let server = TestServer::start();
    let addr = server.running.addr();
    let asked = actix_web::rt::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(addr).expect("connects");
        stream
            .write_all(b"GET /healthz HTTP/1.0\r\n\r\n")
            .expect("sent");
        let mut said = String::new();
        stream.read_to_string(&mut said).expect("an answer");
        said
    });
    let said = asked.await.expect("a thread");
    assert!(
        said.starts_with("HTTP/1.0 200") || said.starts_with("HTTP/1.1 200"),
        "{said}"
    );
    server.stop().await;
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
