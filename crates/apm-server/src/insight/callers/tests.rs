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
