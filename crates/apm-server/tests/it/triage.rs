//! Error groups as people handle them: resolved, ignored, assigned, merged, and back again.

use std::time::Duration;

use apm_server::Config;
use serde_json::{Value, json};

use crate::support::server::{Answer, TestServer, eventually};

fn start() -> TestServer {
    TestServer::with(|config: &mut Config| config.alerts.look = Duration::from_millis(50))
}

/// Sends an error of a version.
async fn fail(server: &TestServer, version: &str, kind: &str, message: &str) {
    let metadata = json!({"metadata": {"service": {
        "name": "shop", "version": version, "agent": {"name": "a", "version": "1"},
    }}});
    let error = json!({"error": {"id": "00000000000000c1", "exception": {"type": kind, "message": message}}});
    let body = format!("{metadata}\n{error}\n");
    assert_eq!(server.intake(body).await.status, 202);
}

async fn change(server: &TestServer, key: &str, body: Value) -> Answer {
    let path = format!("/api/v1/services/shop/errors/{key}/state");
    let headers = [("Content-Type", "application/json")];
    server.send("POST", &path, &headers, body.to_string()).await
}

async fn form(server: &TestServer, path: &str, body: &str) -> Answer {
    let origin = server.running.url();
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", &*origin),
    ];
    server.send("POST", path, &headers, body.to_owned()).await
}

async fn list(server: &TestServer, state: &str) -> Value {
    let path = format!("/api/v1/services/shop/errors?from=now-1h&state={state}");
    server.get(&path).await.json()
}

/// The keys of the groups of a state.
async fn keys(server: &TestServer, state: &str) -> Vec<String> {
    let found = list(server, state).await;
    let rows = found["errors"].as_array().expect("rows").iter();
    rows.map(|row| row["key"].as_str().expect("a key").to_owned())
        .collect()
}

async fn page(server: &TestServer, path: &str) -> String {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.text
}

#[actix_web::test]
async fn several_errors_are_resolved_ignored_assigned_and_reopened_at_once_without_a_script() {
    let server = start();
    for kind in ["Io", "Parse", "Time"] {
        fail(&server, "1.4", kind, "text").await;
    }
    let all = keys(&server, "open").await;
    let list = "/services/shop/errors?from=now-1h&search=text";
    let shown = page(&server, list).await;
    for key in &all {
        let choice = format!("form=\"bulk\" name=\"group\" value=\"{key} shop\"");
        assert!(shown.contains(&choice), "{shown}");
    }
    assert!(shown.contains("formaction=\"/errors/resolve\""), "{shown}");
    let of = |keys: &[String], more: &str| {
        let groups: String = keys
            .iter()
            .map(|key| format!("group={key}+shop&"))
            .collect();
        format!("{groups}back=%2Fservices%2Fshop%2Ferrors%3Fsearch%3Dtext&{more}")
    };
    let done = form(&server, "/errors/resolve", &of(&all[..2], "")).await;
    assert_eq!(done.status, 303);
    assert_eq!(done.header("location"), "/services/shop/errors?search=text");
    assert_eq!(keys(&server, "open").await, all[2..]);
    assert_eq!(keys(&server, "resolved").await.len(), 2);
    form(&server, "/errors/assign", &of(&all, "to=Ann")).await;
    form(&server, "/errors/reopen", &of(&all[..1], "")).await;
    form(&server, "/errors/ignore", &of(&all[..1], "until=day")).await;
    assert_eq!(keys(&server, "ignored").await, all[..1]);
    let rows = self::list(&server, "all").await;
    for row in rows["errors"].as_array().expect("rows") {
        assert_eq!(row["state"]["assignee"], "Ann", "{row}");
    }
    // Each has the change among its own, where it can be undone.
    let one = page(
        &server,
        &format!("/services/shop/errors/{}?from=now-1h", all[1]),
    )
    .await;
    assert!(
        one.contains("assigned to Ann") && one.contains("Undo"),
        "{one}"
    );
    // A change that is refused says why, and the others stand.
    let nothing = form(&server, "/errors/resolve", "back=%2Ferrors").await;
    assert_eq!(nothing.status, 400);
    assert!(nothing.text.contains("tick the boxes"), "{}", nothing.text);
    let unknown = [all[2].clone(), "00000000000000ff".to_owned()];
    let some = form(&server, "/errors/resolve", &of(&unknown, "")).await;
    assert_eq!(some.status, 404);
    assert!(
        some.text.contains("1 of 2 errors were changed"),
        "{}",
        some.text
    );
    assert!(keys(&server, "open").await.is_empty());
    for (action, body) in [
        ("merge", of(&all, "into=x")),
        ("undo", of(&all, "id=1")),
        ("explode", of(&all, "")),
    ] {
        let answer = form(&server, &format!("/errors/{action}"), &body).await;
        assert_eq!(answer.status, 404, "{action}");
    }
    for (action, body) in [
        ("resolve", "group=nothing".to_owned()),
        ("ignore", of(&all, "until=never")),
        (
            "resolve",
            format!("{}x=y", "group=00000000000000ff+shop&".repeat(1_001)),
        ),
    ] {
        let answer = form(&server, &format!("/errors/{action}"), &body).await;
        assert_eq!(answer.status, 400, "{action}");
    }
    // It leads back to lists of this server only.
    for elsewhere in [
        "%2F%2Fevil.example%2Ferrors",
        "https%3A%2F%2Fevil.example",
        "%2Fservices%2F%5C%2Ferrors",
    ] {
        let body = format!("group={}+shop&back={elsewhere}", all[0]);
        let done = form(&server, "/errors/reopen", &body).await;
        assert_eq!(
            (done.status, done.header("location")),
            (303, "/errors"),
            "{elsewhere}"
        );
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_view_is_saved_on_the_dashboard_with_its_search_without_a_script() {
    let server = start();
    fail(&server, "1.4", "Io", "text").await;
    let metadata =
        json!({"metadata": {"service": {"name": "shop", "agent": {"name": "a", "version": "1"}}}});
    let line = json!({"log": {"message": "a line"}});
    let request = json!({"transaction": {"id": "00000000000000a1", "name": "GET /", "type": "request",
        "trace_id": "000000000000000000000000000000a1", "duration": 1, "span_count": {"started": 0}}});
    let sent = format!("{metadata}\n{line}\n{request}\n");
    assert_eq!(server.intake(sent).await.status, 202);
    for address in [
        "/errors?from=now-1h&search=text",
        "/discover?q=processor.event:error",
        "/logs",
        "/traces?match=entry",
    ] {
        let shown = page(&server, address).await;
        let form_of = shown
            .split("aria-label=\"Save this view on the dashboard\"")
            .nth(1);
        let form_of = form_of.and_then(|rest| rest.split("</form>").next());
        assert!(
            form_of.is_some_and(|text| text.contains("name=\"address\" value=\"")),
            "{address}: {shown}"
        );
    }
    let body = "title=Texts&address=%2Ferrors%3Ffrom%3Dnow-1h%26search%3Dtext&chart=";
    assert_eq!(form(&server, "/dashboard", body).await.status, 303);
    let shown = page(&server, "/dashboard").await;
    assert!(
        shown.contains("href=\"/errors?from=now-1h&amp;search=text\""),
        "{shown}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_search_that_finds_no_error_says_so_and_leaves_the_figures() {
    let server = start();
    fail(&server, "1.4", "Io", "text").await;
    fail(&server, "1.4", "Parse", "other").await;
    let none = page(&server, "/errors?from=now-1h&search=nowhere").await;
    assert!(
        none.contains("No row has the text") && none.contains("Clear the search"),
        "{none}"
    );
    let one = page(&server, "/errors?from=now-1h&search=other").await;
    assert!(one.contains("2 different errors occurred 2 times"), "{one}");
    server.stop().await;
}

#[actix_web::test]
async fn a_resolved_error_that_comes_back_in_a_new_version_is_open_everywhere() {
    let server = start();
    fail(&server, "1.4", "Io", "<b>no file</b>").await;
    let key = keys(&server, "open").await.remove(0);
    let done = change(
        &server,
        &key,
        json!({"action": "resolve", "in_next_version": true}),
    )
    .await;
    assert_eq!(done.status, 204);
    assert!(keys(&server, "open").await.is_empty());
    assert_eq!(keys(&server, "resolved").await, [&*key]);
    let shown = page(&server, "/services/shop/errors?from=now-1h").await;
    assert!(shown.contains("No open error in shop"), "{shown}");
    let by = &list(&server, "open").await["by_status"];
    assert_eq!(by, &json!({"open": 0, "resolved": 1, "ignored": 0}));
    fail(&server, "1.5", "Io", "<b>no file</b>").await;
    eventually("came back", async || {
        let found = list(&server, "open").await;
        found["errors"][0]["state"]["reopened"]["version"] == "1.5"
    })
    .await;
    let shown = page(&server, "/errors?from=now-1h").await;
    assert!(
        shown.contains("came back in 1.5") && !shown.contains("<b>no file"),
        "{shown}"
    );
    let file = page(&server, "/errors?from=now-1h&csv=errors").await;
    assert!(file.contains("open") && file.contains(&key), "{file}");
    let one = server
        .get(&format!("/api/v1/services/shop/errors/{key}?from=now-1h"))
        .await
        .json();
    let versions: Vec<&str> = one["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|row| row["version"].as_str().expect("a version"))
        .collect();
    assert_eq!(versions, ["1.5", "1.4"]);
    let shown = page(&server, &format!("/services/shop/errors/{key}?from=now-1h")).await;
    assert!(shown.contains("It came back in 1.5 at"), "{shown}");
    eventually("told", async || {
        let alerts = server.get("/api/v1/alerts").await.text;
        alerts.contains("error came back in 1.5")
    })
    .await;
    server.stop().await;
}

#[actix_web::test]
async fn a_form_changes_an_error_and_leads_back_to_its_page_with_the_range() {
    let server = start();
    fail(&server, "1.4", "Io", "no file").await;
    let key = keys(&server, "open").await.remove(0);
    let path = |action: &str| format!("/services/shop/errors/{key}/{action}?from=now-1h");
    let done = form(&server, &path("assign"), "to=Ann+%3Cb%3E").await;
    assert_eq!(done.status, 303);
    assert_eq!(
        done.header("location"),
        format!("/services/shop/errors/{key}?from=now-1h")
    );
    assert_eq!(
        form(&server, &path("ignore"), "until=week").await.status,
        303
    );
    let shown = page(&server, &format!("/services/shop/errors/{key}?from=now-1h")).await;
    assert!(
        shown.contains("Ignored until") && shown.contains("Ann &lt;b&gt;"),
        "{shown}"
    );
    assert_eq!(keys(&server, "ignored").await, [&*key]);
    // The newest change is undone, and then the one before.
    for state in ["open", "open"] {
        let one = format!("/api/v1/services/shop/errors/{key}?from=now-1h");
        let id = server.get(&one).await.json()["changes"][0]["id"].clone();
        assert_eq!(
            form(&server, &path("undo"), &format!("id={id}"))
                .await
                .status,
            303
        );
        assert_eq!(keys(&server, state).await, [&*key]);
    }
    for (action, body, status) in [
        ("ignore", "until=never", 400),
        ("assign", "", 400),
        ("undo", "id=1", 400),
        ("explode", "", 404),
    ] {
        assert_eq!(
            form(&server, &path(action), body).await.status,
            status,
            "{action}"
        );
    }
    let unknown = form(&server, "/services/shop/errors/00000000000000aa/reopen", "").await;
    assert_eq!(unknown.status, 404);
    server.stop().await;
}

#[actix_web::test]
async fn merged_errors_are_one_row_whose_page_both_keys_lead_to() {
    let server = start();
    for (kind, times) in [("Io", 3), ("Net", 2)] {
        for _ in 0..times {
            fail(&server, "1.4", kind, "lost").await;
        }
    }
    let both = list(&server, "open").await;
    let key = |kind: &str| {
        let rows = both["errors"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["type"] == kind).expect("a row");
        row["key"].as_str().expect("a key").to_owned()
    };
    let (io, net) = (key("Io"), key("Net"));
    assert_eq!(
        change(&server, &net, json!({"action": "merge", "into": io}))
            .await
            .status,
        204
    );
    let found = list(&server, "open").await;
    assert_eq!(found["total"], 1);
    let row = &found["errors"][0];
    assert_eq!(
        (&row["key"], &row["occurrences"], &row["type"]),
        (&json!(io), &json!(5), &json!("Io"))
    );
    for asked in [&io, &net] {
        let one = server
            .get(&format!("/api/v1/services/shop/errors/{asked}?from=now-1h"))
            .await
            .json();
        assert_eq!(one["group"]["key"], *io, "{asked}: {one}");
        assert_eq!(one["samples"].as_array().expect("samples").len(), 5);
        assert_eq!(one["members"][0]["key"], *net);
    }
    assert_eq!(
        change(&server, &io, json!({"action": "separate", "key": net}))
            .await
            .status,
        204
    );
    assert_eq!(keys(&server, "open").await.len(), 2);
    for (body, status) in [
        (json!({"action": "merge", "into": io}), 400),
        (json!({"action": "merge", "into": "00000000000000aa"}), 404),
        (json!({"action": "ignore", "seconds": 1}), 400),
        (json!({"action": "explode"}), 400),
        (json!({}), 400),
    ] {
        assert_eq!(
            change(&server, &io, body.clone()).await.status,
            status,
            "{body}"
        );
    }
    server.stop().await;
}
