//! A copy with the statements that run on it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::copy::Copy;
use crate::error::AdviseError;
use crate::fill;
use crate::guard::{Whose, message};
use crate::measure::{Changes, Made, measure};
use crate::options::{Options, Recorded, Stage};
use crate::prepare::prepare_until;
use crate::report::{Cost, Replayed};
use crate::schema::Schema;
use crate::statement::{Reading, read};
use crate::values::{Values, sample};

/// A copy of a database, on which statements run. It is removed with this.
#[derive(Debug)]
pub struct Lab {
    pub(crate) copy: Copy,
    pub(crate) schema: Schema,
    pub(crate) changes: Changes,
    pub(crate) made: Vec<Made>,
    pub(crate) options: Options,
    pub(crate) deadline: Instant,
}

/// A statement that can be run.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    pub(crate) recorded: Recorded,
    pub(crate) reading: Reading,
    pub(crate) values: Vec<Values>,
}

impl Lab {
    /// Copies a database, and fills the tables of [`Options::rows`].
    ///
    /// # Errors
    /// See [`AdviseError`].
    pub fn open(
        file: &Path,
        options: &Options,
        progress: &mut dyn FnMut(Stage),
    ) -> Result<Self, AdviseError> {
        let deadline = Instant::now() + options.time;
        progress(Stage::Copy);
        let copy = Copy::create(file, options)?;
        // A copy of the schema alone was filled when it was made.
        for (table, rows) in options.rows.iter().filter(|_| !options.schema_only) {
            progress(Stage::Fill(table.clone()));
            let left = deadline.saturating_duration_since(Instant::now());
            fill::fill(&copy.conn, &copy.guard, table, *rows, left).map_err(|reason| match copy
                .guard
                .is_stopped()
            {
                true => AdviseError::Stopped,
                false => AdviseError::Fill {
                    table: table.clone(),
                    reason,
                },
            })?;
        }
        let schema = Schema::read(&copy.conn).map_err(|error| copy.error(message(&error)))?;
        let changes = Changes::watch(&copy.conn).map_err(|error| copy.error(message(&error)))?;
        Ok(Self {
            copy,
            schema,
            changes,
            made: Vec::new(),
            options: options.clone(),
            deadline,
        })
    }

    /// Runs statements with values from the data.
    ///
    /// # Errors
    /// [`AdviseError::Stopped`] alone: what concerns a statement is told with it.
    pub fn replay(
        &self,
        workload: &[Recorded],
        progress: &mut dyn FnMut(Stage),
    ) -> Result<Vec<Replayed>, AdviseError> {
        let mut done = Vec::new();
        for (at, recorded) in workload.iter().enumerate() {
            progress(Stage::Statements(at, workload.len()));
            if self.copy.guard.is_stopped() {
                return Err(AdviseError::Stopped);
            }
            let cost = self.ready(recorded).and_then(|ready| self.run(&ready));
            done.push(Replayed::new(recorded, cost));
        }
        Ok(done)
    }

    /// Reads a statement, and takes values for it.
    pub(crate) fn ready(&self, recorded: &Recorded) -> Result<Ready, String> {
        if self.is_late() {
            return Err(LATE.to_owned());
        }
        let reading = read(&recorded.sql, &self.schema)?;
        self.prepares(&reading.sql)?;
        let values = sample(&self.copy, &self.schema, &reading, self.options.runs.max(1))?;
        Ok(Ready {
            recorded: recorded.clone(),
            reading,
            values,
        })
    }

    /// Reads a statement and runs it.
    ///
    /// # Errors
    /// The reason why the statement is not judged.
    pub(crate) fn first_run(&self, recorded: &Recorded) -> Result<(Cost, Ready), String> {
        let ready = self.ready(recorded)?;
        Ok((self.run(&ready)?, ready))
    }

    /// Whether SQLite understands a statement.
    fn prepares(&self, sql: &str) -> Result<(), String> {
        let time = self.options.statement_time;
        self.copy.guard.run(Whose::Recorded, time, || {
            prepare_until(&self.copy.conn, sql, Instant::now() + time).map(drop)
        })
    }

    /// Measures the present cost of a statement.
    pub(crate) fn run(&self, ready: &Ready) -> Result<Cost, String> {
        let what = (ready.reading.sql.as_str(), ready.reading.writes.is_some());
        measure(
            &self.copy,
            &self.changes,
            &self.made,
            what,
            &ready.values,
            self.options.statement_time,
        )
    }

    pub(crate) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Time that is left for one piece of work.
    pub(crate) fn patience(&self) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now());
        left.min(self.options.statement_time)
            .max(Duration::from_millis(1))
    }
}

/// Why a statement or a change was left out at the end.
pub(crate) const LATE: &str = "the time was over: allow more";
