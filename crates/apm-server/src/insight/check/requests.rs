//! The bounds on requests: how many statements each ran, and whether it ran one of them again and again.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Gate, Outcome};
use crate::analytics::sql::Sql;
use crate::insight::finding::count_words;
use crate::insight::observe::{Counted, Gaps, Observer, Usage};
use crate::insight::repeats::{FINDING, Shape, Values, classify};

/// The counts of the requests of a gate, each with the name of its transaction group, in order.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pub(super) usage: Vec<(String, Usage)>,
    gaps: Vec<(String, Gaps)>,
    is_cut: bool,
}

#[derive(QueryableByName)]
struct Group {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    service: String,
}

#[derive(QueryableByName)]
struct Statement {
    #[diesel(sql_type = Text)]
    normalized: String,
    #[diesel(sql_type = Text)]
    verb: String,
    #[diesel(sql_type = Text)]
    table_name: String,
}

impl Requests {
    /// Counts those since a time (µs).
    pub(super) fn read(conn: &mut SqliteConnection, gate: &Gate, since: i64) -> QueryResult<Self> {
        let counted = Observer::all(conn, since)?;
        let names = names(conn, gate, &counted)?;
        // Of a group that is gone meanwhile nothing can be said.
        let usage = counted.usage.into_iter();
        let usage = usage.filter_map(|usage| Some((names.get(&usage.group)?.clone(), usage)));
        let gaps = counted.gaps.into_iter();
        let gaps = gaps.filter_map(|(group, gaps)| Some((names.get(&group)?.clone(), gaps)));
        let mut requests = Self {
            usage: usage.collect(),
            gaps: gaps.collect(),
            is_cut: counted.is_cut,
        };
        // Sums come from hash maps: without an order, two reports on the same requests would differ.
        let key = |(name, usage): &(String, Usage)| (name.clone(), usage.group, usage.statement);
        requests.usage.sort_by_cached_key(key);
        let key = |(name, gaps): &(String, Gaps)| (name.clone(), gaps.trace.to_string());
        requests.gaps.sort_by_cached_key(key);
        Ok(requests)
    }

    /// The bound `max-statements-per-request`.
    pub(super) fn most_statements(&self, most: f64) -> Outcome {
        let over = self.all().filter(|(_, usage)| usage.most > most);
        let failures = over.map(|(name, usage)| {
            format!(
                "{name} ran {}{:.0} statements in one request, more than {most:.0} (trace {})",
                self.at_least(name),
                usage.most,
                usage.trace
            )
        });
        // A request that cannot have run too many is judged, whatever is missing of it.
        let unknown = self.gaps.iter().filter(|(_, gaps)| gaps.most > most);
        let unknown = unknown.map(|(name, gaps)| {
            let up_to = count_words(gaps.most);
            format!("{}: one may have run up to {up_to}", words(name, gaps))
        });
        let not_judged = self.unseen().chain(unknown).chain(self.cut());
        Outcome::new(
            "max-statements-per-request",
            self.all().count(),
            failures.collect(),
            not_judged.collect(),
        )
    }

    /// The bound `no-repeats`.
    pub(super) fn no_repeats(&self, conn: &mut SqliteConnection) -> QueryResult<Outcome> {
        let mut failures = Vec::new();
        for (name, usage) in &self.usage {
            failures.extend(self.repeat(conn, name, usage)?);
        }
        let not_judged = self.unseen().chain(self.incomplete());
        Ok(Outcome::new(
            "no-repeats",
            self.all().count(),
            failures,
            not_judged.collect(),
        ))
    }

    /// Requests of which not all statements are known, a sentence each.
    pub(super) fn incomplete(&self) -> impl Iterator<Item = String> {
        let gaps = self.gaps.iter();
        gaps.map(|(name, gaps)| words(name, gaps)).chain(self.cut())
    }

    /// The sums of all statements of a transaction group.
    fn all(&self) -> impl Iterator<Item = &(String, Usage)> {
        self.usage.iter().filter(|(_, usage)| usage.statement == 0)
    }

    fn unseen(&self) -> impl Iterator<Item = String> + use<> {
        let is_unseen = self.all().next().is_none();
        is_unseen
            .then(|| {
                "no request was seen with its statements: agents send them for sampled requests only".to_owned()
            })
            .into_iter()
    }

    fn cut(&self) -> impl Iterator<Item = String> + use<> {
        self.is_cut
            .then(|| {
                "so many requests were under way at once that not all of their statements were counted: give a \
                 later --since"
                    .to_owned()
            })
            .into_iter()
    }

    fn at_least(&self, name: &str) -> &'static str {
        match self.gaps.iter().any(|(known, _)| known == name) {
            true => "at least ",
            false => "",
        }
    }

    fn repeat(
        &self,
        conn: &mut SqliteConnection,
        name: &str,
        usage: &Usage,
    ) -> QueryResult<Option<String>> {
        let per_request = usage.looped / usage.requests.max(1) as f64;
        if usage.statement == 0 || per_request < FINDING {
            return Ok(None);
        }
        let statement: Vec<Statement> =
            Sql::new("SELECT normalized, verb, table_name FROM statement WHERE id = :id")
                .bind("id", usage.statement)
                .load(conn)?;
        Ok(statement.into_iter().next().and_then(|statement| {
            let shape = Shape {
                verb: &statement.verb,
                table: &statement.table_name,
                normalized: &statement.normalized,
            };
            let pattern = classify(shape, usage.follows > 0, Values::Unknown)?;
            Some(format!(
                "{name} ran {} {}{per_request:.0} times per request (trace {}). {}",
                statement.normalized,
                self.at_least(name),
                usage.trace,
                pattern.remedy()
            ))
        }))
    }
}

/// The names of transaction groups of the gate's service.
fn names(
    conn: &mut SqliteConnection,
    gate: &Gate,
    counted: &Counted,
) -> QueryResult<HashMap<i64, String>> {
    let mut ids: Vec<i64> = counted.usage.iter().map(|usage| usage.group).collect();
    ids.sort_unstable();
    ids.dedup();
    let ids = serde_json::to_string(&ids).unwrap_or_default();
    let groups: Vec<Group> = Sql::new(include_str!("../callers/names.sql"))
        .bind("ids", ids)
        .load(conn)?;
    let of_gate = |service: &String| gate.service.as_ref().is_none_or(|only| only == service);
    let groups = groups.into_iter().filter(|group| of_gate(&group.service));
    Ok(groups.map(|group| (group.id, group.name)).collect())
}

fn words(name: &str, gaps: &Gaps) -> String {
    let mut why = Vec::new();
    if gaps.dropped > 0 {
        let dropped = count_words(gaps.dropped as f64);
        why.push(format!(
            "the agent dropped {dropped} spans (transaction_max_spans)"
        ));
    }
    if gaps.lost > 0 {
        let lost = count_words(gaps.lost as f64);
        why.push(format!("{lost} spans that it sent are not here"));
    }
    let requests = match gaps.requests {
        1 => "a request".to_owned(),
        n => format!("{} requests", count_words(n as f64)),
    };
    format!(
        "{name}: not all statements of {requests} are known, as {} (trace {})",
        why.join(" and "),
        gaps.trace
    )
}
