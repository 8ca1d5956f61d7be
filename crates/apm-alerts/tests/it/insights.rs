//! Insights: which of them are told.

use apm_alerts::Options;
use serde_json::json;

use super::rules::{firing, with};
use crate::support::Server;

/// Findings as the server writes them, at once: each with its severity, and the seconds since it was first seen.
fn found(server: &Server, findings: &'static [(&'static str, i32, i64)]) {
    let now = crate::support::now() / 1_000_000;
    let written = server.store.write(move |conn| {
        use diesel::RunQueryDsl as _;
        use diesel::sql_types::{BigInt, Integer, Text};
        for &(id, severity, ago) in findings {
            let title = format!("GET /{id} runs a query for each row");
            diesel::sql_query(
                "INSERT INTO finding \
                 (id, kind, service, environment, severity, saving, document, first_seen, last_seen) \
                 VALUES (?1, 'repeat', 'shop', '', ?2, 1.0, ?3, ?4, ?4)",
            )
            .bind::<Text, _>(id)
            .bind::<Integer, _>(severity)
            .bind::<Text, _>(json!({ "title": title }).to_string())
            .bind::<BigInt, _>(now - ago)
            .execute(conn)?;
        }
        Ok(())
    });
    written.expect("room").wait().expect("written");
}

#[test]
fn an_insight_is_told_if_it_is_new_and_severe_enough() {
    let server = Server::start(with(&[
        json!({"name": "grave", "kind": "insight", "severity": 2}),
        json!({"name": "of another", "kind": "insight", "severity": 0, "service": "other"}),
    ]));
    found(&server, &[("before", 2, 3_600)]);
    server.watched();
    found(
        &server,
        &[("notice", 0, 0), ("cost", 1, 0), ("grave", 2, 0)],
    );
    let overview = server.until("fired", |all| {
        firing(all, "A new insight").len() == 2 && !firing(all, "grave").is_empty()
    });
    let mut told = firing(&overview, "A new insight");
    told.sort();
    let text = |id: &str| format!("shop: GET /{id} runs a query for each row");
    assert_eq!(told, [text("cost"), text("grave")]);
    assert_eq!(firing(&overview, "grave"), [text("grave")]);
    assert!(firing(&overview, "of another").is_empty());
    let first = overview.firing.iter().find(|one| one.name == "grave");
    assert_eq!(first.expect("it fires").alert.link, "/insights");
}

#[test]
fn an_insight_that_somebody_dismisses_fires_no_more() {
    let server = Server::start(Options::default());
    server.watched();
    found(&server, &[("cost", 1, 0)]);
    server.until("fired", |all| !firing(all, "A new insight").is_empty());
    server.execute("UPDATE finding SET dismissed = 1");
    server.calm();
    server.a_minute_later();
    let overview = server.until("calm", |all| all.firing.is_empty());
    assert_eq!(overview.history.len(), 1, "its end is not told");
}
