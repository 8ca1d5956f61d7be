//! A part of an answer with the SQL that read it, which pages show.

use std::ops::Deref;

use diesel::SqliteConnection;
use schemars::JsonSchema;
use serde::Serialize;

use crate::analytics::sql;

/// A part of an answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct Sourced<T> {
    value: T,
    /// The statements that ran, as the console takes them.
    #[serde(skip)]
    pub(crate) sql: Vec<String>,
}

impl<T> Sourced<T> {
    /// Reads a part.
    pub(crate) fn read<E>(
        conn: &mut SqliteConnection,
        read: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
    ) -> Result<Self, E> {
        let (value, sql) = sql::recorded(|| read(conn));
        let value = value?;
        Ok(Self { value, sql })
    }

    /// A part that was read together with others.
    pub(crate) fn new(value: T, sql: Vec<String>) -> Self {
        Self { value, sql }
    }

    /// The part, and the statements that ran.
    pub(crate) fn into_parts(self) -> (T, Vec<String>) {
        (self.value, self.sql)
    }
}

impl<T> Deref for Sourced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
