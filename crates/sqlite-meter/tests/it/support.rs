//! A connection whose statements are recorded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::SqliteConnection;
use diesel::connection::{Connection as _, InstrumentationEvent, SimpleConnection as _};
use sqlite_meter::{Counters, Finished, Metered, Options, Switch, instrument};

/// The reports, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reports(Arc<Mutex<Vec<(String, Counters)>>>);

impl Reports {
    fn lock(&self) -> MutexGuard<'_, Vec<(String, Counters)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was reported so far.
    pub(crate) fn take(&self) -> Vec<(String, Counters)> {
        std::mem::take(&mut self.lock())
    }

    /// Takes the one statement that was reported.
    pub(crate) fn one(&self) -> Counters {
        let reports = self.take();
        assert_eq!(reports.len(), 1, "{reports:?}");
        reports[0].1
    }

    /// Adds a report.
    pub(crate) fn add(&self, sql: impl Into<String>, counters: Counters) {
        self.lock().push((sql.into(), counters));
    }

    pub(crate) fn attach(&self, connection: &mut SqliteConnection) {
        let reports = self.clone();
        sqlite_meter::attach(connection, Options::default(), move |finished| {
            reports.add(finished.sql(), *finished.counters());
        })
        .expect("attached");
    }
}

/// A connection to a database in memory that was made by some SQL, and what it reports.
pub(crate) fn measured(made: &str) -> (SqliteConnection, Reports) {
    sqlite_meter::install().expect("installed");
    let mut connection = SqliteConnection::establish(":memory:").expect("a connection");
    connection.batch_execute(made).expect("made");
    let reports = Reports::default();
    reports.attach(&mut connection);
    (connection, reports)
}

/// Wants reports, or not, and keeps them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    wanted: Arc<AtomicBool>,
    reports: Reports,
}

impl Wanted {
    pub(crate) fn set(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::SeqCst);
    }
}

impl Metered for Wanted {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>, reports: Switch<'_>) {
        if let InstrumentationEvent::StartQuery { .. } = event {
            reports.set(self.wanted.load(Ordering::SeqCst));
        }
    }

    fn on_finished(&mut self, finished: &Finished<'_>) {
        self.reports.add(finished.sql(), *finished.counters());
    }
}

/// A connection to a database that was made by some SQL, its reports, and the switch of these, which is on.
pub(crate) fn switched(made: &str) -> (SqliteConnection, Reports, Wanted) {
    sqlite_meter::install().expect("installed");
    let mut connection = SqliteConnection::establish(":memory:").expect("a connection");
    connection.batch_execute(made).expect("made");
    let wanted = Wanted::default();
    wanted.set(true);
    let own = wanted.clone();
    instrument(&mut connection, Options::default(), || own).expect("attached");
    (connection, wanted.reports.clone(), wanted)
}

/// A table of people, as many as wanted.
pub(crate) fn people(rows: u32) -> String {
    format!(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER NOT NULL, city TEXT NOT NULL);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {rows})
         INSERT INTO people (name, age, city) SELECT 'name' || i, i % 90, 'city' || (i % 9) FROM n;"
    )
}

/// Runs a statement and reads all its rows. Diesel's `execute` reads one.
pub(crate) fn run(
    connection: &mut SqliteConnection,
    sql: &str,
) -> Result<(), diesel::result::Error> {
    connection.batch_execute(sql)
}
