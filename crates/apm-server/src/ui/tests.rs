//! Properties of every page: it answers, on an empty store and on a full one, and whatever telemetry says stays text.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, to};
use actix_web::{App, test};
use apm_store::{Store, StoreOptions};

mod addresses;
mod forms;

use super::demo::{Demo, HOSTILE};
use super::href::Href;
use crate::answers::Settings;
use crate::config::Config;
use addresses::PAGES;

/// Status, headers and text of a page.
async fn get(store: &Store, uri: &str) -> (StatusCode, header::HeaderMap, String) {
    let mut config = Config::default();
    config.database.clone_from(&store.options().path);
    let app = App::new()
        .app_data(Data::new(store.clone()))
        .app_data(Data::new(Settings::from_config(&config)))
        .configure(|app| {
            for route in crate::api::routes().into_iter().chain(super::routes()) {
                app.service(route.resource);
            }
        })
        .default_service(to(super::not_found));
    let app = test::init_service(app).await;
    let answer = test::call_service(&app, test::TestRequest::get().uri(uri).to_request()).await;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = test::read_body(answer).await;
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

/// A page is whole, and nothing from telemetry has become markup.
#[track_caller]
fn check_page(uri: &str, text: &str) {
    assert!(
        text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>"),
        "{uri}"
    );
    assert_eq!(text.matches("<script").count(), 1, "{uri}: only the module");
    assert_eq!(text.matches("<h1").count(), 1, "{uri}: one answer");
    assert!(!text.contains(" style=\""), "{uri}: styles inline");
    assert!(
        !text.contains("NaN") && !text.contains("inf "),
        "{uri}: a number that is none"
    );
    for element in [
        "<table", "<figure", "<section", "<svg", "<a ", "<details", "<form",
    ] {
        let close = format!("</{}>", element.trim_start_matches('<').trim());
        assert_eq!(
            text.matches(element).count(),
            text.matches(&close).count(),
            "{uri}: {element}"
        );
    }
    let mut ids: Vec<&str> = text
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    ids.sort_unstable();
    assert!(
        ids.windows(2).all(|pair| pair[0] != pair[1]),
        "{uri}: an id twice"
    );
}

#[actix_web::test]
async fn every_page_answers_on_an_empty_store() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions::new(directory.path().join("apm.db"))).unwrap();
    for page in PAGES {
        let uri = page
            .replace("{service}", "nobody")
            .replace("{trace}", "00")
            .replace("{other}", "00")
            .replace("{item}", "00")
            .replace("{error}", "00")
            .replace("{fingerprint}", "00");
        let (status, _, text) = get(&store, &uri).await;
        let of_one = ["/traces/", "/services/{service}", "/queries/"];
        let want = match of_one.iter().any(|start| page.starts_with(start)) {
            true => StatusCode::NOT_FOUND,
            false => StatusCode::OK,
        };
        assert_eq!(status, want, "{uri}");
        check_page(&uri, &text);
        assert!(
            ["/live", "/settings", "/setup", "/sql"]
                .iter()
                .any(|page| uri.starts_with(page))
                || text.contains("class=\"panel empty\"")
                || text.contains("class=\"empty\""),
            "{uri}: says nothing of being empty"
        );
    }
}

fn demo() -> Demo {
    // Opening blocks, so it happens where nothing asynchronous runs.
    std::thread::spawn(|| Demo::new(apm_time::now()))
        .join()
        .unwrap()
}

#[actix_web::test]
async fn whatever_telemetry_says_stays_text() {
    let demo = demo();
    let service = "%3Cscript%3Ealert(%221%22)%3C%2Fscript%3E";
    let trace = format!("{:032x}", 9_000_000);
    let error = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(HOSTILE.as_bytes()));
    let item = format!("{:016x}", 9_000_000u64 << 8 | 1);
    let (_, _, queries) = get(&demo.store, &format!("/api/v1/queries?service={service}")).await;
    let queries: serde_json::Value = serde_json::from_str(&queries).unwrap();
    let fingerprint = queries["statements"][0]["fingerprint"].as_str().unwrap();
    for page in PAGES {
        let uri = page
            .replace("{service}", service)
            .replace("{trace}", &trace)
            .replace("{other}", &trace)
            .replace("{item}", &item)
            .replace("{error}", &error)
            .replace("{fingerprint}", fingerprint);
        let (status, headers, text) = get(&demo.store, &uri).await;
        assert_eq!(status, StatusCode::OK, "{uri}");
        check_page(&uri, &text);
        assert!(!text.contains(HOSTILE), "{uri}");
        let policy = headers
            .get(header::CONTENT_SECURITY_POLICY)
            .unwrap()
            .to_str()
            .unwrap();
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
}

#[actix_web::test]
async fn the_article_is_told_by_its_pages() {
    let demo = demo();
    let (_, _, services) = get(&demo.store, "/services").await;
    assert!(
        services.contains("of requests to my-app-01 failed in the last 15 minutes."),
        "the headline"
    );
    let (_, _, one) = get(&demo.store, "/services/my-app-01/transactions").await;
    for name in [
        "GET /sql-group",
        "GET /sql-write",
        "GET /upstream",
        "GET /5xx",
    ] {
        assert!(one.contains(&format!(">{name}</a>")), "{name}");
    }
    let (_, _, write) = get(&demo.store, &format!("/traces/{}", Demo::trace_id(2))).await;
    assert!(
        write.contains("repeated 5×"),
        "the five INSERTs are folded and counted"
    );
    assert_eq!(
        write.matches(">INSERT INTO people</a>").count(),
        5,
        "and each of them is there"
    );
    let (_, _, call) = get(&demo.store, &format!("/traces/{}", Demo::trace_id(3))).await;
    assert!(
        call.contains("clock corrected by"),
        "the callee's clock is behind"
    );
    assert!(
        call.contains("not covered by spans"),
        "most of the request is not explained"
    );
}

#[actix_web::test]
async fn the_statement_of_a_span_is_in_its_details_without_a_script() {
    let demo = demo();
    let number = 1 + 16 * (179 * 5 + 2u64);
    let uri = format!(
        "/traces/{}?item={:016x}",
        Demo::trace_id(1),
        number << 8 | 1
    );
    let (_, _, text) = get(&demo.store, &uri).await;
    assert!(text.contains("<aside class=\"flyout\""));
    assert!(
        text.contains("<span class=\"k\">GROUP</span> <span class=\"k\">BY</span> city"),
        "highlighted and broken at its clauses"
    );
    assert!(text.contains("aria-selected=\"true\""));
}

#[actix_web::test]
async fn a_range_that_makes_no_sense_is_explained() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions::new(directory.path().join("apm.db"))).unwrap();
    let (status, _, text) = get(&store, "/services?from=someday").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("use RFC 3339"), "names the remedy");
    check_page("/services?from=someday", &text);
    assert_eq!(get(&store, "/nowhere").await.0, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn the_query_bar_filters_lists_and_says_where_it_cannot() {
    let demo = demo();
    let filtered = "/services/my-app-01/transactions?q=transaction.name:*sql-g*";
    let (_, _, list) = get(&demo.store, filtered).await;
    assert!(list.contains(">GET /sql-group</a>"), "what matches stays");
    assert!(!list.contains(">GET /sql-write</a>"), "the rest goes");
    let (_, _, failed) = get(&demo.store, "/traces?q=transaction.result:%22HTTP%205xx%22").await;
    assert!(failed.contains(">GET /5xx</a>") && !failed.contains(">GET /sql-group</a>"));
    let (_, _, refused) = get(&demo.store, "/errors?q=url.path:x").await;
    assert!(
        refused.contains("url.path:x\n^^^^^^^^</pre>"),
        "the field is pointed at"
    );
    assert!(
        refused.contains("Search in Discover"),
        "and there is a way out"
    );
    let (_, _, unread) = get(&demo.store, "/services?q=service.name:").await;
    assert!(
        unread.contains("service.name:\n             ^</pre>"),
        "{unread}"
    );
    let (_, _, none) = get(&demo.store, "/services?q=service.name:nobody").await;
    assert!(none.contains("matches nothing") && none.contains("Remove the filter"));
}

#[actix_web::test]
async fn the_query_bar_suggests_fields_and_then_values() {
    let demo = demo();
    let (_, _, fields) = get(&demo.store, "/suggest?on=/services&text=tran").await;
    assert!(
        fields.contains("data-becomes=\"transaction.name: \""),
        "{fields}"
    );
    let (_, _, values) = get(
        &demo.store,
        "/suggest?on=/services&text=transaction.name:%20sql",
    )
    .await;
    assert!(
        values.contains("data-becomes=\"transaction.name: &quot;GET /sql-group&quot; \""),
        "{values}"
    );
    let (_, _, any) = get(&demo.store, "/suggest?on=/discover&text=headers").await;
    assert!(any.contains("http.request.headers.Host"), "{any}");
}

#[actix_web::test]
async fn every_table_can_be_had_as_a_file() {
    let demo = demo();
    let mut tables = 0;
    let service = "/services/my-app-01";
    let trace = format!("/traces/{}", Demo::trace_id(2));
    for page in [
        "/services",
        "/errors",
        "/traces",
        "/discover",
        "/discover?group=service.name",
        "/live",
        "/queries",
        service,
        &format!("{service}/transactions"),
        &format!("{service}/dependencies"),
        &format!("{trace}?tab=statistics"),
        &format!("{trace}?tab=sql"),
    ] {
        let (_, _, text) = get(&demo.store, page).await;
        let captions: Vec<&str> = text
            .split("name=\"csv\" value=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(!captions.is_empty(), "{page}");
        assert_eq!(
            captions.len(),
            text.matches("<table").count(),
            "{page}: a table without a file"
        );
        for caption in captions {
            let query = Href::at(page)
                .set("csv", &caption.replace("&amp;", "&"))
                .to_string();
            let query = if page.contains('?') {
                query.replacen("?csv", "&csv", 1)
            } else {
                query
            };
            let (status, headers, csv) = get(&demo.store, &query).await;
            assert_eq!(status, StatusCode::OK, "{query}");
            assert_eq!(
                headers.get(header::CONTENT_TYPE).unwrap(),
                "text/csv; charset=utf-8"
            );
            assert!(
                !csv.contains("<td") && csv.lines().count() > 1,
                "{query}: {csv}"
            );
            tables += 1;
        }
    }
    assert!(tables > 20, "{tables}");
    let (status, ..) = get(&demo.store, "/services?csv=nothing").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn the_navigation_counts_errors_and_the_picker_knows_the_start() {
    let demo = demo();
    let (_, _, text) = get(&demo.store, "/services").await;
    let nav = text
        .split("<nav")
        .nth(1)
        .and_then(|rest| rest.split("</nav>").next());
    let errors = nav.and_then(|nav| nav.split("/errors").nth(1)).unwrap();
    assert!(
        errors.split("</a>").next().unwrap().contains(">2<"),
        "{errors}"
    );
    assert!(text.contains(">Since server start</a>"));
}

#[actix_web::test]
async fn one_line_of_latency_is_chosen_and_the_axis_is_logarithmic_where_asked() {
    let demo = demo();
    let chart = async |query: &str| {
        let (status, _, text) = get(&demo.store, &format!("/services/my-app-01?{query}")).await;
        assert_eq!(status, StatusCode::OK);
        let chart = text.split("id=\"latency\"").nth(1).unwrap();
        chart.split("</figure>").next().unwrap().to_owned()
    };
    let (all, p50) = (chart("").await, chart("line=p50").await);
    assert!(all.contains("lat-avg") && all.contains("lat-p99"), "{all}");
    assert!(
        p50.contains(">p50") && !p50.contains("lat-avg") && !p50.contains("lat-p99"),
        "{p50}"
    );
    for name in ["p75", "p90", "p99.9"] {
        let one = chart(&format!("line={name}")).await;
        assert!(one.contains(&format!(">{name}")), "{one}");
        assert!(!one.contains("lat-avg"), "{one}");
    }
    let labels = |chart: &str| {
        let axis = chart.split("chart-y").nth(1).unwrap();
        axis.split("</svg>").next().unwrap().to_owned()
    };
    let log = chart("axis=log").await;
    assert!(
        labels(&all).contains(">0<") && !labels(&log).contains(">0<"),
        "{log}"
    );
    assert!(!log.contains("NaN"), "{log}");
}
