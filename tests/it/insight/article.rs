//! The article's service and its repair.

use std::path::Path;

use serde_json::{Value, json};

use super::{Client, SOON, number, start_agent, start_server, text};
use crate::support::start_service;

/// The article's loop, one round of it.
pub(super) const LOOP: [&str; 14] = [
    "/sql-write",
    "/sql-read",
    "/sql-group",
    "/sql-write",
    "/sql-write",
    "/sql-write",
    "/sql-write",
    "/sql-read",
    "/sql-group",
    "/sql-group",
    "/sql-write",
    "/sql-write",
    "/sql-group",
    "/sql-group",
];

/// Rounds that are run in any case.
const ROUNDS: usize = 100;

#[actix_web::test]
async fn the_articles_service_is_told_what_its_sql_costs_and_when_that_ends() {
    let dir = tempfile::tempdir().unwrap();
    let server = start_server(dir.path(), "my-app-01");
    let agent = start_agent("my-app-01", &server);
    let service = start_service(&dir.path().join("people.db"), &agent, &[]);
    let client = Client::new();
    let url = format!("http://{}", service.addr);
    let round = async || {
        for path in LOOP {
            client.get(&format!("{url}{path}")).await;
        }
    };
    for _ in 0..ROUNDS {
        round().await;
    }

    let close = |finding: &Value| number(&finding["figures"]["r_squared"]) >= 0.9;
    let growth = client
        .until(&server, ("growth", "GET /sql-group"), close, &round)
        .await;
    assert!(
        text(&growth["title"]).starts_with("GET /sql-group gets slower as people grows: "),
        "{growth:#}"
    );
    assert!(
        text(&growth["title"]).ends_with(" per 1,000 rows."),
        "{growth:#}"
    );
    for words in [
        "every row of people",
        "temporary B-tree",
        "10 times the rows",
    ] {
        assert!(
            text(&growth["cause"]).contains(words),
            "no {words}: {growth:#}"
        );
    }
    for words in [
        "CREATE INDEX people_city ON people (city)",
        "covering scan",
        "kept by triggers",
        "flat",
    ] {
        assert!(
            text(&growth["remedy"]).contains(words),
            "no {words}: {growth:#}"
        );
    }
    // Rows are counted as they come, not as rarely as the gauge is sent.
    let grown = client
        .json(&format!(
            "{}/api/v1/queries/{}/growth",
            server.url(),
            text(&growth["evidence"]["fingerprint"])
        ))
        .await;
    let points = grown["growth"][0]["points"].as_array().unwrap();
    assert!(
        points
            .windows(2)
            .all(|pair| number(&pair[0]["rows"]) < number(&pair[1]["rows"])),
        "{points:#?}"
    );
    assert!(number(&points[0]["rows"]) < 500.0, "{points:#?}");

    let always = |_: &Value| true;
    let repeat = client
        .until(&server, ("repeat", "GET /sql-write"), always, &round)
        .await;
    assert!(
        text(&repeat["title"]).starts_with("GET /sql-write runs INSERT INTO people 5× per request"),
        "{repeat:#}"
    );
    let trace = client
        .json(&format!(
            "{}/api/v1/traces/{}",
            server.url(),
            text(&repeat["evidence"]["trace"])
        ))
        .await;
    assert!(
        trace.to_string().contains("INSERT INTO `people`"),
        "{trace:#}"
    );
    commits_are_told_where_they_take_most(&client, &server, &round).await;
    the_pages_show_it(&client, &server, &growth).await;
    the_gate_breaks_at_the_same(dir.path(), &server);

    // The same route later reads counts that triggers keep.
    service.stop().await;
    let service = start_service(
        &dir.path().join("people.db"),
        &agent,
        &["--sql-group", "rollup"],
    );
    let group = format!("http://{}/sql-group", service.addr);
    for _ in 0..40 {
        client.get(&group).await;
    }
    let ended = |finding: &Value| !finding["ended"].is_null();
    let mended = client
        .until(&server, ("growth", "GET /sql-group"), ended, async || {})
        .await;
    assert_eq!(mended["id"], growth["id"]);
    let found = client.findings(&server).await;
    let repeat = found
        .iter()
        .find(|finding| finding["id"] == repeat["id"])
        .unwrap();
    assert_eq!(repeat["ended"], json!(null), "nothing was done about it");

    assert!(agent.shutdown(SOON));
    service.stop().await;
    server.stop(true).await;
}

/// The findings stand on the pages, without a script.
async fn the_pages_show_it(client: &Client, server: &apm_server::Running, growth: &Value) {
    let page = async |path: &str| {
        let page = client.get(&format!("{}{path}", server.url())).await;
        String::from_utf8(page).unwrap()
    };
    let fingerprint = text(&growth["evidence"]["fingerprint"]);
    let trace = text(&growth["evidence"]["trace"]);
    let index = "CREATE%20INDEX%20mine%20ON%20people%20(city,%20age)";
    for (path, shown) in [
        (
            "/services".to_owned(),
            vec!["/insights?", "service=my-app-01", " insights</span>"],
        ),
        (
            "/services/my-app-01/transactions".to_owned(),
            vec!["Queries/request", "A request with 7 statements, the most"],
        ),
        (
            format!("/traces/{trace}?tab=sql"),
            vec![
                "/queries/",
                "Not covered by any span",
                "before the first span",
                "after SELECT FROM people",
            ],
        ),
        (
            format!("/queries/{fingerprint}"),
            vec![
                "gets slower as people grows",
                "full scan",
                "sorts",
                "CREATE INDEX",
                "covering index",
                "per 1,000 rows",
                "p95",
                "Histogram of ",
            ],
        ),
        (
            format!("/queries/{fingerprint}?min_ms=0.001&max_ms=60000"),
            vec!["are selected.", "selected "],
        ),
        (
            format!("/queries/{fingerprint}?index={index}"),
            vec!["With your index", "mine"],
        ),
        (
            "/sql?sql=SELECT%20time,%20duration_ms%20FROM%20v_transactions%20LIMIT%2020".to_owned(),
            vec!["20 rows in", "<figure", "<circle", "format=csv"],
        ),
        (
            "/insights".to_owned(),
            vec!["gets slower as people grows", "5× per request"],
        ),
    ] {
        let html = page(&path).await;
        for words in shown {
            // Marks within words, as <strong>, are not what is looked for.
            assert!(
                html.contains(words) || plain(&html).contains(words),
                "no {words} on {path}: {}",
                plain(&html)
            );
        }
    }
    // The table's SQL columns, for scripts.
    let table = format!("{}/api/v1/services/my-app-01/transactions", server.url());
    let table = client.json(&table).await;
    let sql = table["sql"].as_array().unwrap();
    let write = sql
        .iter()
        .find(|caller| caller["transaction"] == "GET /sql-write")
        .unwrap_or_else(|| panic!("{sql:#?}"));
    assert_eq!(
        (number(&write["calls"]), number(&write["most"])),
        (7.0, 7.0)
    );
    // Their share of the requests' time, whatever else these waited for.
    let groups = table["transactions"].as_array().unwrap();
    let group = groups
        .iter()
        .find(|group| group["name"] == "GET /sql-write");
    let share = number(&write["time"]) / number(&group.unwrap()["latency_avg"]);
    assert!(
        (number(&write["share"]) / share - 1.0).abs() < 0.5,
        "{share}: {write:#} {group:#?}"
    );
    // The SQL of each chart runs where its link leads.
    let html = page("/services/my-app-01/transactions").await;
    let links: Vec<&str> = html
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .filter(|href| href.starts_with("/sql?sql="))
        .collect();
    // A chart shows each statement that ran for it.
    assert!(links.len() >= 2, "latency and throughput: {links:?}");
    for link in links {
        let html = page(&link.replace("&amp;", "&")).await;
        assert!(
            [" row in ", " rows in "]
                .iter()
                .any(|words| plain(&html).contains(words)),
            "{link}: {}",
            plain(&html)
        );
    }
}

/// The text of a page.
fn plain(html: &str) -> String {
    html.split('<')
        .filter_map(|tag| tag.split_once('>'))
        .map(|(_, text)| text)
        .collect()
}

/// `pocket-apm check`, of the running server and of its file.
fn the_gate_breaks_at_the_same(dir: &Path, server: &apm_server::Running) {
    let (url, file) = (server.url(), dir.join("apm.db"));
    for of in [
        ["--server", &*url],
        ["--apm-database", file.to_str().unwrap()],
    ] {
        let check = |bounds: &[&str]| {
            let done = std::process::Command::new(env!("CARGO_BIN_EXE_pocket-apm"))
                .current_dir(dir)
                .arg("check")
                .args(of)
                .args(bounds)
                .output()
                .unwrap();
            let (out, err) = (
                String::from_utf8(done.stdout).unwrap(),
                String::from_utf8(done.stderr).unwrap(),
            );
            (done.status.code(), out, err)
        };
        let broken = [
            "--no-repeats",
            "--no-growth",
            "--max-statements-per-request",
            "6",
        ];
        let (code, out, err) = check(&broken);
        assert_eq!(code, Some(1), "{of:?}: {out}{err}");
        for words in [
            "FAILED  no-repeats",
            "GET /sql-write ran INSERT INTO",
            "FAILED  no-growth",
            "FAILED  max-statements-per-request",
            "ran 7 statements in one request",
        ] {
            assert!(out.contains(words), "{of:?}, no {words}: {out}{err}");
        }
        let (code, out, _) = check(&[&broken[..], &["--format", "json"]].concat());
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &report["passed"]), (Some(1), &json!(false)));
        assert_eq!(
            report["outcomes"].as_array().unwrap().len(),
            3,
            "{report:#}"
        );
        let (code, out, _) = check(&[&broken[..], &["--format", "junit"]].concat());
        assert!(
            code == Some(1) && out.contains("tests=\"3\" failures=\"3\""),
            "{out}"
        );

        let kept = [
            "--max-statements-per-request",
            "7",
            "--p95",
            "GET /sql-write<60s",
            "--only-service",
            "my-app-01",
        ];
        let (code, out, err) = check(&kept);
        assert_eq!(code, Some(0), "{of:?}: {out}{err}");
        assert_eq!(out.matches("ok    ").count(), 2, "{out}");
        for (bounds, words) in [
            (
                &["--p95", "GET /nowhere<1s"][..],
                "no request named GET /nowhere was seen",
            ),
            (
                &["--no-repeats", "--only-service", "nobody"],
                "no request was seen",
            ),
            (
                &["--no-growth", "--only-service", "nobody"],
                "no statement that reads a table was seen",
            ),
        ] {
            let (code, out, err) = check(bounds);
            assert_eq!(code, Some(2), "{of:?} {bounds:?}: {out}{err}");
            assert!(
                out.contains("NOT JUDGED  ") && out.contains(words),
                "{of:?} {bounds:?}: {out}"
            );
        }
        let (code, _, err) = check(&["--no-growth", "--since", "nothing-of-that-name"]);
        assert!(
            code == Some(2) && err.contains("nothing-of-that-name"),
            "{of:?}: {err}"
        );
        let (code, _, err) = check(&[]);
        assert!(
            code == Some(2) && err.contains("nothing to check"),
            "{of:?}: {err}"
        );
        let (code, out, _) = check(&["--no-repeats", "--only-service", "my-app-10"]);
        assert!(
            code == Some(2) && out.contains("no request of the service my-app-10 was seen"),
            "{of:?}: {out}"
        );
    }
}

/// Whether commits take most of `/sql-write` depends on the disk: the finding says so exactly where the spans do.
async fn commits_are_told_where_they_take_most(
    client: &Client,
    server: &apm_server::Running,
    round: &impl AsyncFn(),
) {
    let statement = "SELECT%20verb,%20sum(total_ms)%20AS%20total,%20sum(calls)%20AS%20calls%20\
                     FROM%20v_statements%20WHERE%20\
                     verb%20IN%20('INSERT','COMMIT')%20GROUP%20BY%20verb%20ORDER%20BY%20verb";
    let spans = client
        .json(&format!("{}/api/v1/sql?sql={statement}", server.url()))
        .await;
    let (commit, insert) = (&spans["rows"][0], &spans["rows"][1]);
    assert_eq!(
        (text(&commit[0]), text(&insert[0])),
        ("COMMIT", "INSERT"),
        "{spans:#}"
    );
    let share = number(&commit[1]) / (number(&commit[1]) + number(&insert[1]));
    let mean = 1_000.0 * number(&commit[1]) / number(&commit[2]);
    let found = client.findings(server).await;
    let told = found.iter().find(|finding| finding["kind"] == "commit");
    // Close to the bounds (half, and 100 µs) either is right.
    if share > 0.55 && mean > 120.0 {
        let told = client
            .until(server, ("commit", "GET /sql-write"), |_| true, round)
            .await;
        assert!(text(&told["cause"]).contains("A COMMIT takes"), "{told:#}");
    } else if share < 0.45 || mean < 80.0 {
        assert_eq!(told, None, "{share} {mean} µs");
    }
}
