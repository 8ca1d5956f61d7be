//! Errors as each language writes them.

use serde_json::{Value, json};

use crate::support::events::now;
use crate::support::server::TestServer;

/// Sends an error of a service, and returns its page.
async fn page(server: &TestServer, (service, agent): (&str, &str), exception: Value) -> String {
    let metadata = json!({"metadata": {"service": {"name": service,
        "agent": {"name": agent, "version": "1"}, "language": {"name": agent}}}});
    let error = json!({"error": {"id": "000000000000000000000000000000e1", "timestamp": now() - 1_000_000,
        "exception": exception}});
    let sent = server.intake(format!("{metadata}\n{error}")).await;
    assert_eq!(sent.status, 202, "{}", sent.text);
    let list = server
        .get(&format!("/api/v1/errors?service={service}"))
        .await
        .json();
    let key = list["errors"][0]["key"]
        .as_str()
        .unwrap_or_else(|| panic!("a key: {list}"));
    let shown = server
        .get(&format!("/services/{service}/errors/{key}"))
        .await;
    assert_eq!(shown.status, 200);
    shown.text
}

#[actix_web::test]
async fn frames_of_java_name_their_class_and_none_is_folded_where_all_are_of_libraries() {
    let server = TestServer::start();
    let frame = |function: &str, line: u32| {
        json!({"filename": "Cart.java", "classname": "com.shop.Cart", "function": function, "lineno": line,
            "library_frame": true})
    };
    let exception = json!({"type": "com.shop.CardRefused", "message": "no credit",
        "stacktrace": [frame("pay", 28), frame("checkout", 12)]});
    let page = page(&server, ("bank", "java"), exception).await;
    for said in [
        "com.shop.Cart.pay",
        "Cart.java:28",
        "com.shop.Cart.checkout",
        "com.shop.CardRefused: no credit",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    // No frame is worth more than another, so none is in the way, and there is no culprit to be named.
    assert!(!page.contains("library frames"), "{page}");
    assert!(page.contains("Recorded by"), "{page}");
    server.stop().await;
}

#[actix_web::test]
async fn the_type_of_an_exception_is_said_once_also_where_the_message_begins_with_it() {
    let server = TestServer::start();
    let exception = |message: &str| {
        json!({"type": "ValueError", "message": message,
            "stacktrace": [{"filename": "cart.py", "function": "pay", "lineno": 3}]})
    };
    for (service, message) in [("begins", "ValueError: bad sku"), ("plain", "bad sku")] {
        let page = page(&server, (service, "python"), exception(message)).await;
        assert!(page.contains("ValueError: bad sku"), "{service}: {page}");
        assert!(
            !page.contains("ValueError: ValueError"),
            "{service}: {page}"
        );
    }
    server.stop().await;
}
