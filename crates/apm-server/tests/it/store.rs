//! The store on a real file.

#[cfg(unix)]
mod access;
mod damage;
mod faults;
mod full;
mod keep;
mod kill;
mod kill_otlp;
mod limits;
mod log;
#[cfg(unix)]
mod lost;
mod names;
mod retention;
mod rollups;
mod round_trip;
mod same_hash;
mod schema;
mod shared_ids;
mod tail;
mod upgrade;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use apm_store::event::Batch;
use apm_store::{NameLimits, OpenError, Store, StoreError, StoreOptions};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// A store in a directory, without limits of age, size and names.
///
/// A process that another test starts holds the lock of a store that was just closed until its program begins.
pub(crate) fn open(dir: &Path) -> Store {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match Store::open(options(dir)) {
            Err(OpenError::InUse { .. }) if Instant::now() < deadline => std::thread::yield_now(),
            opened => return opened.expect("opens"),
        }
    }
}

/// The options of [`open`].
pub(crate) fn options(dir: &Path) -> StoreOptions {
    StoreOptions {
        max_size: None,
        raw_max_age: None,
        rollup_max_age: None,
        names: NameLimits::new(0),
        keep: 0,
        ..StoreOptions::new(dir.join("apm.db"))
    }
}

/// The row of [`number`].
#[derive(QueryableByName)]
pub(crate) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(crate) n: i64,
}

/// A number that a query answers as `n`.
pub(crate) fn number(store: &Store, sql: &str) -> i64 {
    store
        .read::<_, StoreError>(|conn| Ok(diesel::sql_query(sql).get_result::<Number>(conn)?.n))
        .expect(sql)
}

/// Stores a batch.
#[track_caller]
fn submit(store: &Store, batch: Batch) {
    store.submit(batch).expect("room").wait().expect("stored");
}

/// Waits until a condition holds; fails after a minute.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "still not: {what}");
        std::thread::yield_now();
    }
}

/// A process that runs one ignored test of this binary; its parent reads what it prints, and kills it.
fn child(test: &str) -> Command {
    let mut command = test_support::command(test);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Tells the parent of a [`child`] that something is stored. Each line is one write, so that it comes as a whole.
fn acknowledge(stored: &str) {
    let line = format!("ack {stored}\n");
    let written = std::io::stdout().write_all(line.as_bytes());
    written.expect("a parent");
}

/// Runs a child and kills it after the line that `is_last` says yes to. Returns the lines that it printed after that.
fn kill_after(child: &mut Command, mut is_last: impl FnMut(&str) -> bool) -> Vec<String> {
    let mut child = child.spawn().expect("a child");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    while !is_last(&lines.next().expect("the child lives").expect("text")) {}
    child.kill().expect("killed");
    let rest = lines.map(|line| line.expect("text")).collect();
    child.wait().expect("gone");
    rest
}
