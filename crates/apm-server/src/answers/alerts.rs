//! `/alerts`: what fires, the rules, the receivers, and what was sent.

use std::collections::HashMap;

use apm_alerts::{Firing, Overview, Sent, ShownReceiver, ShownRule};
use diesel::{QueryResult, SqliteConnection};

use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::csv::{Cell, Table};

/// The question: of which services and environments the alerts that fire are. An alert of the server itself is of all.
#[derive(Debug)]
pub(crate) struct Params(Scope);

/// The number of alerts that fire about each service of a scope; those without any are left out.
pub(crate) fn by_service(
    conn: &mut SqliteConnection,
    scope: &Scope,
) -> QueryResult<HashMap<String, u64>> {
    let mut counts = HashMap::new();
    for alert in apm_alerts::firing_alerts(conn)? {
        if !alert.service.is_empty() && scope.has(&alert.service, &alert.environment) {
            *counts.entry(alert.service).or_default() += 1;
        }
    }
    Ok(counts)
}

impl Question for Params {
    type Answer = Overview;
    const ADDRESS: Address = at!("/alerts");
    const SUMMARY: &'static str =
        "What fires, the rules of alerts, their receivers, and what was sent";
    const DEPENDS: Depends = Depends::Files;
    const TABLES: &'static [&'static str] = &["firing", "rules", "receivers", "history"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        arguments.whole_scope().map(Self)
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Overview, Problem> {
        let mut overview = Overview::read(source.conn, &source.settings.alerts)?;
        overview.firing.retain(|firing| {
            let alert = &firing.alert;
            alert.service.is_empty() || self.0.has(&alert.service, &alert.environment)
        });
        Ok(overview)
    }

    fn tables(answer: &Overview) -> Vec<Table> {
        vec![
            Table::from_rows(
                "firing",
                &answer.firing,
                &[
                    ("rule", |row: &Firing| (&row.name).into()),
                    ("service", |row| (&row.alert.service).into()),
                    ("environment", |row| (&row.alert.environment).into()),
                    ("since_utc", |row| Cell::second(row.since)),
                    ("text", |row| (&row.alert.text).into()),
                ],
            ),
            Table::from_rows(
                "rules",
                &answer.rules,
                &[
                    ("id", |row: &ShownRule| (&row.rule.id).into()),
                    ("name", |row| (&row.rule.name).into()),
                    ("kind", |row| row.rule.kind.as_str().to_owned().into()),
                    ("condition", |row| (&row.words).into()),
                    ("hold_s", |row| row.rule.hold().into()),
                    ("firing", |row| (row.firing as i64).into()),
                ],
            ),
            Table::from_rows(
                "receivers",
                &answer.receivers,
                &[
                    ("name", |row: &ShownReceiver| (&row.name).into()),
                    ("kind", |row| (&row.kind).into()),
                    ("target", |row| (&row.target).into()),
                ],
            ),
            Table::from_rows(
                "history",
                &answer.history,
                &[
                    ("id", |row: &Sent| row.id.into()),
                    ("at_utc", |row| Cell::second(row.message.at)),
                    ("rule", |row| (&row.message.name).into()),
                    ("change", |row| {
                        row.message.change.as_str().to_owned().into()
                    }),
                    ("title", |row| (&row.message.title).into()),
                    ("deliveries", |row| {
                        let all = row
                            .deliveries
                            .iter()
                            .map(|one| format!("{}: {}", one.receiver, one.state));
                        all.collect::<Vec<_>>().join(", ").into()
                    }),
                ],
            ),
        ]
    }
}
