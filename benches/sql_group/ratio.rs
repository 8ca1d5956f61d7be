//! Two ways to do the same, turn by turn: what else the machine does meets both alike.
#![expect(
    clippy::print_stdout,
    reason = "the ratios are what the bench is run for"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use actix_web::rt::System;
use actix_web::test::{TestRequest, call_and_read_body};
use pocket_apm::strategy::{Strategy, count_by_city};

use super::table::{self, Table};

const MIN_TURNS: usize = 15;
const MAX_TURNS: usize = 2_000;
const TIME: Duration = Duration::from_secs(1);

/// A comparison: its name, the rows, and the medians of both in milliseconds.
pub(crate) struct Ratio {
    name: String,
    rows: u64,
    one: f64,
    other: f64,
}

/// Diesel's counts beside SQLite's own, on the same file.
pub(crate) fn counts(tables: &[Table]) -> Vec<Ratio> {
    let ratio = |table: &Table| {
        let sqlite = table.sqlite();
        let mut statement = sqlite.prepare(table.sql()).expect("the counts' SQL");
        let mut conn = table.database.conn().expect("a connection");
        let (one, other) = turns(
            || drop(black_box(table::counts(&mut statement))),
            || drop(black_box(count_by_city(&mut conn, table.strategy))),
        );
        Ratio {
            name: format!("{}: Diesel / SQLite", table.name()),
            rows: table.rows,
            one,
            other,
        }
    };
    tables.iter().map(ratio).collect()
}

/// The rollup's counts at each size beside the same at the smallest.
pub(crate) fn flatness(tables: &[Table]) -> Vec<Ratio> {
    let rollups = tables
        .iter()
        .filter(|table| table.strategy == Strategy::Rollup);
    let Some(smallest) = rollups.clone().next() else {
        return Vec::new();
    };
    let ratio = |table: &Table| {
        let mut few = smallest.database.conn().expect("a connection");
        let mut many = table.database.conn().expect("a connection");
        let (one, other) = turns(
            || drop(black_box(count_by_city(&mut few, Strategy::Rollup))),
            || drop(black_box(count_by_city(&mut many, Strategy::Rollup))),
        );
        Ratio {
            name: format!("rollup: this size / {}", smallest.rows),
            rows: table.rows,
            one,
            other,
        }
    };
    rollups.skip(1).map(ratio).collect()
}

/// A request to `/sql-write` with an index or triggers to keep, beside the same without.
pub(crate) fn writes(tables: &[Table]) -> Vec<Ratio> {
    let system = System::new();
    let plain = |rows| {
        let of = |table: &&Table| table.rows == rows && table.strategy == Strategy::Scan;
        tables.iter().find(of).expect("a scan of each size")
    };
    let kept = tables
        .iter()
        .filter(|table| table.strategy != Strategy::Scan);
    let ratio = |table: &Table| {
        let (without, with) = (plain(table.rows).app(&system), table.app(&system));
        let request = || TestRequest::get().uri("/sql-write").to_request();
        let (one, other) = turns(
            || drop(system.block_on(call_and_read_body(&without, request()))),
            || drop(system.block_on(call_and_read_body(&with, request()))),
        );
        Ratio {
            name: format!("/sql-write: {} / scan", table.name()),
            rows: table.rows,
            one,
            other,
        }
    };
    kept.map(ratio).collect()
}

pub(crate) fn print(ratios: &[Ratio]) {
    println!(
        "\n{:<28} {:>9} {:>12} {:>12} {:>7}",
        "turn by turn", "rows", "ms", "ms", "ratio"
    );
    for Ratio {
        name,
        rows,
        one,
        other,
    } in ratios
    {
        let ratio = other / one;
        println!("{name:<28} {rows:>9} {other:>12.4} {one:>12.4} {ratio:>7.3}");
    }
}

/// The median time of each in milliseconds.
fn turns(mut one: impl FnMut(), mut other: impl FnMut()) -> (f64, f64) {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1000.0
    };
    let mut times = (Vec::new(), Vec::new());
    let start = Instant::now();
    while times.0.len() < MIN_TURNS || (start.elapsed() < TIME && times.0.len() < MAX_TURNS) {
        // The second one finds a warm cache: they swap places each turn.
        if times.0.len() % 2 == 0 {
            times.0.push(time(&mut one));
            times.1.push(time(&mut other));
        } else {
            times.1.push(time(&mut other));
            times.0.push(time(&mut one));
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_unstable_by(f64::total_cmp);
        times[times.len() / 2]
    };
    (median(times.0), median(times.1))
}
