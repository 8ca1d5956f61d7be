//! What the SQL of real services does, told unasked: the article's service and its repair, and a service without faults.

use std::path::Path;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, Path as Segment, get};
use actix_web::{App, HttpResponse, HttpServer};
use apm_agent::Agent;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_query;
use diesel::sql_types::Integer;
use serde_json::{Value, json};

use crate::support::start_service;

/// A finding appears within this time of its cause.
const SOON: Duration = Duration::from_secs(120);

/// The article's loop, one round of it.
const LOOP: [&str; 14] = [
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

/// An APM server that may ask the service's file for plans.
fn start_server(dir: &Path, service: &str) -> apm_server::Running {
    let mut config = apm_server::Config::default();
    config.listen = "127.0.0.1:0".to_owned();
    config.database = dir.join("apm.db");
    config.explain = vec![(service.to_owned(), dir.join("people.db"))];
    apm_server::Server::start(config).unwrap()
}

/// An agent with what the demo sets, but for how soon it sends.
fn start_agent(service: &str, server: &apm_server::Running) -> Agent {
    Agent::builder()
        .service_name(service)
        .option("api_request_time", "100ms")
        .option("span_compression_enabled", "false")
        .option("metrics_interval", "10s")
        .server_url(server.url())
        .start()
}

/// A client that keeps its connection.
struct Client(awc::Client);

impl Client {
    fn new() -> Self {
        Self(awc::Client::builder().timeout(SOON).finish())
    }

    async fn get(&self, url: &str) -> Vec<u8> {
        let mut answer = self.0.get(url).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{url}");
        answer
            .body()
            .limit(16 * 1024 * 1024)
            .await
            .unwrap()
            .to_vec()
    }

    async fn json(&self, url: &str) -> Value {
        serde_json::from_slice(&self.get(url).await).unwrap()
    }

    /// All findings, ended ones too.
    async fn findings(&self, server: &apm_server::Running) -> Vec<Value> {
        let found = self
            .json(&format!("{}/api/v1/insights?ended=1", server.url()))
            .await;
        found["insights"].as_array().unwrap().clone()
    }

    /// The finding of a kind about a transaction, once `done` says so; `work` goes on until then.
    async fn until(
        &self,
        server: &apm_server::Running,
        (kind, about): (&str, &str),
        done: impl Fn(&Value) -> bool,
        mut work: impl AsyncFnMut(),
    ) -> Value {
        let start = Instant::now();
        loop {
            let found = self.findings(server).await;
            let hit = found.iter().find(|finding| {
                finding["kind"] == kind && text(&finding["title"]).contains(about) && done(finding)
            });
            if let Some(hit) = hit {
                return hit.clone();
            }
            assert!(
                start.elapsed() < SOON,
                "no {kind} of {about} as expected in {found:#?}"
            );
            work().await;
            actix_web::rt::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

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

/// What stands on the pages, without a script.
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
            vec!["SQL/request", "A request with 7 statements, the most"],
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
            ],
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
    // The SQL of each chart runs where its link leads.
    let html = page("/services/my-app-01/transactions").await;
    let links: Vec<&str> = html
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .filter(|href| href.starts_with("/sql?sql="))
        .collect();
    assert_eq!(links.len(), 2, "latency and throughput");
    for link in links {
        let html = page(&link.replace("&amp;", "&")).await;
        assert!(
            plain(&html).contains(" rows in "),
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
        let (code, _, err) = check(&["--no-growth", "--since", "nothing-of-that-name"]);
        assert!(
            code == Some(1) && err.contains("nothing-of-that-name"),
            "{of:?}: {err}"
        );
        let (code, _, err) = check(&[]);
        assert!(
            code == Some(1) && err.contains("nothing to check"),
            "{of:?}: {err}"
        );
    }
}

/// Whether commits take most of `/sql-write` depends on the disk: the finding says so exactly where the spans do.
async fn commits_are_told_where_they_take_most(
    client: &Client,
    server: &apm_server::Running,
    round: &impl AsyncFn(),
) {
    let statement = "SELECT%20verb,%20sum(total_ms)%20AS%20total,%20sum(calls)%20AS%20calls%20FROM%20v_statements%20WHERE%20\
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

type Connections = Pool<ConnectionManager<SqliteConnection>>;

/// Runs what a handler does on the blocking pool.
async fn run(
    pool: Data<Connections>,
    work: impl FnOnce(&mut SqliteConnection) -> QueryResult<usize> + Send + 'static,
) -> HttpResponse {
    let done = apm_agent::web::block(move || work(&mut pool.get().unwrap()).unwrap()).await;
    HttpResponse::Ok().body(done.unwrap().to_string())
}

fn execute(conn: &mut SqliteConnection, sql: &str, id: i32) -> QueryResult<usize> {
    sql_query(sql).bind::<Integer, _>(id).execute(conn)
}

async fn person(pool: Data<Connections>, id: Segment<i32>) -> HttpResponse {
    run(pool, move |conn| {
        execute(conn, "SELECT name, city FROM people WHERE id = ?", *id)
    })
    .await
}

async fn visits(pool: Data<Connections>, id: Segment<i32>) -> HttpResponse {
    run(pool, move |conn| {
        execute(
            conn,
            "SELECT at FROM visit WHERE person_id = ? ORDER BY at DESC LIMIT 20",
            *id,
        )
    })
    .await
}

async fn visit(pool: Data<Connections>, id: Segment<i32>) -> HttpResponse {
    run(pool, move |conn| {
        execute(conn, "INSERT INTO visit (person_id, at) VALUES (?, 1)", *id)?;
        execute(conn, "UPDATE people SET seen = seen + 1 WHERE id = ?", *id)
    })
    .await
}

async fn forget(pool: Data<Connections>) -> HttpResponse {
    run(pool, |conn| sql_query("DELETE FROM visit").execute(conn)).await
}

/// The same question six times, and a question for each of six people.
async fn loops(pool: Data<Connections>) -> HttpResponse {
    run(pool, |conn| {
        for _ in 0..6 {
            execute(conn, "SELECT seen FROM people WHERE id = ?", 7)?;
        }
        for id in 1..=6 {
            execute(conn, "SELECT count(*) FROM visit WHERE person_id = ?", id)?;
        }
        Ok(12)
    })
    .await
}

/// A service of ours on a small database, watched.
struct Visits {
    url: String,
    server: apm_server::Running,
    agent: Agent,
    handle: ServerHandle,
    _dir: tempfile::TempDir,
}

impl Visits {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("people.db").to_str().unwrap().to_owned();
        let tables = "
            PRAGMA journal_mode = WAL;
            CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, city TEXT, seen INTEGER NOT NULL DEFAULT 0);
            CREATE TABLE visit (id INTEGER PRIMARY KEY, person_id INTEGER, at INTEGER);
            CREATE INDEX visit_person ON visit (person_id, at);
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
            INSERT INTO people SELECT i, 'person ' || i, 'city ' || (i % 9), 0 FROM n;
            INSERT INTO visit (person_id, at) SELECT a.id, b.id FROM people a JOIN people b ON b.id <= 30;";
        SqliteConnection::establish(&file)
            .unwrap()
            .batch_execute(tables)
            .unwrap();
        let server = start_server(dir.path(), "visits");
        let agent = start_agent("visits", &server);
        let pool = Pool::builder()
            .max_size(2)
            .test_on_check_out(false)
            .connection_customizer(Box::new(agent.diesel(&*file)))
            .build(ConnectionManager::<SqliteConnection>::new(&*file))
            .unwrap();
        let (data, watched) = (Data::new(pool), agent.clone());
        let service = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/people/{id}", get().to(person))
                .route("/visits/{id}", get().to(visits))
                .route("/visit/{id}", get().to(visit))
                .route("/forget", get().to(forget))
                .route("/loops", get().to(loops))
                .wrap(watched.middleware())
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let url = format!("http://{}", service.addrs()[0]);
        let service = service.run();
        let handle = service.handle();
        actix_web::rt::spawn(service);
        Self {
            url,
            server,
            agent,
            handle,
            _dir: dir,
        }
    }

    async fn stop(self) {
        self.handle.stop(true).await;
        assert!(self.agent.shutdown(SOON));
        self.server.stop(true).await;
    }
}

#[actix_web::test]
async fn a_service_whose_statements_are_varied_indexed_and_not_repeated_is_left_alone() {
    let (app, client) = (Visits::start(), Client::new());
    for number in 0..600 {
        for path in ["people", "visits", "visit"] {
            let url = format!("{}/{path}/{}", app.url, 1 + number * 7 % 500);
            client.get(&url).await;
        }
    }
    // It has been looked at for certain once a fault of the same service is told.
    client.get(&format!("{}/forget", app.url)).await;
    let about = ("no_where", "DELETE FROM visit");
    let fault = client
        .until(&app.server, about, |_| true, async || {})
        .await;
    let found = client.findings(&app.server).await;
    assert_eq!(found, [fault], "{found:#?}");
    app.stop().await;
}

#[actix_web::test]
async fn the_same_question_asked_again_is_told_from_a_question_for_each_row() {
    let (app, client) = (Visits::start(), Client::new());
    for _ in 0..5 {
        client.get(&format!("{}/loops", app.url)).await;
    }
    for (table, words) in [
        ("SELECT FROM people 6×", "with the same values each time"),
        (
            "SELECT FROM visit 6×",
            "once per row of an earlier query (N+1)",
        ),
    ] {
        let repeat = client
            .until(&app.server, ("repeat", table), |_| true, async || {})
            .await;
        assert!(text(&repeat["title"]).contains(words), "{repeat:#}");
    }
    app.stop().await;
}
