//! Services that had requests all the time and have none now.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::place::Place;
use super::{Facts, Reading, alert, link, query};
use crate::phase::Phase;
use crate::rule::Rule;

/// The time before the silence in which a service had requests all the time, seconds.
const BEFORE: i64 = 3_600;

/// Minutes of that time with requests, at least. A service that is asked now and then has fewer.
const BUSY: i64 = 30;

/// The time after which a silent service is no longer told of: it was taken away.
const LONGEST: i64 = 86_400;

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    place: Place,
    #[diesel(sql_type = BigInt)]
    last: i64,
    #[diesel(sql_type = BigInt)]
    busy: i64,
}

pub(super) fn read(
    conn: &mut SqliteConnection,
    rule: &Rule,
    facts: &Facts<'_>,
) -> QueryResult<Vec<Reading>> {
    let bound = rule.whole("minutes") * 60;
    let rows: Vec<Row> = query(
        include_str!("requests.sql"),
        rule,
        facts.ago(BEFORE + bound),
        facts.now,
    )
    .load(conn)?;
    let mut readings = Vec::new();
    let mut heard = Vec::new();
    for row in rows {
        // The minute of the bucket may have had requests up to its end.
        let last = row.last + 60;
        // While the server was off, nobody could send.
        let silent = facts.now - last.max(facts.started);
        let name = row.place.name();
        let text = format!(
            "{name}: no requests for {} minutes",
            (facts.now - last) / 60
        );
        let link = link::service(&row.place, &[], &[]);
        let alert = alert(row.place, "", &text, link);
        if silent < bound {
            heard.push(alert.subject);
        } else if row.busy >= BUSY {
            readings.push(Reading {
                level: silent as f64 / bound as f64,
                alert,
            });
        }
    }
    // A silence that lasts has no hour with requests before it any more, and goes on.
    for state in facts.firing {
        let known = |reading: &Reading| reading.alert.subject == state.alert.subject;
        let since = match state.phase {
            Phase::Firing { since, .. } | Phase::Pending { since } => since,
        };
        let goes_on = !heard.contains(&state.alert.subject) && facts.now - since < LONGEST;
        if goes_on && !readings.iter().any(known) {
            readings.push(Reading {
                level: 1.0,
                alert: state.alert.clone(),
            });
        }
    }
    Ok(readings)
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection as _;

    use super::*;
    use crate::measure::Disk;
    use crate::rule::{Kind, builtin};

    /// Seconds; the start of a minute.
    const NOW: i64 = 1_800_000_000;

    /// The texts about a service that had requests so many minutes ago, by a server that runs since a time.
    fn missed(minutes: impl Iterator<Item = i64>, started: i64) -> Vec<String> {
        let mut conn = SqliteConnection::establish(":memory:").expect("in memory");
        conn.batch_execute(
            "CREATE TABLE service (id INTEGER, name TEXT, environment TEXT);
             CREATE TABLE event_count (level INTEGER, kind INTEGER, bucket INTEGER, service_id INTEGER, n INTEGER);
             INSERT INTO service VALUES (1, 'shop', '');",
        )
        .expect("tables");
        for minute in minutes {
            let bucket = NOW - minute * 60;
            let row = format!("INSERT INTO event_count VALUES (60, 1, {bucket}, 1, 5)");
            conn.batch_execute(&row).expect("a row");
        }
        let rules = builtin();
        let rule = rules.iter().find(|rule| rule.kind == Kind::NoRequests);
        let disk = Disk::default();
        let facts = Facts {
            now: NOW,
            since: 0,
            started,
            disk: &disk,
            lag: None,
            firing: &[],
        };
        let found = read(&mut conn, rule.expect("one"), &facts).expect("readings");
        let beyond = found.into_iter().filter(|reading| reading.level >= 1.0);
        beyond.map(|reading| reading.alert.text).collect()
    }

    #[test]
    fn a_service_that_had_requests_all_the_time_is_missed() {
        assert_eq!(missed(15..=65, 0), ["shop: no requests for 14 minutes"]);
        assert!(missed(2..=65, 0).is_empty(), "it has requests");
        assert!(
            missed((15..=65).step_by(5), 0).is_empty(),
            "it is asked now and then"
        );
        assert!(missed(15..=65, NOW - 60).is_empty(), "the server was off");
    }
}
