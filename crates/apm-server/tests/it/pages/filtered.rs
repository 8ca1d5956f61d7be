//! Lists under a filter: what it cannot be applied to is not shown as if it were.

use serde_json::json;

use super::{metadata, transaction};
use crate::support::events::now;
use crate::support::server::{TestServer, eventually};

const NOTE: &str = "this filter cannot be applied to them";

#[actix_web::test]
async fn services_say_which_columns_a_filter_on_requests_leaves_uncounted() {
    let server = TestServer::start();
    let at = now();
    let error = json!({"error": {"id": "000000000000000000000000000000e1", "timestamp": at,
        "exception": {"type": "panic", "message": "no"}}});
    let body = [
        metadata("shop"),
        transaction(1, "GET /a", at),
        transaction(2, "GET /b", at),
        error.to_string(),
    ];
    assert_eq!(server.intake(body.join("\n")).await.status, 202);
    let counted = |text: &str| text.contains("<dt>Errors</dt>");
    for (query, known) in [
        ("", true),
        ("?q=service.name:shop", true),
        ("?q=transaction.name:%22GET+/a%22", false),
    ] {
        let page = server.get(&format!("/services{query}")).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.text.contains(NOTE), !known, "{query}");
        assert_eq!(counted(&page.text), known, "{query}");
    }
    server.stop().await;
}

/// The service and the environment that a page is narrowed to.
const CHOSEN: &str = "service=shop&env=test";

#[actix_web::test]
async fn a_chosen_service_holds_on_every_page_and_in_every_link_of_the_navigation() {
    let server = TestServer::start();
    let at = now();
    for (number, (service, name)) in [("shop", "GET /mine"), ("other", "GET /foreign")]
        .into_iter()
        .enumerate()
    {
        let (number, trace) = (number as u64 + 1, format!("{:032x}", number + 1));
        let error = json!({"error": {"id": format!("{number:032x}"), "timestamp": at, "trace_id": trace,
            "transaction_id": format!("{number:016x}"), "parent_id": format!("{number:016x}"),
            "exception": {"type": "panic", "message": format!("error of {name}")}}});
        let span = json!({"span": {"id": format!("{:016x}", number | 1 << 40), "trace_id": trace,
            "transaction_id": format!("{number:016x}"), "parent_id": format!("{number:016x}"),
            "name": "SELECT", "type": "db", "subtype": "sqlite", "duration": 1, "timestamp": at,
            "context": {"db": {"type": "sql", "statement": format!("SELECT '{service}' FROM {service}_table")},
                "destination": {"service": {"resource": format!("{service}.db")}}}}});
        let body = [
            metadata(service),
            transaction(number, name, at),
            span.to_string(),
            error.to_string(),
        ];
        assert_eq!(server.intake(body.join("\n")).await.status, 202);
    }
    for (path, own, foreign) in [
        ("/services", "/services/shop?", "/services/other?"),
        ("/traces", "GET /mine", "GET /foreign"),
        ("/errors", "error of GET /mine", "error of GET /foreign"),
        ("/queries", "shop_table", "other_table"),
        ("/dependencies", "shop.db", "other.db"),
        ("/discover", "GET /mine", "GET /foreign"),
        ("/live", "GET /mine", "GET /foreign"),
        ("/compare", "GET /mine", "GET /foreign"),
        ("/insights", "", "GET /foreign"),
    ] {
        let page = server.get(&format!("{path}?{CHOSEN}")).await;
        assert_eq!(page.status, 200, "{path}");
        let main = page.text.split("<main").nth(1).expect("a page");
        assert!(main.contains(own), "{path} lacks {own}");
        assert!(!main.contains(foreign), "{path} shows {foreign}");
        let nav = page.text.split("<nav class=\"nav\"").nth(1);
        let nav = nav.and_then(|rest| rest.split("</nav>").next());
        for link in nav.expect("the navigation").split("<a href=\"").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            assert!(
                link.contains("service=shop") && link.contains("env=test"),
                "{path}: {link}"
            );
        }
    }
    // The rows of a statement name its service, unless all are of one.
    eventually("the callers of the statements", async || {
        let all = server.get("/queries?env=test").await.text;
        all.contains("shop · GET /mine") && all.contains("other · GET /foreign")
    })
    .await;
    let own = server.get(&format!("/queries?{CHOSEN}")).await.text;
    assert!(
        own.contains("GET /mine") && !own.contains("shop · "),
        "{own}"
    );
    // From the page of a service, its name goes along, but the list of services has all of them.
    let page = server.get("/services/shop?env=test").await.text;
    assert!(page.contains("href=\"/errors?env=test&amp;service=shop\""));
    assert!(page.contains("href=\"/services?env=test\""));
    // Nothing is left: the page offers to remove the choice.
    let page = server.get("/errors?service=nobody").await.text;
    assert!(page.contains("Show all services, not only"), "{page}");
    server.stop().await;
}

#[actix_web::test]
async fn a_dependency_has_a_page_with_its_callers_and_statements() {
    let server = TestServer::start();
    let at = now();
    let span = json!({"span": {"id": "00000000000000b1", "trace_id": format!("{:032x}", 1),
        "transaction_id": format!("{:016x}", 1), "parent_id": format!("{:016x}", 1),
        "name": "SELECT FROM people", "type": "db", "subtype": "sqlite", "duration": 2.5, "timestamp": at,
        "context": {"db": {"type": "sql", "statement": "SELECT name FROM people"},
            "destination": {"service": {"resource": "sqlite/people.db"}}}}});
    let body = [
        metadata("shop"),
        transaction(1, "GET /a", at),
        span.to_string(),
    ];
    assert_eq!(server.intake(body.join("\n")).await.status, 202);
    let list = server.get("/dependencies").await.text;
    let address = "/dependencies/sqlite%2Fpeople.db";
    assert!(list.contains(&format!("href=\"{address}\"")), "{list}");
    let page = server.get(address).await;
    assert_eq!(page.status, 200);
    for part in [
        "Calls to sqlite/people.db take 2.50\u{202f}ms on average.",
        "1 service calls it",
        "href=\"/services/shop/dependencies\"",
        "people",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let file = server.get(&format!("{address}?csv=series")).await.text;
    assert!(
        file.starts_with("time_utc,latency_avg_us,calls_per_minute"),
        "{file}"
    );
    let none = server.get("/dependencies/nothing").await.text;
    assert!(none.contains("Nothing called nothing in the last 15 minutes."));
    server.stop().await;
}
