//! Lists of hundreds of rows: search, columns, height of rows, pages.

use serde_json::json;

use super::metadata;
use crate::support::events::now;
use crate::support::server::TestServer;

async fn filled() -> TestServer {
    let server = TestServer::start();
    let mut sent = vec![metadata("shop")];
    for number in 1..=300_u64 {
        let area = if number % 10 == 0 { "Cart" } else { "item" };
        sent.push(super::transaction(
            number,
            &format!("GET /{area}/{number}"),
            now(),
        ));
    }
    assert_eq!(server.intake(sent.join("\n")).await.status, 202);
    server
}

#[actix_web::test]
async fn a_search_goes_over_all_rows_and_not_those_of_the_page() {
    let server = filled().await;
    let list = "/services/shop/transactions";
    let all = server.get(&format!("/api/v1{list}?size=20")).await.json();
    assert_eq!((&all["total"], &all["shown"]), (&json!(300), &json!(20)));
    for (search, total) in [
        ("cart", 30),
        ("CART/30", 2),
        ("request", 300),
        ("nothing", 0),
        ("%20", 300),
    ] {
        let found = server
            .get(&format!("/api/v1{list}?size=20&search={search}"))
            .await
            .json();
        assert_eq!(found["total"], total, "{search}: {found}");
        let page = server.get(&format!("{list}?search={search}")).await;
        assert_eq!(page.status, 200);
        let file = server
            .get(&format!("/api/v1{list}?format=csv&search={search}"))
            .await
            .text;
        assert_eq!(file.lines().count() as u64, total + 1, "{search}");
    }
    let last = server
        .get(&format!("/api/v1{list}?size=20&search=cart&page=2"))
        .await
        .json();
    assert_eq!((&last["shown"], &last["page"]), (&json!(10), &json!(2)));
    let none = server.get(&format!("{list}?search=nothing")).await.text;
    assert!(none.contains("Clear the search"), "{none}");
    // Searches of other lists.
    for (path, found) in [("/services?search=SHO", 1), ("/services?search=x", 0)] {
        let list = server.get(&format!("/api/v1{path}")).await.json();
        assert_eq!(list["total"], found, "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn columns_and_height_of_rows_stand_in_the_address_and_the_height_goes_along() {
    let server = filled().await;
    let page = server
        .get("/services/shop/transactions?hide=p95,failed&density=compact")
        .await
        .text;
    assert!(page.contains("<html lang=\"en\" data-density=\"compact\""));
    assert!(
        page.contains("hide-3") && page.contains("Columns (2 hidden)"),
        "{page}"
    );
    let nav = page
        .split("<nav class=\"nav\"")
        .nth(1)
        .and_then(|rest| rest.split("</nav>").next());
    let nav = nav.expect("the navigation");
    assert!(
        nav.contains("density=compact") && !nav.contains("hide="),
        "{nav}"
    );
    server.stop().await;
}
