//! Plans of MariaDB and MySQL, from a connection of the agent's own by a URL of `sql_plan_urls`.
//!
//! These servers have no plan without values. So the text `1` is in the place of each parameter: it is compared by an
//! index like any value, be the column a number or a text. The plan for other values may differ.

use diesel::connection::SimpleConnection as _;
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::explain::{Explain, Unexplained};
use super::plan::Plan;
use super::reach::reach;
use super::rendering::mysql::{parameters, plan};
use crate::config::Secret;

/// The value of each parameter.
const VALUE: &str = "1";

/// Limits of the connection: it may read, and does not wait for others.
const SETUP: &str = "SET SESSION TRANSACTION READ ONLY; SET SESSION lock_wait_timeout = 1; \
    SET SESSION innodb_lock_wait_timeout = 1";

/// The longest time of a question, in the words of MariaDB and of MySQL.
const TIMES: [&str; 2] = [
    "SET SESSION max_statement_time = 2",
    "SET SESSION max_execution_time = 2000",
];

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text, column_name = "EXPLAIN")]
    plan: String,
}

pub(super) struct Explainer(MysqlConnection);

impl Explainer {
    pub(super) fn open(url: &Secret) -> Result<Self, Unexplained> {
        reach(url.expose(), 3306)?;
        // Diesel takes no URL that begins with `mariadb://`.
        let rest = url.expose().split_once("://").map_or("", |(_, rest)| rest);
        let mut connection = MysqlConnection::establish(&format!("mysql://{rest}"))?;
        connection.batch_execute(SETUP)?;
        // Each of the two servers knows one of these settings. Without a limit it is not asked at all.
        if TIMES
            .iter()
            .all(|time| connection.batch_execute(time).is_err())
        {
            return Err(Unexplained::Answer);
        }
        Ok(Self(connection))
    }
}

impl Explain for Explainer {
    fn plan(&mut self, sql: &str) -> Result<Plan, Unexplained> {
        let asked = format!("EXPLAIN FORMAT=JSON {sql}");
        let mut asked = diesel::sql_query(asked).into_boxed::<Mysql>();
        for _ in 0..parameters(sql) {
            asked = asked.bind::<Text, _>(VALUE);
        }
        let answer: Answer = asked.get_result(&mut self.0)?;
        plan(&answer.plan).ok_or(Unexplained::Answer)
    }
}
