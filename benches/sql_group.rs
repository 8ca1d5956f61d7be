//! How `/sql-group` grows with the table, for each of its strategies, and what each asks of `/sql-write`.
//!
//! ```sh
//! cargo bench --bench sql_group                                  # up to 100 000 rows
//! POCKET_APM_BENCH_ROWS=5000000 cargo bench --bench sql_group    # up to 5 M rows
//! ```
//!
//! Groups: `sqlite` (SQLite's own time, through its C interface, on the same file), `diesel` (the service's query), `route` (the whole route without a
//! network), `write` (`/sql-write`'s transaction) and `read` (`/sql-read`'s query, up to 100 000 rows). After the groups, the growth of
//! each is fitted to the medians and printed: milliseconds per 1000 rows, and R².

use std::hint::black_box;
use std::time::Duration;

use actix_web::{App, test};
use criterion::{BenchmarkId, Criterion, Throughput};
use diesel::SqliteConnection;
use pocket_apm::people;
use pocket_apm::routes::{State, configure};
use pocket_apm::strategy::{Strategy, count_by_city};

use self::table::Table;

#[path = "sql_group/fit.rs"]
mod fit;
#[path = "sql_group/table.rs"]
mod table;

const STRATEGIES: [(&str, Strategy); 3] = [
    ("scan", Strategy::Scan),
    ("index", Strategy::Index),
    ("rollup", Strategy::Rollup),
];
const SIZES: [u64; 5] = [1_000, 10_000, 100_000, 1_000_000, 5_000_000];
const DEFAULT_MAX_ROWS: u64 = 100_000;
/// Reading every row is linear in any strategy: larger tables would only repeat it.
const MAX_READ_ROWS: u64 = 100_000;

fn main() {
    let max_rows = match std::env::var("POCKET_APM_BENCH_ROWS") {
        Ok(rows) => rows
            .parse()
            .expect("POCKET_APM_BENCH_ROWS is a number of rows, as 5000000"),
        Err(_) => DEFAULT_MAX_ROWS,
    };
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    for rows in SIZES.into_iter().filter(|rows| *rows <= max_rows) {
        for (name, strategy) in STRATEGIES {
            let table = Table::with(rows, strategy);
            group(&mut criterion, &table, name, rows, strategy);
            write(&mut criterion, &table, name, rows);
        }
        if rows <= MAX_READ_ROWS {
            read(&mut criterion, rows);
        }
    }
    criterion.final_summary();
    fit::print(max_rows);
}

/// The counts: by SQLite alone, by Diesel, and by the route.
fn group(criterion: &mut Criterion, table: &Table, name: &str, rows: u64, strategy: Strategy) {
    let sql = match strategy {
        Strategy::Scan | Strategy::Index => "SELECT count(*), city FROM people GROUP BY city",
        Strategy::Rollup => "SELECT num, city FROM city_counts WHERE num > 0",
    };
    let sqlite = table.sqlite();
    let mut statement = sqlite.prepare(sql).expect("the counts' SQL is valid");
    bench(criterion, "sqlite", name, rows, || {
        let counts = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("no parameters");
        counts
            .collect::<Result<Vec<(i64, String)>, _>>()
            .expect("the counts")
    });

    let mut conn = table.database.conn().expect("a connection");
    bench(criterion, "diesel", name, rows, || {
        count_by_city(&mut conn, strategy).expect("the counts")
    });
    drop(conn);

    let system = actix_web::rt::System::new();
    let state = State {
        database: table.database.clone(),
        upstream_url: String::new(),
        sql_group: strategy,
    };
    let app = system.block_on(test::init_service(
        App::new().configure(|config| configure(config, &state)),
    ));
    bench(criterion, "route", name, rows, || {
        let request = test::TestRequest::get().uri("/sql-group").to_request();
        system.block_on(test::call_and_read_body(&app, request))
    });
}

/// Five INSERTs and a COMMIT, on a table of about `rows` rows.
fn write(criterion: &mut Criterion, table: &Table, name: &str, rows: u64) {
    let mut conn = table.database.conn().expect("a connection");
    bench(criterion, "write", name, rows, || {
        people::write(&mut conn).expect("five people")
    });
}

/// Every row, deserialised.
fn read(criterion: &mut Criterion, rows: u64) {
    let table = Table::with(rows, Strategy::Scan);
    let mut conn: diesel::r2d2::PooledConnection<
        diesel::r2d2::ConnectionManager<SqliteConnection>,
    > = table.database.conn().expect("a connection");
    bench(criterion, "read", "scan", rows, || {
        people::read_all(&mut conn).expect("the rows")
    });
}

fn bench<T>(
    criterion: &mut Criterion,
    group: &str,
    strategy: &str,
    rows: u64,
    mut run: impl FnMut() -> T,
) {
    let mut group = criterion.benchmark_group(format!("{group}_{strategy}"));
    group.throughput(Throughput::Elements(rows));
    group.bench_function(BenchmarkId::from_parameter(rows), |bencher| {
        bencher.iter(|| black_box(run()))
    });
    group.finish();
}
