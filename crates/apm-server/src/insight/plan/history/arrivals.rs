//! Plans that came since the last look, to be written down.

use std::collections::BTreeMap;

use apm_store::StoreError;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde_json::Value;

use super::{NO_VERSION, Stored};
use crate::analytics::sql::Sql;
use crate::insight::bounds;
use crate::insight::finding::statement_words;
use crate::insight::marker;

/// The version of the labels that is understood.
const VERSION: &str = "1";

/// Plans that are written at once.
const MOST: i64 = 500;

/// Metric sets that are looked through after a start: of those before, plans come again within an hour.
const BACK: i64 = 500_000;

/// Plans that are kept of one statement.
const PLANS: i64 = 50;

/// The longest plan that is taken, bytes. Agents send at most 1,024 characters.
const LONGEST: usize = 8 * 1_024;

/// The longest name of a database that is taken, bytes.
const LONGEST_NAME: usize = 1_024;

/// Reads on from where it was.
#[derive(Debug, Default)]
pub(in crate::insight) struct Unseen {
    mark: Option<i64>,
}

/// Plans, oldest first.
#[derive(Debug, PartialEq)]
pub(in crate::insight) struct Arrivals {
    plans: Vec<Arrival>,
    mark: i64,
}

#[derive(Debug, PartialEq)]
struct Arrival {
    service: String,
    environment: String,
    version: String,
    instance: String,
    fingerprint: i64,
    plan: String,
    /// None of a database that has no such number.
    schema_version: Option<i64>,
    /// The agent sent it before.
    again: bool,
    at: i64,
}

#[derive(QueryableByName)]
struct Sent {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Nullable<diesel::sql_types::Double>)]
    schema_version: Option<f64>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(QueryableByName)]
struct Marks {
    #[diesel(sql_type = Nullable<BigInt>)]
    last: Option<i64>,
    #[diesel(sql_type = BigInt)]
    mark: i64,
}

impl Unseen {
    /// The plans that came since the last look; none where there are none.
    pub(in crate::insight) fn look(
        &mut self,
        conn: &mut SqliteConnection,
    ) -> Result<Option<Arrivals>, StoreError> {
        let marks = Sql::new(
            "SELECT max(seq) AS last, coalesce((SELECT value FROM insight_state WHERE name = 'plan'), -1) AS mark \
             FROM metricset",
        );
        let Marks { last, mark } = marks.first(conn)?;
        let Some(last) = last else {
            self.mark = None;
            return Ok(None);
        };
        // After everything was deleted, numbers may begin anew. The first event has the number 0.
        let mark = self.mark.unwrap_or(mark.max(last - BACK));
        let mark = if mark > last { -1 } else { mark };
        let sent: Vec<Sent> = Sql::new(include_str!("unseen.sql"))
            .bind("mark", mark)
            .bind("last", last)
            .bind("most", MOST)
            .load(conn)?;
        let upto = match sent.last() {
            Some(newest) if sent.len() as i64 >= MOST => newest.seq,
            _ => last,
        };
        // The mark moves on once what is found is written.
        self.mark = sent.is_empty().then_some(upto);
        if sent.is_empty() {
            return Ok(None);
        }
        let seqs: Vec<i64> = sent.iter().map(|sent| sent.seq).collect();
        let mut documents: BTreeMap<i64, Value> = BTreeMap::new();
        for event in apm_store::events(conn, &seqs)? {
            let rest = serde_json::from_str(&event.rest).unwrap_or_default();
            documents.insert(event.seq, rest);
        }
        let plans = sent.into_iter().filter_map(|sent| {
            let document = documents.get(&sent.seq)?;
            arrival(sent, &document["tags"])
        });
        Ok(Some(Arrivals {
            plans: plans.collect(),
            mark: upto,
        }))
    }
}

/// The plan in some labels; none where they are not those of a plan. SQLite's have names of their own.
fn arrival(sent: Sent, labels: &Value) -> Option<Arrival> {
    let family = match sent.schema_version {
        Some(_) => "sqlite",
        None => "sql",
    };
    let label = |name: &str| labels[format!("{family}_{name}")].as_str();
    let plan = label("plan")?;
    let instance = label("database").unwrap_or_default();
    let is_known = label("plan_version") == Some(VERSION);
    if !is_known || plan.len() > LONGEST || instance.len() > LONGEST_NAME {
        return None;
    }
    Some(Arrival {
        service: sent.service,
        environment: sent.environment,
        version: sent.version,
        instance: instance.to_owned(),
        fingerprint: u64::from_str_radix(label("statement")?, 16)
            .ok()?
            .cast_signed(),
        plan: plan.to_owned(),
        schema_version: sent.schema_version.map(|version| version as i64),
        again: label("plan_again").is_some(),
        at: sent.at,
    })
}

impl Arrivals {
    /// Writes them down, with a marker for each service of which plans changed; `now` in µs.
    pub(in crate::insight) fn write(
        self,
        conn: &mut SqliteConnection,
        now: i64,
    ) -> QueryResult<()> {
        let mut changed: BTreeMap<(String, String), Vec<i64>> = BTreeMap::new();
        for plan in self.plans {
            let of_statement = |sql: &'static str| {
                Sql::new(sql)
                    .bind("fingerprint", plan.fingerprint)
                    .bind("service", &*plan.service)
                    .bind("environment", &*plan.environment)
                    .bind("instance", &*plan.instance)
            };
            let last: Option<Stored> = of_statement(include_str!("last.sql"))
                .first(conn)
                .optional()?;
            let is_same =
                |stored: &Stored| stored.plan == plan.plan && stored.version == plan.version;
            // Processes with other plans, or of other versions, take turns: what one of them sends again is not new.
            let same: Option<i64> = match &last {
                Some(last) if is_same(last) => Some(last.id),
                Some(_) if plan.again => of_statement(include_str!("same.sql"))
                    .bind("version", &*plan.version)
                    .bind("plan", &*plan.plan)
                    .first::<Id>(conn)
                    .optional()?
                    .map(|same| same.id),
                _ => None,
            };
            if let Some(id) = same {
                diesel::sql_query(
                    "UPDATE statement_plan SET last_seen = max(last_seen, ?), schema_version = ? WHERE id = ?",
                )
                .bind::<BigInt, _>(plan.at)
                .bind::<BigInt, _>(plan.schema_version.unwrap_or(NO_VERSION))
                .bind::<BigInt, _>(id)
                .execute(conn)?;
                continue;
            }
            diesel::sql_query(
                "INSERT INTO statement_plan (service, environment, instance, fingerprint, version, plan, \
                 schema_version, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?8, ?8)",
            )
            .bind::<Text, _>(&plan.service)
            .bind::<Text, _>(&plan.environment)
            .bind::<Text, _>(&plan.instance)
            .bind::<BigInt, _>(plan.fingerprint)
            .bind::<Text, _>(&plan.version)
            .bind::<Text, _>(&plan.plan)
            .bind::<BigInt, _>(plan.schema_version.unwrap_or(NO_VERSION))
            .bind::<BigInt, _>(plan.at)
            .execute(conn)?;
            diesel::sql_query(include_str!("oldest.sql"))
                .bind::<BigInt, _>(plan.fingerprint)
                .bind::<Text, _>(&plan.service)
                .bind::<Text, _>(&plan.environment)
                .bind::<Text, _>(&plan.instance)
                .bind::<BigInt, _>(PLANS)
                .execute(conn)?;
            // The same plan of another version is written down, and is no change.
            if last.is_some_and(|last| last.plan != plan.plan) {
                changed
                    .entry((plan.service, plan.environment))
                    .or_default()
                    .push(plan.fingerprint);
            }
        }
        for ((service, environment), statements) in changed {
            let name = name(conn, &service, &statements)?;
            let of = (&*service, Some(&*environment));
            marker::set(conn, now, of, marker::Kind::Plan, &name)?;
        }
        diesel::sql_query("INSERT OR REPLACE INTO insight_state VALUES ('plan', ?)")
            .bind::<BigInt, _>(self.mark)
            .execute(conn)?;
        bounds::markers(conn)?;
        bounds::plans(conn)
    }
}

/// `SELECT FROM people and 2 more`
fn name(conn: &mut SqliteConnection, service: &str, statements: &[i64]) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Named {
        #[diesel(sql_type = Text)]
        verb: String,
        #[diesel(sql_type = Text)]
        table_name: String,
        #[diesel(sql_type = Text)]
        normalized: String,
    }
    let first = statements.first().copied().unwrap_or_default();
    let known: Option<Named> = diesel::sql_query(
        "SELECT q.verb, q.table_name, q.normalized FROM statement q JOIN service s ON s.id = q.service_id \
         WHERE s.name = ? AND q.fingerprint = ? LIMIT 1",
    )
    .bind::<Text, _>(service)
    .bind::<BigInt, _>(first)
    .get_result(conn)
    .optional()?;
    let first = match known {
        Some(known) => statement_words(&known.verb, &known.table_name, &known.normalized),
        None => format!("{first:016x}"),
    };
    Ok(match statements.len() {
        0 | 1 => first,
        n => format!("{first} and {} more", n - 1),
    })
}

#[cfg(test)]
mod tests;
