use super::*;
use crate::analytics::tests::empty;

/// A request of a service, with spans of a statement before it, and spans of requests that never come before these.
fn recorded(conn: &mut SqliteConnection, waiting: i64, own: i64) {
    for sql in [
        "INSERT INTO service (id, name, environment, agent_name, agent_version, language, version, first_seen, \
         last_seen) VALUES (1, 'shop', '', 'rust', '1', '', '', 0, 0)"
            .to_owned(),
        "INSERT INTO tx_group (id, service_id, type, name, last_seen) VALUES (1, 1, 'request', 'GET /', 0)".to_owned(),
        "INSERT INTO statement (id, service_id, instance, subtype, fingerprint, normalized, sample, verb, table_name, \
         first_seen, last_seen) VALUES (1, 1, 'a.db', 'sqlite', 7, 'SELECT 1', 'SELECT 1', 'SELECT', '', 0, 0)"
            .to_owned(),
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {waiting} + {own}) \
             INSERT INTO span_row (seq, group_id, resource_id, ts, duration, trace_id, id, transaction_id, outcome, \
             statement_id) SELECT i, 1, 1, 5, 1, x'00000000000000000000000000000001', 1, \
             CASE WHEN i > {waiting} THEN 7 ELSE 8 END, 1, 1 FROM n"
        ),
        format!(
            "INSERT INTO tx (seq, group_id, resource_id, ts, duration, trace_id, id, outcome, sampled, spans_started) \
             VALUES ({waiting} + {own} + 1, 1, 1, 5, 9, x'00000000000000000000000000000001', 7, 1, \
             1, {own})"
        ),
        "INSERT INTO block (id, received, ts_min, ts_max, events, data) VALUES (0, 0, 0, 5, 1, x'')".to_owned(),
    ] {
        diesel::sql_query(sql).execute(conn).expect("a statement");
    }
}

#[test]
fn spans_that_find_no_place_are_told_and_those_of_a_long_request_have_one() {
    let conn = &mut empty();
    recorded(conn, 0, 400);
    let counted = Observer::all(conn, 5).unwrap();
    let all = counted.usage.iter().find(|usage| usage.statement == 0);
    assert_eq!(all.map(|all| all.most), Some(400.0));
    assert!(!counted.is_cut && counted.gaps.is_empty(), "{counted:?}");

    let conn = &mut empty();
    recorded(conn, i64::try_from(WAITING).unwrap(), 1);
    let counted = Observer::all(conn, 5).unwrap();
    assert!(counted.is_cut);
}
