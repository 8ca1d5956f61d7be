//! Source maps: uploads by Elastic's API, and what they make of a browser's stack trace.

use apm_server::{Rum, SecretToken};
use serde_json::{Value, json};

use crate::support::server::{Answer, TestServer};

const ORIGIN: (&str, &str) = ("Origin", "https://shop.example");
const NDJSON: (&str, &str) = ("Content-Type", "application/x-ndjson");
const FORM: (&str, &str) = ("Content-Type", "multipart/form-data; boundary=xyz");

/// `function b(){throw 1}function g(){b()}`: `b` is `boom` of `src/boom.js`, line 2; `g` is `go` of a package.
const MAP: &str = r#"{"version":3,"sources":["src/boom.js","node_modules/go/index.js"],
    "sourcesContent":["// one\nfunction boom() {\n  throw 1;\n}\n","function go() {\n  boom();\n}\n"],
    "names":["boom","go"],"mappings":"AACAA,aACE,QCFFC,aACED"}"#;

fn form(version: &str, path: &str, map: &str) -> String {
    let fields = [
        ("service_name", "shop"),
        ("service_version", version),
        ("bundle_filepath", path),
        ("sourcemap", map),
    ];
    let part = |(name, value)| {
        format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    fields.map(part).concat() + "--xyz--\r\n"
}

async fn upload(server: &TestServer, path: &str, body: impl Into<actix_web::web::Bytes>) -> Answer {
    server
        .send("POST", path, &[FORM, ("Accept", "application/json")], body)
        .await
}

/// Sends an error of the minified file, and gives the key of its group.
async fn fail(server: &TestServer) -> String {
    let metadata = r#"{"m":{"se":{"n":"shop","ve":"1.0","a":{"n":"rum-js","ve":"5"}}}}"#;
    let frame = |function: &str, column: u32| {
        json!({
            "f": "app.min.js", "ap": "https://cdn.example/js/x/../app.min.js?v=1",
            "fn": function, "li": 1, "co": column,
        })
    };
    let stack = [frame("b", 14), frame("g", 36)];
    let error = json!({"e": {"id": "e1", "cl": "app.min.js", "ex": {"mg": "1", "st": stack}}});
    let body = format!("{metadata}\n{error}");
    let sent = server
        .send("POST", "/intake/v3/rum/events", &[NDJSON, ORIGIN], body)
        .await;
    assert_eq!(sent.status, 202, "{}", sent.text);
    let found = server.get("/api/v1/discover?q=&from=now-1h").await.json();
    found["hits"][0]["error"]["grouping_key"]
        .as_str()
        .expect("a key")
        .to_owned()
}

async fn shown(server: &TestServer, key: &str) -> Value {
    let path = format!("/api/v1/services/shop/errors/{key}?from=now-1h");
    server.get(&path).await.json()["document"]["error"].clone()
}

#[actix_web::test]
async fn a_map_that_comes_after_the_error_shows_where_it_was_written() {
    let server = TestServer::with(|config| config.rum = Some(Rum::default()));
    let key = fail(&server).await;
    let before = shown(&server, &key).await;
    let frame = &before["exception"][0]["stacktrace"][0];
    assert_eq!(frame["filename"], "app.min.js");
    let error = frame["sourcemap"]["error"].as_str().unwrap();
    assert!(
        error.ends_with(
            "service.name=shop service.version=1.0 bundle.path=https://cdn.example/js/app.min.js"
        ),
        "{error}"
    );

    // Of another version, and of another file.
    for (version, path) in [("2.0", "/js/app.min.js"), ("1.0", "/js/other.min.js")] {
        assert_eq!(
            upload(&server, "/api/apm/sourcemaps", form(version, path, MAP))
                .await
                .status,
            200
        );
    }
    assert_eq!(shown(&server, &key).await, before);

    let done = upload(
        &server,
        "/api/apm/sourcemaps",
        form("1.0", "/js/app.min.js", MAP),
    )
    .await
    .json();
    assert_eq!(done["identifier"], "shop-1.0");
    let after = shown(&server, &key).await;
    let frames = &after["exception"][0]["stacktrace"];
    let frame = &frames[0];
    assert_eq!(frame["filename"], "src/boom.js");
    assert_eq!(
        (&frame["line"]["number"], &frame["line"]["context"]),
        (&json!(3), &json!("  throw 1;"))
    );
    assert_eq!(
        frame["context"]["pre"],
        json!(["// one", "function boom() {"])
    );
    // The map tells at the place of the call which function is called.
    assert_eq!(
        (&frame["function"], &frames[1]["function"]),
        (&json!("boom"), &json!("<anonymous>"))
    );
    assert_eq!(frame["original"]["function"], "b");
    assert_eq!(
        (&frame["original"]["lineno"], &frame["original"]["colno"]),
        (&json!(1), &json!(14))
    );
    assert_eq!(frame["sourcemap"], json!({"updated": true}));
    assert_eq!(
        (&frame["library_frame"], &frames[1]["library_frame"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(after["culprit"], "src/boom.js in boom");

    let page = format!("/services/shop/errors/{key}?from=now-1h");
    let page = server
        .send("GET", &page, &[("Accept", "text/html")], "")
        .await;
    assert!(page.text.contains("src/boom.js:3"), "the page shows it");

    // Uploading again replaces it; deleting it shows the frames as they were sent.
    assert_eq!(
        upload(
            &server,
            "/assets/v1/sourcemaps",
            form("1.0", "/js/app.min.js", MAP)
        )
        .await
        .status,
        202
    );
    let list = server
        .get("/api/apm/sourcemaps?page=1&perPage=1")
        .await
        .json();
    assert_eq!(
        (&list["total"], list["artifacts"].as_array().unwrap().len()),
        (&json!(3), 1)
    );
    let wrong = server.get("/api/apm/sourcemaps?page=first").await;
    assert_eq!(wrong.status, 400);
    let why = wrong.json()["error"].to_string();
    assert!(why.contains("whole numbers"), "{why}");
    let first = &list["artifacts"][0];
    assert_eq!(first["body"]["bundleFilepath"], "/js/app.min.js");
    let path = format!("/api/apm/sourcemaps/{}", first["id"].as_str().unwrap());
    assert_eq!(server.send("DELETE", &path, &[], "").await.status, 200);
    assert_eq!(server.send("DELETE", &path, &[], "").await.status, 404);
    assert_eq!(shown(&server, &key).await, before);
    server.stop().await;
}

#[actix_web::test]
async fn what_is_no_map_or_has_no_place_is_refused_in_words() {
    let server = TestServer::with(|config| config.secret_token = SecretToken::new("hush"));
    let path = "/api/apm/sourcemaps";
    assert_eq!(
        upload(&server, path, form("1", "/a.js", MAP)).await.status,
        401
    );
    let hush = ("Authorization", "Bearer hush");
    for (body, told) in [
        (form("1", "/a.js", "{}"), "cannot be read"),
        (form("1", "/a.js", "[1,"), "cannot be read"),
        (
            form(
                "1",
                "/a.js",
                r#"{"version":3,"sources":[],"mappings":"!!"}"#,
            ),
            "cannot be read",
        ),
        (form("", "/a.js", MAP), "'service_version' is required"),
        (
            form("1", &"x".repeat(5000), MAP),
            "'bundle_filepath' is too long",
        ),
        ("--xyz\r\nhello".to_owned(), "form cannot be read"),
    ] {
        let answer = server.send("POST", path, &[FORM, hush], body).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(answer.text.contains(told), "{told}: {}", answer.text);
    }
    let large = form("1", "/a.js", &" ".repeat(34 << 20));
    let answer = server.send("POST", path, &[FORM, hush], large).await;
    assert_eq!(answer.status, 413, "{}", answer.text);
    let list = server
        .send("GET", path, &[hush, ("Accept", "application/json")], "")
        .await;
    assert_eq!(list.json()["total"], 0);
    server.stop().await;
}
