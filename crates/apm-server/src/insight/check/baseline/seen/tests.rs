use apm_store::id::StoredId;

use super::*;
use crate::analytics::tests::empty;

fn usage(group: i64, statement: i64, calls: f64) -> Usage {
    Usage {
        group,
        statement,
        requests: 1,
        calls,
        most: calls,
        follows: 0,
        looped: 0.0,
        trace: StoredId::Short(1),
        work: Work::default(),
    }
}

#[test]
fn statements_for_which_there_is_no_room_are_counted() {
    let conn = &mut empty();
    for sql in [
        "INSERT INTO service (id, name, environment, agent_name, agent_version, language, version, first_seen, \
         last_seen) VALUES (1, 'shop', '', 'rust', '1', '', '', 0, 0)",
        "INSERT INTO statement (id, service_id, instance, subtype, fingerprint, normalized, sample, verb, table_name, \
         first_seen, last_seen) VALUES (1, 1, 'a.db', 'sqlite', 7, 'SELECT 1', 'SELECT 1', 'SELECT', '', 0, 0), \
         (2, 1, 'a.db', 'sqlite', 8, 'COMMIT', 'COMMIT', 'COMMIT', '', 0, 0)",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20003) \
         INSERT INTO tx_group (id, service_id, type, name, last_seen) SELECT i, 1, 'request', 'GET /' || i, 0 FROM n",
    ] {
        diesel::sql_query(sql).execute(conn).unwrap();
    }
    let mut all: Vec<Usage> = (1..=20_003).map(|group| usage(group, 1, 1.0)).collect();
    // A COMMIT takes no room.
    all.insert(0, usage(1, 2, 9.0));
    let gate = Gate::default();
    let (found, left_out) = entries(conn, &gate, all.iter().collect(), 0).unwrap();
    assert_eq!((found.len(), left_out), (MOST, 3));
}
