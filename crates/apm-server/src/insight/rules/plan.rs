//! A statement that its database answers in another way than before.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Double, Nullable};

use super::{Look, RuleError, Statement, figures};
use crate::analytics::sql::Sql;
use crate::insight::finding::{Draft, Kind, Says, count_words};
use crate::insight::plan::Plan;
use crate::insight::plan::history::{self, Change};
use crate::insight::severity::Severity;

/// A change is told of for so long, seconds.
const REACH: i64 = 86_400;

/// Calls so long before it and since then are compared, seconds.
const AROUND: i64 = 3_600;

/// Steps after / before from which it is worse.
const WORSE: f64 = 1.2;

/// Steps that are named of a plan.
const NAMED: usize = 3;

#[derive(QueryableByName)]
struct Steps {
    #[diesel(sql_type = Nullable<Double>)]
    before: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    after: Option<f64>,
}

pub(super) fn apply(look: &mut Look<'_>) -> Result<Vec<Draft>, RuleError> {
    let mut drafts = Vec::new();
    for change in history::changes(look.conn, look.now - REACH)? {
        let is_it = |statement: &&Statement| {
            statement.fingerprint == change.fingerprint
                && statement.service == change.service
                && statement.environment == change.environment
        };
        let Some(statement) = look.statements.iter().find(is_it).cloned() else {
            continue;
        };
        let steps: Steps = Sql::new(include_str!("plan.sql"))
            .bind("statement", statement.id)
            .bind("at", change.at.div_euclid(60) * 60)
            .bind("around", AROUND)
            .first(look.conn)?;
        drafts.push(draft(look, &statement, &change, &steps));
    }
    Ok(drafts)
}

fn draft(look: &Look<'_>, statement: &Statement, change: &Change, steps: &Steps) -> Draft {
    let both = steps
        .before
        .zip(steps.after)
        .filter(|(before, _)| *before > 0.0);
    let factor = both.map(|(before, after)| after / before);
    let is_worse = match factor {
        Some(factor) => factor >= WORSE,
        None => change.after.cost() > change.before.cost(),
    };
    let mut cause = format!(
        "Its plan was: {}. It is: {}.",
        named(&change.before),
        named(&change.after)
    );
    let mut said = Vec::new();
    if let Some((before, after)) = both {
        cause.push_str(&format!(
            " A call takes {} steps of SQLite instead of {}: {}.",
            count_words(after),
            count_words(before),
            times(after / before)
        ));
        said.extend([("steps_before", before), ("steps", after)]);
    }
    let remedy = match (is_worse, lost(&change.before, &change.after).first()) {
        (true, Some(index)) => format!(
            "See whether {index} is still there, and whether the statement still asks for its columns as they are."
        ),
        (true, None) => {
            "See what changed in the schema, the statistics or the statement.".to_owned()
        }
        (false, _) => "There is nothing to do if the change is intended.".to_owned(),
    };
    Draft {
        kind: Kind::PlanChange,
        service: statement.service.clone(),
        environment: statement.environment.clone(),
        subject: format!("{}\0{}", change.instance, statement.fingerprint()),
        severity: if is_worse {
            Severity::Cost
        } else {
            Severity::Notice
        },
        saving: 0.0,
        says: Says {
            title: format!("Since {}, {}.", since(change), what(statement, change)),
            cause,
            remedy,
            evidence: look.evidence(statement),
            figures: figures(&said),
        },
    }
}

/// `1.4.2`, or when it was where the version is the same.
fn since(change: &Change) -> String {
    if change.version.is_empty() || change.version == change.version_before {
        let mut time = apm_time::rfc3339(change.at * apm_time::SECOND);
        time.truncate("2026-11-29T10:00".len());
        return format!("{} UTC", time.replace('T', " "));
    }
    change.version.clone()
}

/// `SELECT FROM people no longer uses people_city`
fn what(statement: &Statement, change: &Change) -> String {
    let short = statement.short();
    let old = lost(&change.before, &change.after).join(", ");
    let new = lost(&change.after, &change.before).join(", ");
    match (old.is_empty(), new.is_empty()) {
        (false, true) => format!("{short} no longer uses {old}"),
        (false, false) => format!("{short} uses {new} and no longer {old}"),
        (true, false) => format!("{short} uses {new}"),
        (true, true) => format!("{short} has another plan"),
    }
}

/// The indexes of a plan that another does not use.
fn lost(plan: &Plan, other: &Plan) -> Vec<String> {
    let own = plan.all().filter_map(|step| step.meaning.index.clone());
    let own: BTreeSet<String> = own.collect();
    own.into_iter()
        .filter(|index| other.using(index).is_none())
        .collect()
}

/// The steps of a plan as the database names them.
fn named(plan: &Plan) -> String {
    let all: Vec<&str> = plan.all().map(|step| step.detail.as_str()).collect();
    match all.len() {
        0 => "no step".to_owned(),
        n if n > NAMED => format!("{} and {} more", all[..NAMED].join(", "), n - NAMED),
        _ => all.join(", "),
    }
}

/// `12 × the steps`, `a 12th of them`
fn times(factor: f64) -> String {
    match factor {
        f if f >= 10.0 => format!("{f:.0} × the steps"),
        f if f >= 1.05 => format!("{f:.1} × the steps"),
        f if f > 0.95 => "about the same".to_owned(),
        f => format!("{:.0} % of them", f * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_told_in_words() {
        let found = [12.3, 1.23, 1.01, 0.08].map(times);
        assert_eq!(
            found,
            [
                "12 × the steps",
                "1.2 × the steps",
                "about the same",
                "8 % of them"
            ]
        );
    }
}
