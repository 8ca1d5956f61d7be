mod servers;

use serde_json::json;

use super::*;
use crate::analytics::tests::empty;

fn of(service: Option<&str>, environment: Option<&str>) -> Scope {
    Scope {
        service: service.map(str::to_owned),
        environment: environment.map(str::to_owned),
        ..Scope::default()
    }
}

fn arrive(conn: &mut SqliteConnection, version: &str, pid: u32, now: i64) {
    arrive_in(conn, (1, ""), version, pid, now);
}

fn arrive_in(conn: &mut SqliteConnection, of: (i64, &str), version: &str, pid: u32, now: i64) {
    let service = json!({"name": "shop", "version": version});
    let metadata =
        json!({"service": service, "process": {"pid": pid}, "system": {"hostname": "a"}});
    let document = json!({ "metadata": metadata }).to_string();
    arrive_as(conn, of, &document, now);
}

fn arrive_as(
    conn: &mut SqliteConnection,
    (id, environment): (i64, &str),
    document: &str,
    now: i64,
) {
    diesel::sql_query(
        "INSERT OR IGNORE INTO service VALUES (?, 'shop', ?, 'rust', '1', '', '', 0, 0)",
    )
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(environment)
    .execute(conn)
    .unwrap();
    diesel::sql_query(
        "INSERT INTO resource (service_id, hash, document, last_seen) \
         VALUES (?, (SELECT count(*) FROM resource), ?, 0)",
    )
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(document)
    .execute(conn)
    .unwrap();
    if let Some(arrivals) = unseen(conn).unwrap() {
        arrivals.write(conn, now * apm_time::SECOND).unwrap();
    }
}

#[test]
fn new_versions_and_processes_set_markers_once() {
    let conn = &mut empty();
    arrive(conn, "1.0", 10, 1_000);
    arrive(conn, "1.0", 11, 1_010);
    arrive(conn, "1.1", 12, 2_000);
    assert!(unseen(conn).unwrap().is_none());
    let found: Vec<String> = list(conn, &of(Some("shop"), None))
        .unwrap()
        .iter()
        .map(Marker::words)
        .collect();
    assert_eq!(
        found,
        [
            "the start of process 12 on a",
            "version 1.1",
            "the start of process 10 on a"
        ]
    );
    let compared = |conn: &mut SqliteConnection| -> Vec<String> {
        let found = latest(conn, 0, 9_000).unwrap();
        found.iter().map(Marker::words).collect()
    };
    assert_eq!(compared(conn), ["version 1.1"]);
    arrive(conn, "1.1", 13, 5_000);
    arrive(conn, "1.1", 14, 6_000);
    let restarted = ["version 1.1", "the start of process 14 on a"];
    assert_eq!(compared(conn), restarted, "a restart hides no deployment");
}

#[test]
fn a_process_without_a_number_is_named_after_its_service() {
    let conn = &mut empty();
    let document = r#"{"metadata":{"service":{"name":"shop"},"system":{"hostname":"a"}}}"#;
    arrive_as(conn, (1, ""), document, 1_000);
    let found = &list(conn, &of(Some("shop"), None)).unwrap()[0];
    assert_eq!(found.words(), "the start of shop on a");
}

#[test]
fn each_environment_has_its_own_version() {
    let conn = &mut empty();
    let (test, live) = ((1, "test"), (2, "live"));
    arrive_in(conn, live, "1.0", 10, 1_000);
    arrive_in(conn, test, "1.1", 11, 1_010);
    arrive_in(conn, live, "1.0", 12, 2_000);
    arrive_in(conn, test, "1.2", 13, 3_000);
    let versions = |conn: &mut SqliteConnection, environment| -> Vec<String> {
        let found = list(conn, &of(Some("shop"), environment)).unwrap();
        let versions = found.iter().filter(|marker| marker.kind == Kind::Version);
        versions.map(Marker::words).collect()
    };
    assert_eq!(versions(conn, None), ["version 1.2"]);
    assert_eq!(versions(conn, Some("test")), ["version 1.2"]);
    assert!(versions(conn, Some("live")).is_empty());
    let of_test = &list(conn, &of(None, Some("test"))).unwrap()[0];
    assert!(of_test.is_of("shop", "test") && !of_test.is_of("shop", "live"));
}

#[test]
fn a_marker_is_found_by_number_and_by_name() {
    let conn = &mut empty();
    let long = "é".repeat(300);
    let first = set(conn, 5, ("", None), Kind::Manual, "before").unwrap();
    let second = set(conn, 6, ("shop", None), Kind::Manual, "before").unwrap();
    set(conn, 7, ("", None), Kind::Manual, &long).unwrap();
    assert_eq!(find(conn, "before").unwrap().unwrap().id, second);
    assert_eq!(find(conn, &first.to_string()).unwrap().unwrap().at, 0);
    assert_eq!(find(conn, "none").unwrap(), None);
    assert_eq!(list(conn, &of(Some("other"), None)).unwrap().len(), 2);
    assert!(list(conn, &of(None, None)).unwrap()[0].name.len() <= LONGEST_NAME);
}
