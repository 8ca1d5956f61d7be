//! Readings: for which subjects a rule's condition holds now, and how far they are beyond its bound.
//!
//! To add a kind of rule: a variant of [`Kind`] with its parameters, and a module here that makes its readings.

mod disk;
mod errors;
mod failures;
mod insights;
mod latency;
mod link;
mod objectives;
mod output;
mod place;
mod requests;
mod statements;
mod words;

use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection};

use crate::message::Alert;
use crate::options::Lag;
use crate::rule::{Kind, Rule};
use crate::storage::states::State;
use place::Place;

pub(crate) use disk::Disk;

/// The window of rates and percentiles, seconds.
const WINDOW: i64 = 300;

/// A subject and how far it is beyond its bound.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    /// 1 at the bound, more beyond it.
    pub(crate) level: f64,
    pub(crate) alert: Alert,
}

/// The facts that readings are made of, besides the database. Times in seconds.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) now: i64,
    /// When the rule was first evaluated.
    pub(crate) since: i64,
    /// When the server started.
    pub(crate) started: i64,
    pub(crate) disk: &'a Disk,
    /// The lag of the output, where there is one.
    pub(crate) lag: Option<Lag>,
    /// Subjects of the rule that fire.
    pub(crate) firing: &'a [&'a State],
}

impl Facts<'_> {
    /// The start of the bucket of a minute that holds the time of so many seconds ago.
    fn ago(&self, seconds: i64) -> i64 {
        (self.now - seconds).div_euclid(60) * 60
    }
}

/// The readings of a rule. A subject without one is calm.
pub(crate) fn readings(
    conn: &mut SqliteConnection,
    rule: &Rule,
    facts: &Facts<'_>,
) -> QueryResult<Vec<Reading>> {
    match rule.kind {
        Kind::Insight => insights::read(conn, rule, facts),
        Kind::Error => errors::read(conn, rule, facts),
        Kind::FailureRate => failures::read(conn, rule, facts),
        Kind::P95 => latency::read(conn, rule, facts),
        Kind::NoRequests => requests::read(conn, rule, facts),
        Kind::Statement => statements::read(conn, rule, facts),
        Kind::Objective => objectives::read(conn, rule, facts),
        Kind::Disk => Ok(disk::read(rule, facts.disk)),
        Kind::OutputLag => Ok(output::read(rule, facts.lag)),
    }
}

/// A query about the services of a rule in a stretch of time, seconds. Its first four values are service, environment,
/// start and end.
fn query<'r>(
    text: &'static str,
    rule: &'r Rule,
    from: i64,
    to: i64,
) -> BoxedSqlQuery<'r, Sqlite, SqlQuery> {
    diesel::sql_query(text)
        .into_boxed()
        .bind::<Text, _>(&rule.service)
        .bind::<Text, _>(&rule.environment)
        .bind::<BigInt, _>(from)
        .bind::<BigInt, _>(to)
}

/// An alert about a part of a service.
fn alert(place: Place, part: &str, text: &str, link: String) -> Alert {
    let Place {
        service,
        environment,
    } = place;
    Alert {
        subject: subject(&service, &environment, part),
        service,
        environment,
        text: crate::message::plain(text),
        link,
    }
}

/// The subject of a part of a service, which no other part has. Names may hold slashes: those of the service and the
/// environment are written as in an address. Without an environment or a part there is no empty end.
fn subject(service: &str, environment: &str, part: &str) -> String {
    let [service, environment] =
        [service, environment].map(|name| name.replace('%', "%25").replace('/', "%2F"));
    match (&*environment, part) {
        ("", "") => service,
        (_, "") => format!("{service}/{environment}"),
        _ => format!("{service}/{environment}/{part}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::subject;

    #[test]
    fn subjects_of_different_parts_are_different_whatever_slashes_they_have() {
        assert_eq!(subject("shop", "", ""), "shop");
        assert_eq!(subject("shop", "test", ""), "shop/test");
        assert_eq!(subject("shop", "", "GET /"), "shop//GET /");
        let names = ["", "a", "/", "a/", "/a", "a/a", "%2F", "a%"];
        let mut all = HashSet::new();
        for service in names {
            for environment in names {
                for part in names {
                    let is_new = all.insert(subject(service, environment, part));
                    assert!(is_new, "{service:?} {environment:?} {part:?}");
                }
            }
        }
    }
}
