//! A store with events of now, and receivers on this machine.

mod smtp;
mod web;

use std::sync::Arc;
use std::time::{Duration, Instant};

use apm_alerts::{AlertError, Alerts, Options, Overview};
use apm_store::event::{
    Batch, Cost, ErrorEvent, Event, Outcome, Resource, ServiceOverride, Span, Transaction,
};
use apm_store::{Store, StoreOptions};
use tempfile::TempDir;

pub(crate) use smtp::Mail;
pub(crate) use web::Hook;

/// Subjects that fire, and whose condition does not hold at the moment.
pub(crate) const CALM: &str = "SELECT count(*) AS n FROM alert_state WHERE calm IS NOT NULL";

/// The longest time that a test waits for something.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server's store and its alerts.
pub(crate) struct Server {
    pub(crate) store: Store,
    pub(crate) alerts: Alerts,
    pub(crate) dir: TempDir,
}

impl Server {
    /// Starts with options that look often and try again soon.
    pub(crate) fn start(options: Options) -> Self {
        Self::at(tempfile::tempdir().expect("a directory"), options)
    }

    /// Starts with the database of a directory.
    pub(crate) fn at(dir: TempDir, mut options: Options) -> Self {
        let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).expect("a store");
        options.look = Duration::from_millis(50);
        let alerts = Alerts::start(store.clone(), options).expect("threads");
        Self { store, alerts, dir }
    }

    /// Ends everything but the files.
    pub(crate) fn stop(self) -> TempDir {
        self.alerts.stop();
        self.store.close();
        self.dir
    }

    pub(crate) fn overview(&self) -> Overview {
        let read = self
            .store
            .read::<_, AlertError>(|conn| self.alerts.overview(conn));
        read.expect("an overview")
    }

    /// Waits until the overview is as it should be.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&Overview) -> bool) -> Overview {
        let began = Instant::now();
        loop {
            let overview = self.overview();
            if is_so(&overview) {
                return overview;
            }
            assert!(began.elapsed() < PATIENCE, "not yet {what}: {overview:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until every rule has been evaluated once.
    pub(crate) fn watched(&self) {
        let began = Instant::now();
        let count = "SELECT count(*) AS n FROM alert_watch";
        while self.number(count) < 9 {
            assert!(began.elapsed() < PATIENCE, "no rule was evaluated");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The number that a query answers with, as `n`.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Number {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            n: i64,
        }
        let read = self.store.read::<_, AlertError>(|conn| {
            use diesel::RunQueryDsl as _;
            Ok(diesel::sql_query(sql).get_result::<Number>(conn)?.n)
        });
        read.expect("a number")
    }

    /// Changes rows as the server or a person does.
    pub(crate) fn execute(&self, sql: &'static str) {
        let written = self.store.write(move |conn| {
            use diesel::RunQueryDsl as _;
            diesel::sql_query(sql).execute(conn)
        });
        written.expect("room").wait().expect("written");
    }

    /// Waits until something fires whose condition does not hold any more.
    pub(crate) fn calm(&self) {
        self.until("calm", |_| self.number(CALM) > 0);
    }

    /// Moves the moment back since when what fires is calm: a minute passes at once.
    pub(crate) fn a_minute_later(&self) {
        self.execute("UPDATE alert_state SET calm = calm - 60");
    }

    /// Stores events.
    pub(crate) fn store(&self, batch: Batch) {
        let ticket = self.store.submit(batch).expect("room");
        // Not on the thread of a runtime, which may not block.
        let stored = std::thread::spawn(move || ticket.wait()).join();
        stored.expect("no panic").expect("stored");
    }
}

/// µs since 1970.
pub(crate) fn now() -> i64 {
    apm_time::now()
}

/// An empty batch of a service.
pub(crate) fn batch(service: &str) -> Batch {
    let resource = Resource {
        service_name: service.to_owned(),
        environment: None,
        service_version: None,
        agent_name: "rust".to_owned(),
        agent_version: "1.0.0".to_owned(),
        language: None,
        client: None,
        document: format!(r#"{{"metadata":{{"service":{{"name":"{service}"}}}}}}"#),
    };
    Batch::new(Arc::new(resource), now())
}

/// Adds requests at a time. `duration`: µs.
pub(crate) fn requests(
    batch: &mut Batch,
    count: u64,
    (at, duration): (i64, i64),
    outcome: Outcome,
) {
    for number in 0..count {
        let id = at.unsigned_abs() ^ (number << 40) ^ duration.unsigned_abs();
        let event = Transaction {
            id: batch.keep_id(&format!("{id:016x}")),
            trace_id: batch.keep_id(&format!("{id:032x}")),
            parent_id: None,
            service: ServiceOverride::default(),
            timestamp: at,
            duration,
            name: Some(batch.keep("GET /cart")),
            kind: batch.keep("request"),
            result: None,
            outcome,
            sampled: true,
            sample_rate: Some(1.0),
            status: None,
            spans_started: 0,
            spans_dropped: None,
            dropped: 0..0,
            rest: batch.keep("{}"),
        };
        batch.events.push(Event::Transaction(event));
    }
}

/// Adds calls of a statement at a time. `duration`: µs.
pub(crate) fn calls(batch: &mut Batch, count: u64, when: (i64, i64)) {
    add_calls(batch, count, when, None);
}

/// The same, with the steps that SQLite took for each.
pub(crate) fn measured_calls(batch: &mut Batch, count: u64, when: (i64, i64), steps: i64) {
    let cost = Cost {
        steps,
        ..Cost::default()
    };
    add_calls(batch, count, when, Some(cost));
}

fn add_calls(batch: &mut Batch, count: u64, (at, duration): (i64, i64), cost: Option<Cost>) {
    for number in 0..count {
        let id = at.unsigned_abs() ^ (number << 40) ^ duration.unsigned_abs();
        let event = Span {
            id: batch.keep_id(&format!("{id:016x}")),
            trace_id: batch.keep_id(&format!("{id:032x}")),
            transaction_id: None,
            parent_id: batch.keep_id("0000000000000001"),
            service: ServiceOverride::default(),
            timestamp: at,
            duration,
            name: batch.keep("SELECT FROM people"),
            kind: batch.keep("db"),
            subtype: Some(batch.keep("sqlite")),
            action: Some(batch.keep("query")),
            outcome: Outcome::Success,
            sample_rate: Some(1.0),
            status: None,
            resource: None,
            target_type: None,
            target_name: None,
            db_instance: Some(batch.keep("people.db")),
            db_statement: Some(batch.keep("select * from people where city = ?")),
            composite: None,
            cost,
            stack: None,
            rest: batch.keep("{}"),
        };
        batch.events.push(Event::Span(event));
    }
}

/// Adds an error of a group at a time.
pub(crate) fn error(batch: &mut Batch, group: u64, at: i64, message: &str) {
    let event = ErrorEvent {
        id: batch.keep_id(&format!("{:032x}", u128::from(group) | 1 << 127)),
        trace_id: None,
        transaction_id: None,
        parent_id: None,
        service: ServiceOverride::default(),
        timestamp: at,
        grouping_key: group,
        kind: Some(batch.keep("Overflow")),
        message: Some(batch.keep(message)),
        culprit: None,
        handled: Some(false),
        transaction_name: None,
        transaction_kind: None,
        stack: None,
        rest: batch.keep("{}"),
    };
    batch.events.push(Event::Error(event));
}
