//! The tables of a database, as far as indexes need to know them, and its statistics.

use rusqlite::{Connection, Error, Result, ffi};

use super::statistics::{Measured, Statistics};

/// Objects that are copied; a schema with more is not one of a service.
const MOST: usize = 2_000;

/// A table and its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

/// The statements that made the database, without its rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Schema {
    /// `CREATE …`, tables first.
    pub(super) statements: Vec<String>,
    pub(super) tables: Vec<Table>,
    pub(super) statistics: Statistics,
}

impl Schema {
    /// Reads it from a connection that may use the `pragma_table_info` function.
    pub(super) fn read(conn: &Connection) -> Result<Self> {
        let mut schema = Self::default();
        let mut found = conn.prepare(
            "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE \
             '\\' ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'view' THEN 1 WHEN 'index' THEN 2 ELSE 3 END",
        )?;
        let mut rows = found.query([])?;
        while let Some(row) = rows.next()? {
            if schema.statements.len() >= MOST {
                break;
            }
            let (kind, name, sql): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            // A virtual table's module may not be here.
            if sql
                .get(..14)
                .is_some_and(|start| start.eq_ignore_ascii_case("CREATE VIRTUAL"))
            {
                continue;
            }
            if kind == "table" {
                let mut columns = conn.prepare("SELECT name FROM pragma_table_info(?1)")?;
                let columns = columns
                    .query_map([&name], |row| row.get(0))?
                    .collect::<Result<_>>()?;
                schema.tables.push(Table { name, columns });
            }
            schema.statements.push(sql);
        }
        schema.statistics = Statistics::read(conn)?;
        Ok(schema)
    }

    /// An empty database of the same shape and with the same statistics, in memory. Objects that cannot be made there
    /// are left out.
    pub(super) fn copy(&self) -> Result<Connection> {
        let conn = self.shape()?;
        self.statistics.apply(&conn, None)?;
        Ok(conn)
    }

    /// The same with one index more, and what was measured of it.
    pub(super) fn copy_with(&self, index: &str, measured: Option<&Measured>) -> Result<Connection> {
        let conn = self.shape()?;
        let version = || conn.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0));
        let before = version()?;
        // One statement: what follows a first one is not looked at, but refused.
        conn.prepare(index)?.raw_execute()?;
        // With IF NOT EXISTS, SQLite makes nothing in the place of an index of that name, and does not say so.
        if version()? == before {
            let reason = "an index of this name exists already".to_owned();
            return Err(Error::SqliteFailure(
                ffi::Error::new(ffi::SQLITE_ERROR),
                Some(reason),
            ));
        }
        self.statistics.apply(&conn, measured)?;
        Ok(conn)
    }

    fn shape(&self) -> Result<Connection> {
        let conn = Connection::open_in_memory()?;
        for statement in &self.statements {
            if let Err(error) = conn.execute_batch(statement) {
                log::debug!("not copied for a plan: {error}");
            }
        }
        Ok(conn)
    }

    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.tables
            .iter()
            .find(|table| table.name.eq_ignore_ascii_case(name))
    }
}
