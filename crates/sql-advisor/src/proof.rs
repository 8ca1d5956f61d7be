//! One index for one statement: what it takes without and with it.

use std::path::Path;

use serde::Serialize;

use crate::error::AdviseError;
use crate::guard::Whose;
use crate::lab::Lab;
use crate::options::{Options, Recorded};
use crate::report::Cost;

/// The costs of a statement without and with an index.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proof {
    /// Without it.
    pub before: Cost,
    /// With it.
    pub after: Cost,
    /// The size of the copy's table; none where there was no time to count it. Costs are of this size.
    pub size: Option<Size>,
}

/// A table and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Size {
    /// The table that the index is on.
    pub table: String,
    /// Its rows.
    pub rows: u64,
}

/// Makes an index on a copy of a database, and runs a statement without and with it. `index`: one `CREATE INDEX`.
///
/// # Errors
/// See [`AdviseError`]; [`AdviseError::NoStatement`] where the statement cannot be judged, [`AdviseError::Migration`]
/// where the index cannot be made.
pub fn prove(file: &Path, sql: &str, index: &str, options: &Options) -> Result<Proof, AdviseError> {
    let lab = Lab::open(file, options, &mut |_| ())?;
    let recorded = Recorded {
        sql: sql.to_owned(),
        ..Recorded::default()
    };
    let stopped = |why: String, error: fn(String) -> AdviseError| match lab.copy.guard.is_stopped()
    {
        true => AdviseError::Stopped,
        false => error(why),
    };
    let not_judged = |why| stopped(why, AdviseError::NoStatement);
    let ready = lab.ready(&recorded).map_err(not_judged)?;
    let before = lab.run(&ready).map_err(not_judged)?;
    let time = options.statement_time;
    lab.copy
        .guard
        .run(Whose::Migration, time, || {
            // One statement: what follows a first one is refused.
            lab.copy.conn.prepare(index)?.raw_execute()
        })
        .map_err(|why| stopped(why, AdviseError::Migration))?;
    let after = lab.run(&ready).map_err(not_judged)?;
    Ok(Proof {
        before,
        after,
        size: size(&lab, options),
    })
}

/// The size of the table of the newest index.
fn size(lab: &Lab, options: &Options) -> Option<Size> {
    const NEWEST: &str =
        "SELECT tbl_name FROM sqlite_schema WHERE type = 'index' ORDER BY rowid DESC LIMIT 1";
    let conn = &lab.copy.conn;
    let read = || {
        let table: String = conn.query_row(NEWEST, [], |row| row.get(0))?;
        let count = format!("SELECT count(*) FROM \"{}\"", table.replace('"', "\"\""));
        let rows: i64 = conn.query_row(&count, [], |row| row.get(0))?;
        let rows = rows.unsigned_abs();
        Ok(Size { table, rows })
    };
    lab.copy
        .guard
        .run(Whose::Ours, options.statement_time, read)
        .ok()
}
