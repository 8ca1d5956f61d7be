//! Rules and receivers that people made on the page or by the API, and silences.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{alert_receiver, alert_rule, alert_silence, alert_watch};
use crate::receiver::Receiver;
use crate::rule::Rule;

/// Most rules that are kept.
pub(crate) const MOST_RULES: i64 = 100;

/// Most receivers that are kept.
pub(crate) const MOST_RECEIVERS: i64 = 50;

/// The rules, by id. One that this version cannot read is left out, and the log names it.
pub(crate) fn rules(conn: &mut SqliteConnection) -> QueryResult<Vec<Rule>> {
    let rows: Vec<(String, String)> = alert_rule::table
        .order(alert_rule::id)
        .select((alert_rule::id, alert_rule::document))
        .limit(MOST_RULES)
        .load(conn)?;
    let read = rows.into_iter().filter_map(|(id, document)| {
        let rule = serde_json::from_str::<Rule>(&document).map_err(|error| error.to_string());
        match rule.and_then(|rule| rule.checked().map_err(|error| error.to_string())) {
            // The key of the row counts, not the id in the document.
            Ok(rule) => Some(Rule { id, ..rule }),
            Err(error) => {
                log::warn!("the kept rule {id} cannot be read: {error}");
                None
            }
        }
    });
    Ok(read.collect())
}

/// Keeps a rule in the place of one with its id. False: there are too many.
pub(crate) fn keep_rule(conn: &mut SqliteConnection, rule: &Rule, now: i64) -> QueryResult<bool> {
    let others = alert_rule::table.filter(alert_rule::id.ne(&rule.id));
    if others.count().get_result::<i64>(conn)? >= MOST_RULES {
        return Ok(false);
    }
    let row = (
        alert_rule::id.eq(&rule.id),
        alert_rule::document.eq(serde_json::to_string(rule).unwrap_or_default()),
        alert_rule::changed.eq(now),
    );
    diesel::replace_into(alert_rule::table)
        .values(row)
        .execute(conn)?;
    Ok(true)
}

/// Forgets a rule and its silence; one that comes with the program is as before. False: there is none.
pub(crate) fn forget_rule(conn: &mut SqliteConnection, id: &str) -> QueryResult<bool> {
    let gone = diesel::delete(alert_rule::table.filter(alert_rule::id.eq(id))).execute(conn)?;
    if gone == 0 {
        // A rule of the program that nobody changed keeps its silence: nothing was forgotten.
        return Ok(false);
    }
    diesel::delete(alert_silence::table.filter(alert_silence::rule.eq(id))).execute(conn)?;
    diesel::delete(alert_watch::table.filter(alert_watch::rule.eq(id))).execute(conn)?;
    Ok(true)
}

/// The receivers, by name.
pub(crate) fn receivers(conn: &mut SqliteConnection) -> QueryResult<Vec<Receiver>> {
    let rows: Vec<(String, String)> = alert_receiver::table
        .order(alert_receiver::name)
        .select((alert_receiver::name, alert_receiver::document))
        .limit(MOST_RECEIVERS)
        .load(conn)?;
    let read = rows.into_iter().filter_map(|(name, document)| {
        match serde_json::from_str::<Receiver>(&document) {
            Ok(receiver) => Some(receiver),
            Err(error) => {
                log::warn!("the kept receiver {name} cannot be read: {error}");
                None
            }
        }
    });
    Ok(read.collect())
}

/// Keeps a receiver in the place of one with its name. False: there are too many.
pub(crate) fn keep_receiver(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    now: i64,
) -> QueryResult<bool> {
    let others = alert_receiver::table.filter(alert_receiver::name.ne(&receiver.name));
    if others.count().get_result::<i64>(conn)? >= MOST_RECEIVERS {
        return Ok(false);
    }
    let row = (
        alert_receiver::name.eq(&receiver.name),
        alert_receiver::document.eq(serde_json::to_string(receiver).unwrap_or_default()),
        alert_receiver::changed.eq(now),
    );
    diesel::replace_into(alert_receiver::table)
        .values(row)
        .execute(conn)?;
    Ok(true)
}

/// Forgets a receiver. False: there is none.
pub(crate) fn forget_receiver(conn: &mut SqliteConnection, name: &str) -> QueryResult<bool> {
    let which = alert_receiver::table.filter(alert_receiver::name.eq(name));
    Ok(diesel::delete(which).execute(conn)? > 0)
}

/// Until when rules are silent, by id, seconds.
pub(crate) fn silences(conn: &mut SqliteConnection) -> QueryResult<HashMap<String, i64>> {
    let rows = alert_silence::table
        .select((alert_silence::rule, alert_silence::until))
        .load::<(String, i64)>(conn)?;
    Ok(rows.into_iter().collect())
}

/// Silences a rule until a time; a time that is past ends its silence.
pub(crate) fn silence(conn: &mut SqliteConnection, rule: &str, until: i64) -> QueryResult<()> {
    let row = (alert_silence::rule.eq(rule), alert_silence::until.eq(until));
    diesel::replace_into(alert_silence::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// When rules were first evaluated, by id, seconds.
pub(crate) fn watched(conn: &mut SqliteConnection) -> QueryResult<HashMap<String, i64>> {
    let rows = alert_watch::table
        .select((alert_watch::rule, alert_watch::since))
        .load::<(String, i64)>(conn)?;
    Ok(rows.into_iter().collect())
}

/// Notes that a rule is evaluated from now on.
pub(crate) fn watch(conn: &mut SqliteConnection, rule: &str, since: i64) -> QueryResult<()> {
    diesel::insert_or_ignore_into(alert_watch::table)
        .values((alert_watch::rule.eq(rule), alert_watch::since.eq(since)))
        .execute(conn)?;
    Ok(())
}
