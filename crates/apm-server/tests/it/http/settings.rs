//! Settings of agents, from the page to the agent and back.

use serde_json::json;

use crate::support::server::{TestServer, eventually};

#[actix_web::test]
async fn settings_made_on_the_page_reach_the_agent_and_its_tag_says_that_they_are_applied() {
    let server = TestServer::start();
    let own = server.running.url();
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", own.as_str()),
    ];
    let form = "service=shop&environment=prod&settings=transaction_sample_rate%3D0.25";
    let stored = server
        .send("POST", "/settings/agents", &headers, form)
        .await;
    assert_eq!(stored.status, 303);
    let location = stored.header("location").to_owned();
    assert!(location.starts_with("/settings?saved=1&"), "{location}");
    let page = server.get(&location).await;
    for said in ["Saved.", "nothing was set.", "no agent has asked"] {
        assert!(page.text.contains(said), "{said}");
    }
    let path = "/config/v1/agents?service.name=shop&service.environment=prod";
    let given = server.get(path).await;
    assert_eq!(given.json(), json!({"transaction_sample_rate": "0.25"}));
    let tag = given.header("etag").to_owned();
    eventually("it was given, not applied", async || {
        let page = server.get("/settings").await.text;
        page.contains("not yet") && page.contains("0 of 1 agent")
    })
    .await;
    // A tag of other settings says nothing of these.
    let other = server
        .send("GET", path, &[("If-None-Match", "\"-\"")], "")
        .await;
    assert_eq!(other.status, 200);
    let same = server
        .send("GET", path, &[("If-None-Match", &tag)], "")
        .await;
    assert_eq!(same.status, 304);
    eventually("the settings are shown as applied", async || {
        !server.get("/settings").await.text.contains("not yet")
    })
    .await;
    let page = server.get("/settings").await;
    for said in ["transaction_sample_rate=0.25", "1 of 1 agent", "applied: "] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    server.stop().await;
}

#[actix_web::test]
async fn settings_can_be_edited_and_deleted_with_a_way_back_and_a_value_that_no_agent_can_read_is_refused()
 {
    let server = TestServer::start();
    let own = server.running.url();
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", own.as_str()),
    ];
    let agent = json!({"metadata": {"service": {"name": "shop", "agent": {"name": "nodejs", "version": "4"}}}});
    let metricset = json!({"metricset": {"timestamp": 1, "samples": {"a": {"value": 1}}}});
    let sent = server.intake(format!("{agent}\n{metricset}")).await;
    assert_eq!(sent.status, 202);
    let save = async |settings: &str| {
        let form = format!("service=shop&environment=&settings={settings}");
        server
            .send("POST", "/settings/agents", &headers, form)
            .await
    };
    for (settings, said) in [
        ("transaction_sample_rate%3Dabc", "a number from 0 to 1"),
        ("trace_methods%3Da", "nodejs does not know it"),
        ("nothing", "write name=value"),
    ] {
        let refused = save(settings).await;
        assert_eq!(refused.status, 400, "{settings}");
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    assert_eq!(save("capture_body%3Derrors").await.status, 303);
    let page = server
        .get("/settings?edit=%5B%22shop%22%2C%22%22%5D")
        .await
        .text;
    for said in [
        "<h3>Edit</h3>",
        ">capture_body=errors</textarea>",
        "value=\"shop\"",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let deleted = save("").await;
    let page = server.get(deleted.header("location")).await.text;
    for said in [
        "Deleted.",
        "Nothing is set",
        "capture_body=errors",
        ">Undo</button>",
    ] {
        assert!(page.contains(said), "{said}");
    }
    // The button of the page sends the same, with the tag of what it undoes.
    let expected = "%5B%22shop%22%2C%22%22%2C%22-%22%5D";
    assert!(page.contains("value=\"[&quot;shop&quot;,&quot;&quot;,&quot;-&quot;]\""));
    let undo = format!("capture_body%3Derrors&expected={expected}");
    assert_eq!(save(&undo).await.status, 303);
    // A second time there is something else in their place: it stays.
    let late = save(&format!("capture_body%3Doff&expected={expected}")).await;
    assert_eq!(late.status, 409);
    assert!(
        late.text.contains("changed them meanwhile"),
        "{}",
        late.text
    );
    let given = server.get("/config/v1/agents?service.name=shop").await;
    assert_eq!(given.json(), json!({"capture_body": "errors"}));
    // An address that somebody made up does no harm.
    let odd = server
        .get("/settings?saved=1&undo=%7B%22a%22%3A1&edit=%5B")
        .await;
    assert_eq!(odd.status, 200);
    server.stop().await;
}
