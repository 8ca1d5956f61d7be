//! Plans of PostgreSQL, from a connection of the agent's own by a URL of `sql_plan_urls`.
//!
//! A statement with parameters has a generic plan, which a prepared statement tells from PostgreSQL 12 on. `EXPLAIN
//! (GENERIC_PLAN)` of version 16 would tell it, too, but takes its parameters from the wire where it is asked in the
//! way that Diesel asks: the plan would be that for the values NULL.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::explain::{Explain, Unexplained};
use super::plan::Plan;
use super::reach::reach;
use super::rendering::postgresql::{parameters, plan};
use crate::config::Secret;

/// Most parameters of a statement that is asked for.
const PARAMETERS: usize = 100;

/// Limits of the connection: it may read, for a short time, and does not wait for others.
const SETUP: &str = "SET default_transaction_read_only = on; SET statement_timeout = '2s'; \
    SET lock_timeout = '100ms'; SET application_name = 'apm-agent plans'; SET plan_cache_mode = force_generic_plan";

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

pub(super) struct Explainer(PgConnection);

impl Explainer {
    pub(super) fn open(url: &Secret) -> Result<Self, Unexplained> {
        reach(url.expose(), 5432)?;
        let separator = if url.expose().contains('?') { '&' } else { '?' };
        let address = format!("{}{separator}connect_timeout=3", url.expose());
        let mut connection = PgConnection::establish(&address)?;
        connection.batch_execute(SETUP)?;
        Ok(Self(connection))
    }

    fn ask(&mut self, what: &str) -> Result<Plan, Unexplained> {
        let asked = diesel::sql_query(format!("EXPLAIN (COSTS OFF, FORMAT JSON) {what}"));
        let answer: Answer = asked.get_result(&mut self.0)?;
        plan(&answer.plan).ok_or(Unexplained::Answer)
    }
}

impl Explain for Explainer {
    fn plan(&mut self, sql: &str) -> Result<Plan, Unexplained> {
        let parameters = parameters(sql);
        if parameters == 0 {
            return self.ask(sql);
        }
        if parameters > PARAMETERS {
            return Err(Unexplained::Answer);
        }
        let sql = sql.trim().trim_end_matches(';');
        self.0
            .batch_execute(&format!("PREPARE apm_agent_plan AS {sql}"))?;
        // The plan is generic: the values do not matter.
        let values = vec!["NULL"; parameters].join(", ");
        // The error is returned later: the name has to be free for the next statement.
        let plan = self.ask(&format!("EXECUTE apm_agent_plan({values})"));
        self.0.batch_execute("DEALLOCATE apm_agent_plan")?;
        plan
    }
}
