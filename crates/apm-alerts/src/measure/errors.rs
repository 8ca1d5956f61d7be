//! Groups of errors that are new, or that came back: after a long time, or after somebody resolved or ignored them. The
//! server writes in `error_triage` what opened a group again; it is only read here.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text};

use super::place::Place;
use super::{Facts, Reading, alert, link, query};
use crate::rule::Rule;

/// The window in which an error counts as happening, seconds.
const RECENT: i64 = 600;

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    place: Place,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    message: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    earlier: Option<i64>,
    #[diesel(sql_type = Bool)]
    reopened: bool,
    #[diesel(sql_type = Text)]
    reopened_in: String,
    #[diesel(sql_type = Double)]
    occurrences: f64,
}

pub(super) fn read(
    conn: &mut SqliteConnection,
    rule: &Rule,
    facts: &Facts<'_>,
) -> QueryResult<Vec<Reading>> {
    let quiet = rule.whole("quiet_hours") * 3_600;
    let rows: Vec<Row> = query(
        include_str!("errors.sql"),
        rule,
        facts.ago(RECENT),
        facts.now,
    )
    .bind::<BigInt, _>(facts.since)
    .bind::<BigInt, _>(facts.now - quiet)
    .load(conn)?;
    let readings = rows.into_iter().map(|row| {
        let state = match (row.reopened, row.earlier, &*row.reopened_in) {
            (false, None, _) => "new error".to_owned(),
            (false, Some(_), _) | (true, _, "") => "error came back".to_owned(),
            (true, _, version) => format!("error came back in {version}"),
        };
        let what = what(&row.kind, &row.message);
        let times = match row.occurrences {
            1.0 => String::new(),
            times => format!(" ({times:.0} times)"),
        };
        let name = row.place.name();
        let text = format!("{name}: {state}{times}: {what}");
        let link = link::service(&row.place, &["errors", &row.key], &[]);
        Reading {
            level: 1.0,
            alert: alert(row.place, &row.key, &text, link),
        }
    });
    Ok(readings.collect())
}

/// Type and message of an error. Some agents begin the message with the type.
fn what(kind: &str, message: &str) -> String {
    let has_kind = message
        .strip_prefix(kind)
        .is_some_and(|rest| rest.starts_with(':'));
    match (kind, message) {
        ("", message) => message.to_owned(),
        (kind, "") => kind.to_owned(),
        (_, message) if has_kind => message.to_owned(),
        (kind, message) => format!("{kind}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::what;

    #[test]
    fn the_type_of_an_error_is_said_once() {
        for (kind, message, said) in [
            ("ValueError", "no such city", "ValueError: no such city"),
            (
                "ValueError",
                "ValueError: no such city",
                "ValueError: no such city",
            ),
            (
                "ValueError",
                "ValueErrors are bad",
                "ValueError: ValueErrors are bad",
            ),
            ("", "no such city", "no such city"),
            ("ValueError", "", "ValueError"),
        ] {
            assert_eq!(what(kind, message), said);
        }
    }
}
