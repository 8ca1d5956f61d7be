use serde_json::{Value, json};

use super::*;

#[test]
fn header_names_are_cased_as_go_does() {
    assert_eq!(canonical("user_id"), "User_id");
    assert_eq!(canonical("content-TYPE"), "Content-Type");
    assert_eq!(canonical("not a header"), "not a header");
}

#[test]
fn the_client_is_whom_a_proxy_names_and_the_peer_goes_to_nat() {
    let sent = json!({
        "socket": {"remote_address": "10.0.0.1:99"},
        "headers": {"x-forwarded-for": ["1.2.3.4, 10.0.0.9"]},
    });
    let sent = sent.to_string();
    let sent = Json::read(&sent).unwrap();
    let mut out = Fields::default();
    request(&mut out, &sent);
    assert_eq!(out.text("client.ip"), "1.2.3.4");
    assert_eq!(out.text("source.nat.ip"), "10.0.0.1");
}

#[test]
fn a_page_is_taken_apart_where_the_request_has_no_address() {
    let sent = json!({"page": {"url": "https://u@[::1]:81/a%20b?c=d#e"}});
    let sent = sent.to_string();
    let sent = Json::read(&sent).unwrap();
    let mut out = Fields::default();
    page(&mut out, &sent);
    assert_eq!(
        out.into_value()["url"],
        json!({
            "original": "https://u@[::1]:81/a%20b?c=d#e", "full": "https://u@[::1]:81/a%20b?c=d#e",
            "scheme": "https", "domain": "::1", "port": 81, "path": "/a b", "query": "c=d",
            "fragment": "e",
        })
    );
    for (sent, wanted) in [
        (
            json!({"page": {"url": "https://h/"}}),
            json!({
                "original": "https://h/", "full": "https://h/", "scheme": "https",
                "domain": "h", "path": "/",
            }),
        ),
        (
            json!({"page": {"url": "http://a b"}}),
            json!({"original": "http://a b"}),
        ),
        (
            json!({"page": {"url": "http://h"}, "request": {"url": {"raw": "/x"}}}),
            Value::Null,
        ),
    ] {
        let sent = sent.to_string();
        let read = Json::read(&sent).unwrap();
        let mut out = Fields::default();
        page(&mut out, &read);
        assert_eq!(out.into_value()["url"], wanted, "{sent}");
    }
}
