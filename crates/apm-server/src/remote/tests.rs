use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use super::*;

/// A server that answers one request with a status and that many bytes.
fn answering(status: u16, bytes: usize) -> Remote {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = BufReader::new(&stream).lines().map_while(Result::ok);
        head.take_while(|line| !line.is_empty()).for_each(drop);
        let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // The reader may have left.
        drop(stream.write_all(&vec![b'x'; bytes]));
    });
    Remote::new(&url, None, &Trust::System).unwrap()
}

#[actix_web::test]
async fn an_answer_is_whole_or_an_error_and_a_refusal_is_cut() {
    let whole = answering(200, LONGEST).get("/", &[]).await.unwrap();
    assert_eq!(whole.body.len(), LONGEST);
    let server = answering(200, LONGEST + 1);
    let error = server.get("/", &[]).await.unwrap_err();
    let said = format!("{} answered with more than 16 MiB: ", server.url());
    assert!(error.to_string().starts_with(&said), "{error}");
    let refusal = answering(500, LONGEST + 1).get("/", &[]).await.unwrap();
    assert_eq!((refusal.status, refusal.body.len()), (500, LONGEST));
}

#[test]
fn an_address_has_a_scheme_and_a_host_and_may_have_a_path() {
    let new = |url: &str| Remote::new(url, None, &Trust::System);
    for url in [
        "http://127.0.0.1:8200",
        "http://localhost:8200/apm/",
        "http://[::1]",
    ] {
        assert_eq!(new(url).unwrap().url(), url.trim_end_matches('/'));
    }
    for url in [
        "127.0.0.1:8200",
        "http://",
        "ftp://localhost",
        "https://a?b",
        "http://a#b",
    ] {
        let error = new(url).expect_err(url).to_string();
        assert!(
            error.contains(url.trim_end_matches('/')) && error.contains("http://"),
            "{error}"
        );
    }
}

#[test]
fn a_password_in_an_address_does_not_show() {
    let error = Remote::new("http://user:pass@a", None, &Trust::System).unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("http://…@a is not") && !error.contains("pass"),
        "{error}"
    );
}

#[test]
fn a_secret_does_not_show_and_has_to_fit_into_a_header() {
    let secret = Secret::ApiKey(" a2V5\n".to_owned());
    let remote = Remote::new("http://localhost", Some(&secret), &Trust::System).unwrap();
    assert!(!format!("{remote:?}{secret:?}").contains("a2V5"));
    let wrong = Secret::Token("two\nlines".to_owned());
    let error = Remote::new("http://localhost", Some(&wrong), &Trust::System);
    assert!(matches!(error, Err(RemoteError::Secret)));
}
