//! Plans of PostgreSQL, from a connection of the agent's own by a URL of `sql_plan_urls`.
//!
//! A statement with parameters has a generic plan: from PostgreSQL 16 on `EXPLAIN (GENERIC_PLAN)` tells it, in 12 to 15
//! a prepared statement does.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::explain::{Explain, Unexplained};
use super::plan::Plan;
use super::reach::reach;
use super::rendering::postgresql::{parameters, plan};
use crate::config::Secret;

/// The first version with `EXPLAIN (GENERIC_PLAN)`.
const GENERIC_PLAN: u32 = 160_000;

/// Most parameters of a prepared statement that is explained.
const PARAMETERS: usize = 100;

/// Limits of the connection: it may read, for a short time, and does not wait for others.
const SETUP: &str = "SET default_transaction_read_only = on; SET statement_timeout = '2s'; \
    SET lock_timeout = '100ms'; SET application_name = 'apm-agent plans'; SET plan_cache_mode = force_generic_plan";

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    server_version_num: String,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

pub(super) struct Explainer {
    connection: PgConnection,
    version: u32,
}

impl Explainer {
    pub(super) fn open(url: &Secret) -> Result<Self, Unexplained> {
        reach(url.expose(), 5432)?;
        let separator = if url.expose().contains('?') { '&' } else { '?' };
        let address = format!("{}{separator}connect_timeout=3", url.expose());
        let mut connection = PgConnection::establish(&address)?;
        connection.batch_execute(SETUP)?;
        let version: Setting =
            diesel::sql_query("SHOW server_version_num").get_result(&mut connection)?;
        Ok(Self {
            connection,
            version: version.server_version_num.parse().unwrap_or(0),
        })
    }

    fn ask(&mut self, what: &str) -> Result<Plan, Unexplained> {
        let answer: Answer = diesel::sql_query(what).get_result(&mut self.connection)?;
        plan(&answer.plan).ok_or(Unexplained::Answer)
    }
}

impl Explain for Explainer {
    fn plan(&mut self, sql: &str) -> Result<Plan, Unexplained> {
        let options = "COSTS OFF, FORMAT JSON";
        let parameters = parameters(sql);
        if parameters == 0 {
            return self.ask(&format!("EXPLAIN ({options}) {sql}"));
        }
        if self.version >= GENERIC_PLAN {
            return self.ask(&format!("EXPLAIN ({options}, GENERIC_PLAN) {sql}"));
        }
        if parameters > PARAMETERS {
            return Err(Unexplained::Answer);
        }
        let sql = sql.trim().trim_end_matches(';');
        let prepare = format!("PREPARE apm_agent_plan AS {sql}");
        self.connection.batch_execute(&prepare)?;
        // With a generic plan, the values do not matter.
        let values = vec!["NULL"; parameters].join(", ");
        let plan = self.ask(&format!(
            "EXPLAIN ({options}) EXECUTE apm_agent_plan({values})"
        ));
        self.connection.batch_execute("DEALLOCATE apm_agent_plan")?;
        plan
    }
}
