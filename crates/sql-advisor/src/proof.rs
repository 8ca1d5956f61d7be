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
    Ok(Proof { before, after })
}
