//! Lists under a filter: what it cannot be applied to is not shown as if it were.

use serde_json::json;

use super::{metadata, transaction};
use crate::support::events::now;
use crate::support::server::TestServer;

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
