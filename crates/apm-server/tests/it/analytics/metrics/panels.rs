//! The lines that charts of runtimes have, and those that they leave out.

use serde_json::json;

use super::{MINUTE, base, metricset};
use crate::support::server::TestServer;

#[actix_web::test]
async fn a_panel_says_how_many_lines_it_has_of_all_and_leads_to_them() {
    let server = TestServer::start();
    let at = base() + MINUTE;
    for (service, pools) in [("bank", 8), ("shop", 6)] {
        let metadata =
            json!({"service": {"name": service, "agent": {"name": "java", "version": "1"}}});
        let mut body = json!({"metadata": metadata}).to_string();
        for pool in 1..=pools {
            let samples = json!({"jvm.memory.heap.pool.used": {"value": pool * 1_000_000}});
            let labels = json!({"name": format!("CodeHeap of pool {pool}")});
            body.push_str(&format!("\n{}", metricset(at, &labels, &samples)));
        }
        assert_eq!(server.intake(body).await.status, 202);
    }
    for (service, more) in [("bank", 2), ("shop", 0)] {
        let path = format!("services/{service}/metrics?from=now-15m");
        let found = server.get(&format!("/api/v1/{path}")).await.json();
        let panel = &found["panels"][0];
        assert_eq!(
            (
                &panel["more"],
                &panel["by"],
                panel["lines"].as_array().map(Vec::len)
            ),
            (&json!(more), &json!("name"), Some(6))
        );
        let page = server.get(&format!("/{path}")).await.text;
        let link = format!(
            "/services/{service}/metrics?from=now-15m&amp;metric=jvm.memory.heap.pool.used&amp;together=sum&amp;\
             split=name#metric"
        );
        for said in ["6 of 8 lines, by", &link] {
            assert_eq!(page.contains(said), more > 0, "{service}, {said}: {page}");
        }
        // The names begin alike: their ends tell them apart.
        assert!(page.contains("…of pool 6"), "{page}");
        let file = server
            .get(&format!("/api/v1/{path}&format=csv&table=panels"))
            .await;
        let name = match more {
            0 => "panels.csv",
            _ => "panels-6-of-8.csv",
        };
        let named = file.header("content-disposition");
        assert!(named.contains(&format!("\"{name}\"")), "{named}");
    }
    let chosen = "/services/bank/metrics?from=now-15m&metric=jvm.memory.heap.pool.used";
    let page = server.get(chosen).await.text;
    assert!(page.contains("The chart has 6 of 8 lines"), "{page}");
    server.stop().await;
}
