//! `/upstream` with an upstream that answers well, badly or not at all.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::{Answer, agent, get, sink::Sink, start_service};

/// An upstream that answers every request with `response`, after `delay`.
fn upstream(response: String, delay: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/people", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let response = response.clone();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                std::thread::sleep(delay);
                let _ = stream.write_all(response.as_bytes());
            });
        }
    });
    url
}

fn http(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

async fn ask(upstream_url: &str) -> Answer {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Sink::start());
    let options = ["--upstream-url", upstream_url];
    let service = start_service(&dir.path().join("people.db"), &agent(&sink.url), &options);
    get(&format!("http://{}/upstream", service.addr)).await
}

#[actix_web::test]
async fn the_country_decides_the_answer() {
    for (country, status, body) in [
        ("italy", 200, "Italalia!"),
        ("canada", 502, "Canada!"),
        ("peru", 404, "Not Found"),
    ] {
        let person = format!(r#"{{"name":"ruan","country":"{country}"}}"#);
        let answer = ask(&upstream(http("200 OK", &person), Duration::ZERO)).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, body),
            "{country}"
        );
    }
}

#[actix_web::test]
async fn an_unusable_upstream_is_a_502_that_says_why() {
    let large = format!(
        r#"{{"country":"italy","padding":"{}"}}"#,
        "x".repeat(64 * 1024)
    );
    for (response, reason) in [
        (http("200 OK", "<html>"), "did not answer a JSON object"),
        (
            http("200 OK", r#"{"name":"ruan"}"#),
            "missing field `country`",
        ),
        (
            http("200 OK", r#"{"country":7}"#),
            "did not answer a JSON object",
        ),
        (http("200 OK", &large), "more than 64 KiB"),
        (http("503 Service Unavailable", "{}"), "answered 503"),
        ("not HTTP at all\r\n\r\n".to_owned(), "could not be reached"),
        // Answers that end before they should, the second of them behind a whole person.
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned(),
            "broke off its answer",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"country\":\"italy\"}".to_owned(),
            "broke off its answer",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n{\"country\":\"italy\"}\r\n".to_owned(),
            "broke off its answer",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n{\"coun".to_owned(),
            "broke off its answer",
        ),
        ("HTTP/1.1 200 OK\r\nContent-".to_owned(), "could not be reached"),
        (String::new(), "could not be reached"),
    ] {
        let answer = ask(&upstream(response, Duration::ZERO)).await;
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 502, "{error}");
        assert!(error.contains(reason), "{error}");
    }
}

#[actix_web::test]
async fn an_answer_ends_where_it_says_or_with_the_connection() {
    let person = r#"{"country":"italy"}"#;
    for head in [
        "HTTP/1.0 200 OK\r\n\r\n".to_owned(),
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            person.len()
        ),
    ] {
        let answer = ask(&upstream(format!("{head}{person}"), Duration::ZERO)).await;
        assert_eq!(answer.body, "Italalia!", "{head}");
    }
    let chunks = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{person}\r\n0\r\n\r\n",
        person.len()
    );
    assert_eq!(
        ask(&upstream(chunks, Duration::ZERO)).await.body,
        "Italalia!"
    );
}

#[actix_web::test]
async fn a_refused_connection_is_a_502() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();

    let answer = ask(&format!("http://{closed}/people")).await;

    assert_eq!(answer.status, 502);
    assert!(
        answer.json()["error"]
            .as_str()
            .unwrap()
            .contains("could not be reached")
    );
}

#[actix_web::test]
async fn a_silent_upstream_is_a_504_after_two_seconds() {
    let started = Instant::now();

    let answer = ask(&upstream(http("200 OK", "{}"), Duration::from_secs(8))).await;

    assert_eq!(answer.status, 504);
    assert!(
        (2.0..4.0).contains(&started.elapsed().as_secs_f64()),
        "{:?}",
        started.elapsed()
    );
    assert!(
        answer.json()["error"]
            .as_str()
            .unwrap()
            .contains("within 2 s")
    );
}

#[actix_web::test]
async fn the_secrets_of_the_upstreams_url_are_sent_to_it_and_told_to_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let length = stream.read(&mut head).unwrap();
        stream
            .write_all(http("503 Service Unavailable", "{}").as_bytes())
            .unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let secret = format!("http://me:hush@{addr}/people?key=hidden");

    let refused = ask(&secret).await;
    let asked = asked.join().unwrap();
    // Nobody listens there any more.
    let unreachable = ask(&secret).await;

    assert!(
        asked.starts_with("GET /people?key=hidden HTTP/1.1"),
        "{asked}"
    );
    // `me:hush`
    assert!(
        asked.to_lowercase().contains("authorization: basic"),
        "{asked}"
    );
    assert!(asked.contains("bWU6aHVzaA=="), "{asked}");
    for (answer, reason) in [
        (refused, "answered 503"),
        (unreachable, "could not be reached"),
    ] {
        assert!(
            answer.body.contains(&format!("http://{addr}/people")),
            "{}",
            answer.body
        );
        assert!(answer.body.contains(reason), "{}", answer.body);
        for secret in ["me:", "hush", "key", "hidden"] {
            assert!(!answer.body.contains(secret), "{}", answer.body);
        }
    }
}

#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let inner = TcpListener::bind("127.0.0.1:0").unwrap();
    inner.set_nonblocking(true).unwrap();
    let location = format!("Location: http://{}/\r\n", inner.local_addr().unwrap());
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
    ] {
        let head = format!("HTTP/1.1 {status}\r\n{location}Content-Length: 0\r\n\r\n");

        let answer = ask(&upstream(head, Duration::ZERO)).await;

        assert_eq!(answer.status, 502, "{}", answer.body);
        assert!(answer.body.contains(&status[..3]), "{}", answer.body);
        assert!(inner.accept().is_err(), "asked who the redirect names");
    }
}
