use apm_store::id::StoredId;
use diesel::connection::SimpleConnection as _;

use super::*;
use crate::analytics::tests::empty;

#[test]
fn a_window_that_begins_before_callers_were_counted_knows_since_when_they_were() {
    let conn = &mut empty();
    let count = |conn: &mut SqliteConnection, level: i64, bucket: i64| {
        diesel::sql_query(
                "INSERT INTO roll_caller (level, bucket, tx_group_id, statement_id, requests, calls, most, sum, \
                 tx_sum, follows, looped, trace_id) VALUES (?, ?, 1, 0, 1, 1, 1, 1, 1, 0, 0, x'00')",
            )
            .bind::<BigInt, _>(level)
            .bind::<BigInt, _>(bucket)
            .execute(conn)
            .unwrap();
    };
    let since = |conn: &mut SqliteConnection, from: i64| {
        let range = Range {
            from: from * SECOND,
            to: (from + 7_200) * SECOND,
        };
        counted_since(conn, &Window::new(range, range.to)).unwrap()
    };
    assert_eq!(since(conn, 7_200), Some(i64::MAX), "nothing was counted");
    count(conn, 60, 10_860);
    count(conn, 3_600, 10_800);
    assert_eq!(since(conn, 7_200), Some(10_860));
    assert_eq!(since(conn, 10_860), None);
    // The minutes of an earlier hour are gone: it was counted whole.
    count(conn, 3_600, 3_600);
    assert_eq!(since(conn, 7_200), None);
}

#[test]
fn only_long_windows_are_cut_and_at_their_beginning() {
    let to = 1_800_000_000 * SECOND;
    for (hours, cut) in [(1, 1), (6, 6), (24, 6)] {
        let asked = Range {
            from: to - hours * 3_600 * SECOND,
            to,
        };
        let window = lately(&Window::new(asked, to));
        assert_eq!(window.asked.to, to);
        assert_eq!(to - window.asked.from, cut * 3_600 * SECOND, "{hours} h");
    }
}

/// A service in two environments, with a transaction group and a statement in each: their ids are 1 and 2.
fn two_environments() -> SqliteConnection {
    let mut conn = empty();
    let text = "INSERT INTO service VALUES (1, 'shop', 'a', '', '', '', '', 0, 0),
            (2, 'shop', 'b', '', '', '', '', 0, 0);
        INSERT INTO tx_group VALUES (1, 1, 'request', 'GET /', 0), (2, 2, 'request', 'GET /', 0);
        INSERT INTO statement VALUES (1, 1, 'db', 'sqlite', 7, 's', 's', '', '', 0, 0),
            (2, 2, 'db', 'sqlite', 7, 's', 's', '', '', 0, 0), (3, 1, 'other', 'sqlite', 7, 's', 's', '', '', 0, 0)";
    conn.batch_execute(text).unwrap();
    conn
}

fn usage(statement: i64, group: i64, requests: i64, calls: f64, sum: f64) -> Usage {
    Usage {
        statement,
        group,
        requests,
        calls,
        most: calls,
        sum,
        tx_sum: 1_000.0,
        trace: StoredId::Short(9),
    }
}

#[test]
fn requests_of_one_name_in_two_environments_are_one_caller_for_each_database() {
    let conn = &mut two_environments();
    let used = Used(vec![
        usage(1, 1, 3, 6.0, 100.0),
        usage(3, 1, 3, 3.0, 90.0),
        usage(2, 2, 1, 10.0, 50.0),
    ]);
    let most = used.calls_per_request();
    let all = used.of_statements(conn, &[1, 2, 3].into(), &most).unwrap();
    let told: Vec<_> = all
        .iter()
        .map(|one| (one.requests, one.calls, one.time, one.share))
        .collect();
    assert_eq!(
        told,
        [(4, 4.0, 37.5, Some(0.075)), (3, 1.0, 30.0, Some(0.09))]
    );
    let one = used.of_statements(conn, &[2].into(), &most).unwrap();
    assert_eq!((one.len(), one[0].calls), (1, 10.0));
    assert_eq!((most[&1], most[&2], most.get(&4)), (2.0, 10.0, None));
}

#[test]
fn the_time_in_statements_of_a_request_is_of_all_environments_that_are_asked_for() {
    let used = Used(vec![usage(0, 1, 3, 6.0, 100.0), usage(0, 2, 1, 10.0, 50.0)]);
    let times = used.times();
    assert_eq!(times.per_request(&[1, 2]), Some(37.5));
    assert_eq!(times.per_request(&[2]), Some(50.0));
    assert_eq!(times.per_request(&[3]), None);
}

#[test]
fn a_statement_keeps_the_caller_with_most_calls_however_many_take_more_time() {
    let conn = &mut two_environments();
    let mut usages: Vec<Usage> = (0..1_200).map(|_| usage(1, 1, 1, 1.0, 1_000.0)).collect();
    usages.push(usage(3, 1, 1, 5.0, 1.0));
    let used = Used(usages);
    let most = used.calls_per_request();
    let found = used.of_statements(conn, &[1, 3].into(), &most).unwrap();
    assert!(found.iter().any(|one| one.calls == 5.0), "{found:?}");
}

#[test]
fn of_many_callers_those_with_most_time_are_left_in_order() {
    // Each number once, in no order.
    let time = |number: i64| (number * 7 % 1_201) as f64;
    let all: Vec<Usage> = (0..1_201)
        .map(|id| usage(id, 1, 1, 1.0, time(id)))
        .collect();
    let left = with_most_time(all);
    let times: Vec<f64> = left.iter().map(|usage| usage.sum).collect();
    let expected: Vec<f64> = (201..=1_200).rev().map(f64::from).collect();
    assert_eq!(times, expected);
}
