//! Pieces that programs repeat, and names that they make up, for each call: one fingerprint for any number of values.

use super::super::Fingerprint;

/// Statements that are one but for the number of their values, and what is left of each.
#[test]
fn the_number_of_values_does_not_count() {
    for (normalized, statements) in [
        (
            "SELECT * FROM t WHERE id = ? OR id = ?…",
            &[
                "select * from t where id = 1 or id = 2",
                "select * from t where id = 1 or id = 2 or id = 3 or id = 4",
                "select * from t where id = $1 or id = $2 or id = $3",
            ][..],
        ),
        (
            "SELECT * FROM t WHERE (a = ? AND b = ?) OR (a = ? AND b = ?)… ORDER BY c",
            &[
                "select * from t where (a = 1 and b = 2) or (a = 3 and b = 4) order by c",
                "select * from t where (a = 1 and b = 2) or (a = 3 and b = 4) or (a = 5 and b = 6) order by c",
            ],
        ),
        (
            "SELECT * FROM t WHERE a LIKE ? AND a LIKE ?…",
            &[
                "select * from t where a like '%x%' and a like '%y%'",
                "select * from t where a like '%x%' and a like '%y%' and a like '%z%'",
            ],
        ),
        (
            "UPDATE t SET a = CASE id WHEN ? THEN ?… END WHERE id IN (?…)",
            &[
                "update t set a = case id when 1 then 'x' when 2 then 'y' end where id in (1, 2)",
                "update t set a = case id when 1 then 'x' when 2 then 'y' when 3 then 'z' end where id in (1, 2, 3)",
            ],
        ),
        (
            "UPDATE t SET a = CASE WHEN id = ? AND v = ? THEN a + ?… ELSE a END, b = CASE WHEN id = ? THEN ?… END",
            &[
                "update t set a = case when id = 1 and v = 2 then a + 1 when id = 2 and v = 3 then a + 2 else a end, \
                 b = case when id = 1 then 2 when id = 3 then 4 end",
                "update t set a = case when id = 1 and v = 2 then a + 1 when id = 2 and v = 3 then a + 2 when id = 4 \
                 and v = 5 then a + 3 else a end, b = case when id = 1 then 2 when id = 3 then 4 when id = 5 then 6 \
                 end",
            ],
        ),
        (
            "INSERT INTO t SELECT ?, ? UNION ALL SELECT ?, ?…",
            &[
                "insert into t select 1, 'a' union all select 2, 'b'",
                "insert into t select 1, 'a' union all select 2, 'b' union all select 3, 'c' union all select 4, 'd'",
            ],
        ),
        (
            "SELECT * FROM (SELECT ? AS a UNION ALL SELECT ?…) x",
            &[
                "select * from (select 1 as a union all select 2 union all select 3) x",
                "select * from (select 1 as a union all select 2 union all select 3 union all select 4) x",
            ],
        ),
        (
            "INSERT INTO t VALUES (?, ?); INSERT INTO t VALUES (?, ?)…",
            &[
                "insert into t values (1, 2); insert into t values (3, 4)",
                "insert into t values (1, 2); insert into t values (3, 4); insert into t values (5, 6);",
            ],
        ),
        (
            "UPDATE t SET a = ? WHERE id = ?; UPDATE t SET a = ? WHERE id = ?…",
            &[
                "UPDATE t SET a = 1 WHERE id = 2; UPDATE t SET a = 1 WHERE id = 2;\nUPDATE t SET a = 1 WHERE id = 2;",
                "UPDATE t SET a = @p0 WHERE id = @p1;\r\nUPDATE t SET a = @p2 WHERE id = @p3",
            ],
        ),
        (
            "SELECT a FROM t WHERE (a, b) IN (?…)",
            &[
                "select a from t where (a, b) in ((1, 2))",
                "select a from t where (a, b) in ((1, 2), (3, 4), ($5, $6::int))",
                "select a from t where (a, b) in (values (1, 2), (3, 4))",
            ][..2],
        ),
        (
            "SELECT a FROM t LIMIT ?",
            &[
                "select a from t limit 10",
                "select a from t limit $1",
                "select a from t limit :n -- x",
            ],
        ),
        (
            "SELECT top(?) a FROM t",
            &["select top (10) a from t", "select top (20) a from t"],
        ),
        (
            "SELECT a FROM t LIMIT ?, ?",
            &["select a from t limit 10, 20", "select a from t limit ?, ?"],
        ),
    ] {
        for sql in statements {
            assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
        }
    }
}

#[test]
fn made_up_tables_and_comments_of_requests_do_not_count() {
    for (normalized, statements) in [
        (
            "CREATE TEMPORARY TABLE tmp_?(id int)",
            &[
                "create temporary table tmp_17 (id int)",
                "create temporary table tmp_139919584 (id int)",
            ][..],
        ),
        (
            "INSERT INTO \"temp_ids_?\" SELECT a.id FROM a JOIN tmp_?_? ON tmp_?_?.id = a.id",
            &[
                "insert into \"temp_ids_7\" select a.id from a join tmp_1_2 on tmp_1_2.id = a.id",
                "insert into \"temp_ids_8\" select a.id from a join tmp_3_4 on tmp_3_4.id = a.id",
            ],
        ),
        (
            "DROP TABLE IF EXISTS import_?",
            &[
                "drop table if exists import_0b5e8a4c_1c2d_4e3f_8a9b_0c1d2e3f4a5b",
                "drop table if exists import_deadbeef01234567",
            ],
        ),
        (
            "SELECT a FROM t WHERE b = ?",
            &[
                "/* request_id=4f1c2d3e */ select a from t where b = 1",
                "select a from t where b = 1 /*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',\
                 db_driver='x%3A1'*/",
                "select a from t where b = 1 -- controller:users,action:show,request_id:7",
                "select a from t where b = 1 /*traceparent='00-0af7651916cd43dd844",
            ],
        ),
    ] {
        for sql in statements {
            assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
        }
    }
    assert_eq!(Fingerprint::from_text("drop table tmp_17").table, "tmp_?");
}

#[test]
fn statements_that_mean_something_else_stay_apart() {
    let apart = [
        "select * from t where id = 1",
        "select * from t where id = 1 or id = 2",
        "select * from t where id = 1 and id = 2",
        "select * from t where id = 1 or name = 2",
        "select * from t where id = 1 or id > 2",
        "select * from t where t.id = 1 or id = 2",
        "select * from t where id = 1 or (id = 2)",
        "select * from t where not id = 1 or id = 2",
        "select * from t where id in (1, 2)",
        "select 1 union select 2",
        "select 1 union all select 2",
        "select 1 union all select a from t",
        "select * from shard_1",
        "select * from shard_2",
        "select * from events_2026_11_28",
        "select * from events_2026_11_29",
        "select temp_1 from sensors",
        "select temp_2 from sensors",
        "select a from t limit 1",
        "select a from t limit 1 offset 1",
        "select case when a = 1 then b when a = 2 then c end",
        "select case when a = 1 then b end",
        "insert into t values (1); select last_insert_id()",
        "insert into t values (1); update t set a = 1",
    ];
    let mut seen = std::collections::HashMap::new();
    for sql in apart {
        if let Some(other) = seen.insert(Fingerprint::from_text(sql).hash, sql) {
            panic!("{sql} and {other}");
        }
    }
}
