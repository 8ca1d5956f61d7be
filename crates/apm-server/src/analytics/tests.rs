//! Every question runs on an empty database, in the shell's form too, and its plan
//! finds rows by index.

use apm_store::MIGRATIONS;
use apm_time::Range;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;
use rusqlite::StatementStatus;

use super::instances::{self, Servers};
use super::sql::Sql;
use super::window::Window;
use super::{
    Scope, breakdown, dependencies, distribution, error_group, errors, latency, metrics, services,
    statement, statements, throughput, trace, transactions,
};

/// Tables of which there are as many rows as there were events, by the aliases of the `.sql` files.
const RAW: [&str; 11] = [
    "tx",
    "span",
    "span_row",
    "error",
    "log",
    "metricset",
    "metric_sample",
    "t",
    "p",
    "e",
    "m",
];

const TRACE: &str = "00000000000000000000000000000001";

pub(crate) fn empty() -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    conn.run_pending_migrations(MIGRATIONS).unwrap();
    conn
}

pub(crate) fn window() -> Window {
    let to = 1_773_844_512_345_678;
    Window::new(
        Range {
            from: to - 86_400_000_000,
            to,
        },
        to,
    )
}

fn scope() -> Scope {
    Scope {
        service: Some("it's".to_owned()),
        ..Scope::default()
    }
}

/// Every query text with its values.
fn questions() -> Vec<(&'static str, Sql)> {
    let (scope, window) = (scope(), window());
    let other = |text| {
        window
            .bind(scope.bind(Sql::new(text)))
            .bind("key", 1)
            .bind("fingerprint", 1)
            .bind("dependency", None::<i64>)
            .bind("by_service", 1)
            .bind("group", 1)
            .bind("since", 0)
            .bind("min_us", 0)
            .bind("max_us", 1)
            .bind("limit", 1)
            .bind("ids", "[1]")
            .bind("level", 60)
    };
    vec![
        ("services/exact", other(include_str!("services/exact.sql"))),
        (
            "transactions/exact",
            other(include_str!("transactions/exact.sql")),
        ),
        (
            "services/members",
            other(include_str!("services/members.sql")),
        ),
        ("services/known", other(include_str!("services/known.sql"))),
        (
            "services/statements",
            other(include_str!("services/statements.sql")),
        ),
        (
            "transactions/types",
            other(include_str!("transactions/types.sql")),
        ),
        (
            "statements/texts",
            other(include_str!("statements/texts.sql")),
        ),
        (
            "dependencies/kinds",
            other(include_str!("dependencies/kinds.sql")),
        ),
        (
            "totals/transactions",
            other(include_str!("totals/transactions.sql")),
        ),
        (
            "totals/statements",
            other(include_str!("totals/statements.sql")),
        ),
        (
            "totals/destinations",
            other(include_str!("totals/destinations.sql")),
        ),
        ("samples/group", other(include_str!("samples/group.sql"))),
        (
            "statement/newest",
            other(include_str!("statement/newest.sql"))
                .bind("min", 0)
                .bind("max", i64::MAX),
        ),
        (
            "transactions/members",
            other(include_str!("transactions/members.sql")),
        ),
        (
            "latency/members",
            other(include_str!("latency/members.sql")),
        ),
        (
            "statements/members",
            other(include_str!("statements/members.sql")),
        ),
        (
            "dependencies/members",
            other(include_str!("dependencies/members.sql")),
        ),
        ("latency/exact", other(include_str!("latency/exact.sql"))),
        (
            "errors",
            errors::picked_sql(
                &scope,
                errors::Which {
                    key: Some(1),
                    status: None,
                },
                &window,
                (&errors::Pick::default(), None),
            ),
        ),
        (
            "errors/short",
            errors::short_sql(&scope, errors::Which::default(), &window),
        ),
        (
            "errors/series",
            errors::series_sql(&scope, errors::Which::default(), &window),
        ),
        (
            "error_group/samples",
            other(include_str!("error_group/samples.sql")),
        ),
        (
            "error_group/transactions",
            other(include_str!("error_group/transactions.sql")),
        ),
        (
            "metrics/one",
            metrics::sql(&scope, "system.memory.total", &window),
        ),
        (
            "metrics/memory",
            metrics::memory_sql(&scope, &window, Servers::This),
        ),
        (
            "instances/memory",
            metrics::memory_sql(&scope, &window, Servers::All),
        ),
        (
            "metrics/instances_of_all",
            metrics::instances_of_all_sql(&scope, &window),
        ),
        ("instances/sums", instances::sums_sql(&scope, &window)),
        ("instances/bins", instances::bins_sql(&scope, &window)),
        (
            "metrics/listed",
            other(include_str!("metrics/listed.sql"))
                .bind("id", 1)
                .bind("owner", 1)
                .bind("after", "")
                .bind("limit", 10),
        ),
        (
            "metrics/there",
            other(include_str!("metrics/there.sql"))
                .bind("id", 1)
                .bind("owner", 1)
                .bind("names", "[\"a\"]"),
        ),
        (
            "metrics/series",
            other(include_str!("metrics/series.sql"))
                .bind("metric", "a")
                .bind("most", 1),
        ),
        (
            "metrics/cells",
            other(include_str!("metrics/cells.sql")).bind("ids", "[1]"),
        ),
        (
            "metrics/bars",
            other(include_str!("metrics/bars.sql")).bind("ids", "[1]"),
        ),
        (
            "metrics/services",
            other(include_str!("metrics/services.sql")),
        ),
        (
            "statements/by_text",
            statements::by_text_sql(&scope, &window),
        ),
        ("statement/short", statement::short::sql(&[1], &window)),
        (
            "statement/histogram",
            statement::distribution_sql(&scope, 1, &window),
        ),
        ("breakdown", breakdown::sql(&scope, &window)),
        (
            "distribution/exact",
            distribution::sql(&scope, &window, true),
        ),
        (
            "distribution/histogram",
            distribution::sql(&scope, &window, false),
        ),
        ("trace/transactions", trace::read::transactions_sql(TRACE)),
        ("trace/spans", trace::read::spans_sql(TRACE)),
        ("trace/sent", trace::read::sent_sql(TRACE)),
        ("trace/places", trace::read::places_sql(TRACE)),
        ("trace/errors", trace::read::errors_sql(TRACE)),
        ("trace/logs", trace::read::logs_sql(TRACE)),
    ]
}

#[test]
fn no_list_scans_the_rows_of_events() {
    let mut conn = empty();
    for (name, sql) in questions() {
        let plan = sql
            .plan(&mut conn)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!plan.is_empty());
        for step in &plan {
            // An automatic index is made anew for each query, from all rows.
            let scanned = step.strip_prefix("SCAN ").or_else(|| {
                let searched = step.strip_prefix("SEARCH ")?;
                searched.contains(" AUTOMATIC ").then_some(searched)
            });
            let table = scanned.and_then(|rest| rest.split(' ').next());
            let is_scan = table.is_some_and(|table| {
                RAW.contains(&table) || table.starts_with("roll_") || table == "r"
            });
            assert!(!is_scan, "{name}: {plan:#?}");
        }
    }
}

#[test]
fn names_of_metrics_are_read_in_the_order_of_their_index() {
    let mut conn = empty();
    let questions = questions();
    let (_, listed) = questions
        .iter()
        .find(|(name, _)| *name == "metrics/listed")
        .expect("it is asked");
    let plan = listed.plan(&mut conn).expect("a plan");
    // A sort would hold every name of the service for a page of them.
    assert!(
        !plan.iter().any(|step| step.contains("TEMP B-TREE")),
        "{plan:#?}"
    );
}

#[test]
fn every_query_runs_as_it_is_shown() {
    let mut conn = empty();
    for (name, sql) in questions() {
        let shown = sql.shell();
        diesel::sql_query(&shown)
            .execute(&mut conn)
            .unwrap_or_else(|error| panic!("{name}: {error}\n{shown}"));
    }
}

#[test]
fn an_empty_database_has_an_answer_to_everything() {
    let mut conn = empty();
    let (scope, window) = (scope(), window());
    let conn = &mut conn;
    assert!(
        services::list(conn, &scope, &window)
            .unwrap()
            .services
            .is_empty()
    );
    assert!(
        transactions::list(conn, &scope, &window)
            .unwrap()
            .transactions
            .is_empty()
    );
    assert!(
        transactions::types(conn, &scope, &window)
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        latency::chart(conn, &scope, &window).unwrap().total.avg,
        None
    );
    assert!(
        throughput::chart(conn, &scope, &window)
            .unwrap()
            .results
            .is_empty()
    );
    assert!(
        errors::list(conn, &scope, None, &window)
            .unwrap()
            .errors
            .is_empty()
    );
    assert_eq!(
        error_group::detail(conn, &scope, 1, &window).unwrap().group,
        None
    );
    assert!(
        metrics::page(conn, &scope, &window, ("", Servers::This))
            .unwrap()
            .names
            .is_empty()
    );
    let choice = dependencies::Choice::default();
    assert!(
        dependencies::list(conn, &scope, &choice, &window)
            .unwrap()
            .dependencies
            .is_empty()
    );
    assert!(
        statements::list(conn, &scope, &window)
            .unwrap()
            .statements
            .is_empty()
    );
}

/// SQLite prepares a statement anew where it looked at a value while planning and the value is bound again. It looks at
/// a bare `LIMIT :most`, and not at `LIMIT +:most`.
#[test]
fn no_statement_is_prepared_anew_for_other_values() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.db");
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    conn.run_pending_migrations(MIGRATIONS).unwrap();
    drop(conn);
    let conn = rusqlite::Connection::open(&path).unwrap();
    let run_twice = |text: &str| {
        let mut statement = conn.prepare(text).unwrap();
        for value in [1, 2] {
            for at in 1..=statement.parameter_count() {
                statement.raw_bind_parameter(at, value).unwrap();
            }
            // Some values are texts of JSON: what is asked with a number in their place does not matter.
            let _ = statement.raw_query().next();
        }
        statement.get_status(StatementStatus::RePrepare)
    };
    for (name, sql) in questions() {
        assert_eq!(run_twice(sql.text()), 0, "{name}");
    }
    assert!(run_twice("SELECT id FROM block LIMIT :most") > 0);
    assert_eq!(run_twice("SELECT id FROM block LIMIT +:most"), 0);
}
