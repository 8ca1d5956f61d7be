use super::*;
use crate::analytics::Scope;
use crate::analytics::tests::empty;
use crate::insight::marker::{self, Kind};

#[test]
fn too_many_markers_go_oldest_first_and_none_that_was_set_by_hand() {
    let conn = &mut empty();
    marker::set(conn, 0, ("", None), Kind::Manual, "mine").unwrap();
    for at in 1..=MARKERS + MARKERS / SLACK {
        let service = format!("shop{}", at % 20);
        marker::set(conn, at, (&service, None), Kind::Version, "1.0").unwrap();
    }
    markers(conn).unwrap();
    assert_eq!(
        count(conn, "marker").unwrap(),
        1 + MARKERS + MARKERS / SLACK
    );
    marker::set(conn, 5, ("shop", None), Kind::Start, "a").unwrap();
    markers(conn).unwrap();
    assert_eq!(count(conn, "marker").unwrap(), 1 + MARKERS);
    assert!(marker::find(conn, "mine").unwrap().is_some());
    let newest = &marker::list(conn, &Scope::default()).unwrap()[0];
    assert_eq!(newest.kind, Kind::Version);
    assert_eq!(marker::find(conn, "a").unwrap(), None);
}

#[test]
fn versions_are_kept_of_the_services_that_there_are() {
    let conn = &mut empty();
    diesel::sql_query("INSERT INTO service VALUES (1, 's7', '', 'rust', '1', '', '', 0, 0)")
        .execute(conn)
        .unwrap();
    diesel::sql_query(
        "INSERT INTO service_version WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s LIMIT 5501) \
         SELECT 's' || n, '', '1.0' FROM s",
    )
    .execute(conn)
    .unwrap();
    versions(conn).unwrap();
    assert_eq!(count(conn, "service_version").unwrap(), 1);
    assert_eq!(
        count(conn, "service_version WHERE service = 's7'").unwrap(),
        1
    );
}

#[test]
fn of_too_many_states_of_errors_those_that_were_changed_last_stay() {
    let conn = &mut empty();
    diesel::sql_query(
        "INSERT INTO error_triage WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s LIMIT 22001) \
         SELECT 'shop', n, 1, n, NULL, NULL, 0, 0, '[]', '', NULL, NULL, '', '' FROM s",
    )
    .execute(conn)
    .unwrap();
    error_states(conn).unwrap();
    assert_eq!(count(conn, "error_triage").unwrap(), ERROR_STATES);
    assert_eq!(
        count(conn, "error_triage WHERE changed <= 2001").unwrap(),
        0
    );
}

#[test]
fn of_too_many_findings_those_that_ended_go_first_and_then_the_oldest() {
    let conn = &mut empty();
    diesel::sql_query(
        "INSERT INTO finding WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s LIMIT 2300) \
         SELECT n, 'repeat', 'shop', '', 0, 0, '{}', 0, n, iif(n > 2200, n, NULL), NULL FROM s",
    )
    .execute(conn)
    .unwrap();
    findings(conn).unwrap();
    assert_eq!(count(conn, "finding").unwrap(), FINDINGS);
    assert_eq!(
        count(conn, "finding WHERE ended IS NOT NULL OR last_seen <= 200").unwrap(),
        0
    );
}
