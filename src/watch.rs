//! Metrics of the service beyond requests: the number of people, and the state of its pool.

use std::time::Duration;

use actix_web::{rt, web};
use apm_agent::Agent;

use crate::db::{Database, DbError};
use crate::people;

/// The pause between looks at the table.
const EVERY: Duration = Duration::from_secs(5);

/// Reports the pool's connections, and the rows of `people` as the gauge `people.rows`, for as long as the actix system
/// lives.
pub(crate) fn start(database: Database, agent: &Agent) {
    if !agent.is_enabled() {
        return;
    }
    agent.observe_pool(database.pool());
    let gauge = agent.metrics().gauge("people.rows");
    rt::spawn(async move {
        let mut seen = None;
        loop {
            let database = database.clone();
            let looked = web::block(move || newest_and_rows(&database, seen)).await;
            // Trouble with the database shows in the requests, and the pool's end is the service's.
            if let Ok(Ok(Some((newest, rows)))) = looked {
                seen = newest;
                gauge.set(rows as f64);
            }
            rt::time::sleep(EVERY).await;
        }
    });
}

/// The newest id and the number of rows; `None` while the newest is still `seen`, since counting reads the whole table.
fn newest_and_rows(
    database: &Database,
    seen: Option<i32>,
) -> Result<Option<(Option<i32>, i64)>, DbError> {
    let mut conn = database.conn()?;
    let newest = people::newest_id(&mut conn)?;
    if newest.is_some() && newest == seen {
        return Ok(None);
    }
    Ok(Some((newest, people::count(&mut conn)?)))
}
