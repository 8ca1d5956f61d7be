//! The phases of subjects, so that a restart neither tells an alert twice nor forgets one.

use diesel::prelude::*;

use super::alert_state;
use crate::message::Alert;
use crate::phase::Phase;

/// Most subjects of all rules together.
const MOST: i64 = 5_000;

/// A subject that is pending or firing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) rule: String,
    pub(crate) phase: Phase,
    /// The last reading.
    pub(crate) alert: Alert,
}

type Row = (String, i32, i64, Option<i64>, String);

/// The subjects of all rules.
pub(crate) fn list(conn: &mut SqliteConnection) -> QueryResult<Vec<State>> {
    let rows: Vec<Row> = alert_state::table
        .order((alert_state::rule, alert_state::subject))
        .select((
            alert_state::rule,
            alert_state::phase,
            alert_state::since,
            alert_state::calm,
            alert_state::document,
        ))
        .limit(MOST)
        .load(conn)?;
    let states = rows
        .into_iter()
        .filter_map(|(rule, phase, since, calm, document)| {
            Some(State {
                rule,
                phase: match phase {
                    0 => Phase::Pending { since },
                    _ => Phase::Firing { since, calm },
                },
                alert: serde_json::from_str(&document).ok()?,
            })
        });
    Ok(states.collect())
}

/// Keeps a state in the place of the one before.
pub(crate) fn keep(conn: &mut SqliteConnection, state: &State) -> QueryResult<()> {
    let (phase, since, calm) = match state.phase {
        Phase::Pending { since } => (0, since, None),
        Phase::Firing { since, calm } => (1, since, calm),
    };
    let row = (
        alert_state::rule.eq(&state.rule),
        alert_state::subject.eq(&state.alert.subject),
        alert_state::phase.eq(phase),
        alert_state::since.eq(since),
        alert_state::calm.eq(calm),
        alert_state::document.eq(serde_json::to_string(&state.alert).unwrap_or_default()),
    );
    diesel::replace_into(alert_state::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// Forgets a subject of a rule.
pub(crate) fn forget(conn: &mut SqliteConnection, rule: &str, subject: &str) -> QueryResult<()> {
    let which = alert_state::table
        .filter(alert_state::rule.eq(rule))
        .filter(alert_state::subject.eq(subject));
    diesel::delete(which).execute(conn)?;
    Ok(())
}

/// The subjects that fire, with their last readings.
pub(crate) fn firing_alerts(conn: &mut SqliteConnection) -> QueryResult<Vec<Alert>> {
    let documents: Vec<String> = alert_state::table
        .filter(alert_state::phase.eq(1))
        .select(alert_state::document)
        .limit(MOST)
        .load(conn)?;
    let alerts = documents.iter();
    Ok(alerts
        .filter_map(|document| serde_json::from_str(document).ok())
        .collect())
}

/// The number of subjects that fire.
pub(crate) fn firing(conn: &mut SqliteConnection) -> QueryResult<u64> {
    let count: i64 = alert_state::table
        .filter(alert_state::phase.eq(1))
        .count()
        .get_result(conn)?;
    Ok(count.unsigned_abs())
}
