//! SQLite's own counts, where the connection is one of SQLite's.

use std::any::Any;
use std::sync::{Arc, Once};

use diesel::SqliteConnection;

use super::tracer::Shared;
use crate::util::own_log;
use crate::util::{Mutex, lock};

/// Makes connections that are opened from now on ready for [`attach`]. Others of the process are not measured.
pub(super) fn install() {
    // If it fails, so does `attach`, which says so.
    let _ = sqlite_meter::install();
}

/// Has SQLite report to `shared` what it does for each statement of a connection. Whether it does.
pub(super) fn attach(connection: &mut dyn Any, shared: &Arc<Mutex<Shared>>) -> bool {
    let Some(connection) = connection.downcast_mut::<SqliteConnection>() else {
        return false;
    };
    let shared = Arc::clone(shared);
    let attached = sqlite_meter::attach(
        connection,
        sqlite_meter::Options::default(),
        move |finished| {
            let Shared {
                statements,
                reports,
            } = &mut *lock(&shared);
            reports.add(finished, statements);
        },
    );
    let Err(error) = attached else {
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
