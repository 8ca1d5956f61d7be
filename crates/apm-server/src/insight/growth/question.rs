//! The bounds of the questions about a statement, and the rows that answer them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};

use crate::analytics::sql::Sql;

/// Samples of a gauge that are read.
const SAMPLES: i64 = 50_000;

#[derive(QueryableByName)]
pub(super) struct Activity {
    #[diesel(sql_type = BigInt)]
    pub(super) minutes: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) n: i64,
    #[diesel(sql_type = Double)]
    pub(super) calls: f64,
    #[diesel(sql_type = BigInt)]
    pub(super) first: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) last: i64,
}

#[derive(QueryableByName)]
pub(super) struct At {
    #[diesel(sql_type = BigInt)]
    pub(super) at: i64,
    #[diesel(sql_type = Double)]
    pub(super) value: f64,
}

/// A statement, its service, and the time of interest (seconds).
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) statement: i64,
    pub(super) service: i64,
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Question {
    pub(super) fn bound(&self, text: &'static str) -> Sql {
        Sql::new(text)
            .bind("statement", self.statement)
            .bind("service", self.service)
            .bind("from", self.from)
            .bind("to", self.to)
            .bind("limit", SAMPLES)
    }
}
