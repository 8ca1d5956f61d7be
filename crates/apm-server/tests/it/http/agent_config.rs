//! `/config/v1/agents`: the settings that agents ask for.

use apm_server::agent_config::{self, Settings};
use serde_json::json;

use crate::support::server::TestServer;

#[actix_web::test]
async fn agents_without_settings_get_none_and_a_tag_to_ask_again_with() {
    let server = TestServer::start();
    let path = "/config/v1/agents?service.name=shop&service.environment=prod";
    let none = server.get(path).await;
    assert_eq!(
        (none.status, none.json(), none.header("etag")),
        (200, json!({}), "\"-\"")
    );
    assert_eq!(none.header("cache-control"), "max-age=30, must-revalidate");
    let same = server
        .send("GET", path, &[("If-None-Match", "\"-\"")], "")
        .await;
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    let weak = [("If-None-Match", "W/\"-\"")];
    let behind_a_proxy = server.send("GET", path, &weak, "").await;
    assert_eq!(behind_a_proxy.status, 304);
    let long = json!({"service": {"name": "x".repeat(1_025)}}).to_string();
    let long = server.send("POST", "/config/v1/agents", &[], long).await;
    assert_eq!(long.status, 400, "{}", long.text);
    let asked = r#"{"service":{"name":"shop","environment":"prod"}}"#;
    assert_eq!(
        server
            .send("POST", "/config/v1/agents", &[], asked)
            .await
            .status,
        200
    );
    let nameless = server.get("/config/v1/agents").await;
    assert_eq!(
        (nameless.status, nameless.json()),
        (400, json!({"error": "service.name is required"}))
    );
    assert_eq!(server.send("PUT", path, &[], "").await.status, 405);
    server.stop().await;
}

#[actix_web::test]
async fn the_best_match_of_the_settings_wins_and_its_tag_follows_its_values() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = apm_store::StoreOptions::new(directory.path().join("apm.db"));
    let store = apm_store::Store::open(options).expect("it opens");
    let settings = |service: &str, environment: &str, rate: &str| Settings {
        service: service.to_owned(),
        environment: environment.to_owned(),
        values: [("transaction_sample_rate".to_owned(), rate.to_owned())].into(),
        applied: None,
    };
    for new in [
        settings("", "", "0.1"),
        settings("", "prod", "0.2"),
        settings("shop", "", "0.3"),
        settings("shop", "prod", "0.4"),
    ] {
        let set = agent_config::set(&store, new, None).expect("taken");
        assert!(set.await.expect("written"));
    }
    let find = async |service: &'static str, environment: Option<&'static str>| {
        let found = store.read_async(move |conn| {
            Ok::<_, apm_store::StoreError>(agent_config::find(conn, service, environment)?)
        });
        found.await.expect("read").expect("found")
    };
    for (service, environment, rate) in [
        ("shop", Some("prod"), "0.4"),
        ("shop", Some("dev"), "0.3"),
        ("shop", None, "0.3"),
        ("other", Some("prod"), "0.2"),
        ("other", None, "0.1"),
    ] {
        let found = find(service, environment).await;
        assert_eq!(
            found.values["transaction_sample_rate"], rate,
            "{service} {environment:?}"
        );
    }
    let before = find("shop", Some("prod")).await.etag();
    // Whoever saw other settings than there are changes nothing.
    for (expected, is_made) in [("-", false), (&*before, true), (&*before, false)] {
        let new = settings("shop", "prod", "0.5");
        let set = agent_config::set(&store, new, Some(expected.to_owned())).expect("taken");
        assert_eq!(set.await.expect("written"), is_made, "{expected}");
        let after = find("shop", Some("prod")).await.etag();
        assert_eq!(after == before, expected == "-", "{expected}");
    }
    let none = Settings {
        values: Default::default(),
        ..settings("shop", "prod", "")
    };
    let set = agent_config::set(&store, none, None).expect("taken");
    assert!(set.await.expect("written"));
    assert_eq!(
        find("shop", Some("prod")).await.values["transaction_sample_rate"],
        "0.3"
    );
    actix_web::rt::task::spawn_blocking(move || store.close())
        .await
        .expect("closed");
}
