//! SQLite's own counts, where the connection is one of SQLite's.

use std::any::Any;
use std::sync::Once;

use diesel::SqliteConnection;
use sqlite_meter::Options;

use super::tracer::Tracer;
use crate::util::own_log;

/// Makes connections that are opened from now on ready for [`instrument`]. Others of the process are not measured.
pub(super) fn install() {
    // If it fails, so does `instrument`, which says so.
    let _ = sqlite_meter::install();
}

/// Traces a connection with what SQLite reports of its statements. Whether it does: other databases do not report, and
/// not every connection can be measured.
pub(super) fn instrument(connection: &mut dyn Any, tracer: impl FnOnce() -> Tracer) -> bool {
    let Some(connection) = connection.downcast_mut::<SqliteConnection>() else {
        return false;
    };
    let tracer = || tracer().measured();
    let Err(error) = sqlite_meter::instrument(connection, Options::default(), tracer) else {
        return true;
    };
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let why = match sqlite_meter::install() {
            Err(error) => error.to_string(),
            Ok(()) => error.to_string(),
        };
        own_log::warn(format_args!(
            "queries are recorded without what SQLite did for them: {why}"
        ));
    });
    false
}
