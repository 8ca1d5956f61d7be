//! The growth of `/sql-group` with the table, for each strategy, and the cost of each for `/sql-write`.
//!
//! ```sh
//! cargo bench --bench sql_group                                  # up to 100 000 rows
//! POCKET_APM_BENCH_ROWS=5000000 cargo bench --bench sql_group    # up to 5 M rows; about 2 GB of temporary files
//! ```
//!
//! Groups: `sql_group_sqlite` (SQLite's own time, through its C interface, on the same file), `sql_group_diesel` (the
//! service's query),
//! `sql_group_route` (the whole route without a network), `sql_write` (`/sql-write`'s transaction) and `sql_read`
//! (`/sql-read`'s query, up to 100 000 rows). Criterion draws each over the rows:
//! `target/criterion/sql_group_diesel/report/lines.svg`. After the groups, the growth of each is fitted to the medians
//! and printed: milliseconds per 1000 rows, and R². Beside that stand SQLite's own counts of one query on each table.
//! The ratios at the end compare two things turn by turn in the same seconds.

use std::hint::black_box;
use std::time::Duration;

use actix_web::rt::System;
use actix_web::test;
use clap::ValueEnum as _;
use criterion::measurement::WallTime;
use criterion::{AxisScale, BenchmarkGroup, BenchmarkId, Criterion, PlotConfiguration, Throughput};
use pocket_apm::people;
use pocket_apm::strategy::{Strategy, count_by_city};

use self::table::Table;

#[path = "sql_group/fit.rs"]
mod fit;
#[path = "sql_group/ratio.rs"]
mod ratio;
#[path = "sql_group/steps.rs"]
mod steps;
#[path = "sql_group/table.rs"]
mod table;

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
    let sizes = SIZES.into_iter().filter(|rows| *rows <= max_rows);
    let tables: Vec<Table> = sizes
        .flat_map(|rows| Strategy::value_variants().iter().map(move |of| (rows, *of)))
        .map(|(rows, strategy)| Table::with(rows, strategy))
        .collect();

    sqlite(&mut criterion, &tables);
    diesel(&mut criterion, &tables);
    route(&mut criterion, &tables);
    read(&mut criterion, &tables);
    let mut ratios = ratio::counts(&tables);
    ratios.extend(ratio::flatness(&tables));
    steps::print(&tables);
    // Last, as it adds rows.
    write(&mut criterion, &tables);
    criterion.final_summary();
    fit::print(max_rows);
    ratios.extend(ratio::writes(&tables));
    ratio::print(&ratios);
}

/// The counts by SQLite alone.
fn sqlite(criterion: &mut Criterion, tables: &[Table]) {
    let mut group = group(criterion, "sql_group_sqlite");
    for table in tables {
        let sqlite = table.sqlite();
        let mut statement = sqlite.prepare(table.sql()).expect("the counts' SQL");
        bench(&mut group, table, || table::counts(&mut statement));
    }
    group.finish();
}

/// The counts by the service's query.
fn diesel(criterion: &mut Criterion, tables: &[Table]) {
    let mut group = group(criterion, "sql_group_diesel");
    for table in tables {
        let mut conn = table.database.conn().expect("a connection");
        bench(&mut group, table, || {
            count_by_city(&mut conn, table.strategy).expect("the counts")
        });
    }
    group.finish();
}

/// The counts by a request to `/sql-group`.
fn route(criterion: &mut Criterion, tables: &[Table]) {
    let system = System::new();
    let mut group = group(criterion, "sql_group_route");
    for table in tables {
        let app = table.app(&system);
        bench(&mut group, table, || {
            let request = test::TestRequest::get().uri("/sql-group").to_request();
            system.block_on(test::call_and_read_body(&app, request))
        });
    }
    group.finish();
}

/// Every row, deserialised.
fn read(criterion: &mut Criterion, tables: &[Table]) {
    let mut group = group(criterion, "sql_read");
    let small = |table: &&Table| table.strategy == Strategy::Scan && table.rows <= MAX_READ_ROWS;
    for table in tables.iter().filter(small) {
        let mut conn = table.database.conn().expect("a connection");
        bench(&mut group, table, || {
            people::read_all(&mut conn).expect("the rows")
        });
    }
    group.finish();
}

/// Five INSERTs and a COMMIT.
fn write(criterion: &mut Criterion, tables: &[Table]) {
    let mut group = group(criterion, "sql_write");
    for table in tables {
        let mut conn = table.database.conn().expect("a connection");
        bench(&mut group, table, || {
            people::write(&mut conn).expect("five people")
        });
    }
    group.finish();
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.plot_config(PlotConfiguration::default().summary_scale(AxisScale::Logarithmic));
    group
}

fn bench<T>(group: &mut BenchmarkGroup<'_, WallTime>, table: &Table, mut run: impl FnMut() -> T) {
    group.throughput(Throughput::Elements(table.rows));
    let id = BenchmarkId::new(table.name(), table.rows);
    group.bench_function(id, |bencher| bencher.iter(|| black_box(run())));
}
