//! Changes: slower or new since a marker, and more errors than usual.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

use super::{Look, RuleError, Statement, figures};
use crate::analytics::sql::Sql;
use crate::analytics::{Scope, change};
use crate::insight::compare;
use crate::insight::finding::{Draft, Evidence, Kind, Says, count_words, duration_words};
use crate::insight::marker;
use crate::insight::severity::Severity;

/// The time after a marker in which its effect is looked for, and the time before it, seconds.
const REACH: i64 = 3_600;

/// Requests on either side.
const FEWEST: f64 = 20.0;

/// p95 now / before, and the least difference in µs.
const FACTOR: f64 = 1.5;
const LEAST: f64 = 1_000.0;

/// Mean now / before: with few requests, p95 is one of the slowest, which says little of the others.
const MEAN_FACTOR: f64 = 1.2;

/// Errors in 5 minutes that are a spike, and how many times the usual.
const ERRORS: f64 = 10.0;
const SPIKE: f64 = 5.0;

/// A service must be known for this time before its usual number of errors is known, seconds.
const KNOWN: f64 = 900.0;

/// Share of the service's SQL from which a new statement is worth a word.
const NEW: f64 = 0.1;

pub(super) fn apply(look: &mut Look<'_>) -> Result<Vec<Draft>, RuleError> {
    let mut drafts = error_spikes(look)?;
    let mut told = HashSet::new();
    for marker in marker::latest(look.conn, look.now - REACH, look.now)? {
        let mut since = regressions(look, &marker)?;
        since.extend(new_statements(look, &marker));
        // A change that is told since a deployment is not told again since a restart.
        since.retain(|draft| {
            // A subject begins with the number of the marker, which is another one here.
            let of = draft.subject.split_once('\0').map(|(_, of)| of.to_owned());
            told.insert((
                draft.kind,
                draft.service.clone(),
                draft.environment.clone(),
                of,
            ))
        });
        drafts.extend(since);
    }
    Ok(drafts)
}

/// Transactions whose p95 is well above that of the same time before the marker, where all of that time is known.
fn regressions(look: &mut Look<'_>, marker: &marker::Marker) -> Result<Vec<Draft>, RuleError> {
    let (before, after) = compare::around(marker.at, look.now, REACH);
    let scope = Scope {
        service: Some(marker.service.clone()).filter(|name| !name.is_empty()),
        environment: marker.environment.clone(),
        ..Scope::default()
    };
    let mut compared = compare::transactions(look.conn, &scope, before, after)?;
    // Of one marker there may be several services, and each began to send at another time.
    let mut known = HashMap::new();
    for row in &compared {
        let of = (row.service.clone(), row.environment.clone());
        if let Entry::Vacant(place) = known.entry(of) {
            let scope = Scope {
                service: Some(row.service.clone()),
                environment: Some(row.environment.clone()),
                ..Scope::default()
            };
            let window = before.window(after.to);
            place.insert(change::is_covered(look.conn, &scope, &window)?);
        }
    }
    compared.retain(|row| known[&(row.service.clone(), row.environment.clone())]);
    let slower = compared.into_iter().filter_map(|row| {
        let (was, is) = (row.before?, row.after?);
        let (was_p95, is_p95) = (was.p95?, is.p95?);
        let worse = is_p95 >= FACTOR * was_p95
            && is_p95 - was_p95 >= LEAST
            && is.avg >= MEAN_FACTOR * was.avg;
        // All that the requests took longer since the marker, for each minute since.
        let minutes = (look.now - marker.at).max(60) as f64 / 60.0;
        let saving = (is.avg - was.avg).max(0.0) * is.count / minutes;
        let is_told = was.count >= FEWEST && is.count >= FEWEST && worse;
        is_told.then_some((row, (was.count, was_p95), (is.count, is_p95), saving))
    });
    Ok(slower
        .map(|(row, was, is, saving)| Draft {
            kind: Kind::Regression,
            service: row.service.clone(),
            environment: row.environment.clone(),
            subject: format!("{}\0{}", marker.id, row.name),
            severity: Severity::of_saving(saving).max(Severity::Cost),
            saving,
            says: Says {
                title: format!("{} is slower since {}.", row.name, marker.words()),
                cause: format!(
                    "95 % finished within {} before, and within {} since ({} and {} requests).",
                    duration_words(was.1),
                    duration_words(is.1),
                    count_words(was.0),
                    count_words(is.0)
                ),
                remedy: "Compare before and after: see which statements are new or slower."
                    .to_owned(),
                evidence: Evidence {
                    transaction: Some(row.name.clone()),
                    transaction_type: Some(row.kind.clone()),
                    marker: Some(marker.id),
                    ..Evidence::default()
                },
                figures: figures(&[("p95_before", was.1), ("p95", is.1)]),
            },
        })
        .collect())
}

/// Statements first seen since the marker that take a good part of the time, in a service that was known before.
fn new_statements(look: &Look<'_>, marker: &marker::Marker) -> Vec<Draft> {
    let of_same = |of: &Statement| {
        let (service, environment) = (of.service.clone(), of.environment.clone());
        let is_same =
            move |other: &&Statement| other.service == service && other.environment == environment;
        look.statements.iter().filter(is_same)
    };
    // Some minutes, as a service that just began has nothing but new statements.
    let known_before = |of: &Statement| of_same(of).any(|other| other.first_seen < marker.at - 300);
    let total = |of: &Statement| -> f64 { of_same(of).map(|other| other.sum).sum() };
    look.statements
        .iter()
        .filter(|statement| {
            marker.is_of(&statement.service, &statement.environment)
                && statement.first_seen >= marker.at
                && known_before(statement)
        })
        .filter(|statement| statement.sum >= NEW * total(statement))
        .map(|statement| Draft {
            kind: Kind::NewStatement,
            service: statement.service.clone(),
            environment: statement.environment.clone(),
            subject: format!("{}\0{}", marker.id, statement.fingerprint()),
            severity: Severity::Notice,
            saving: 0.0,
            says: Says {
                title: format!("{} is new since {}.", statement.short(), marker.words()),
                cause: format!(
                    "It takes {:.0} % of the time in SQL, {} per call.",
                    100.0 * statement.sum / total(statement).max(1.0),
                    duration_words(statement.mean())
                ),
                remedy: "See whether it is intended, and look at its plan.".to_owned(),
                evidence: look.evidence(statement),
                figures: figures(&[("avg", statement.mean())]),
            },
        })
        .collect()
}

#[derive(QueryableByName)]
struct Spike {
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = BigInt)]
    grouping_key: i64,
    #[diesel(sql_type = Text)]
    message: String,
    #[diesel(sql_type = Text)]
    culprit: String,
    #[diesel(sql_type = Double)]
    now: f64,
    #[diesel(sql_type = Double)]
    usual: f64,
    #[diesel(sql_type = Double)]
    known: f64,
}

fn error_spikes(look: &mut Look<'_>) -> Result<Vec<Draft>, RuleError> {
    let rows: Vec<Spike> = Sql::new(include_str!("errors.sql"))
        .bind("recent", look.now - super::RECENT)
        .bind("from", look.now - REACH)
        .bind("least", ERRORS)
        .load(look.conn)?;
    Ok(rows
        .into_iter()
        .filter(|row| row.known >= KNOWN && row.now >= SPIKE * row.usual)
        .map(|row| {
            let message: String = row.message.chars().take(80).collect();
            let before = format!(
                "In the hour before, it occurred {:.1} times in 5 minutes.",
                row.usual
            );
            Draft {
                kind: Kind::ErrorSpike,
                service: row.service,
                environment: row.environment,
                subject: format!("{:016x}", row.grouping_key),
                severity: Severity::Grave,
                saving: 0.0,
                says: Says {
                    title: format!(
                        "“{message}” occurred {} times in 5 minutes.",
                        count_words(row.now)
                    ),
                    cause: match row.culprit.as_str() {
                        "" => before,
                        culprit => format!("{before} It is raised in {culprit}."),
                    },
                    remedy: "Look at the newest occurrences and their common attributes."
                        .to_owned(),
                    evidence: Evidence {
                        error: Some(format!("{:016x}", row.grouping_key)),
                        ..Evidence::default()
                    },
                    figures: figures(&[("errors", row.now), ("usual", row.usual)]),
                },
            }
        })
        .collect())
}
