//! Deletes everything but what people gave: the settings of agents, the rules and receivers of alerts, objectives,
//! pins, and source maps.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::share::SETTING;
use super::statement::Run as _;

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Empties every table but those of settings, of source maps and of migrations: one that is added later is emptied too.
pub(super) fn clear(conn: &mut SqliteConnection) -> QueryResult<()> {
    let tables: Vec<Table> = diesel::sql_query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND name NOT IN ('agent_config', 'alert_rule', 'alert_receiver', 'alert_silence', 'source_map', 'objective', \
         'dashboard_pin', 'share_node', 'share_document', '__diesel_schema_migrations')",
    )
    .load(conn)?;
    // Tables are emptied in any order: references are checked by the commit, when all rows are gone.
    conn.batch_execute("PRAGMA defer_foreign_keys = ON")?;
    for table in tables {
        conn.batch_execute(&format!("DELETE FROM \"{}\"", table.name))?;
    }
    // Only the settings stay.
    diesel::sql_query("DELETE FROM share_document WHERE kind <> ?")
        .bind::<Text, _>(SETTING)
        .run(conn)?;
    Ok(())
}
