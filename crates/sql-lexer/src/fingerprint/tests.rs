mod hostile;
mod languages;
mod made_up;
mod quotes;
mod repeated;
mod stable;

use proptest::prelude::*;

use super::*;

#[test]
fn literals_parameters_spacing_and_case_of_keywords_do_not_count() {
    for (sql, normalized) in [
        ("select * from people", "SELECT * FROM people"),
        ("SELECT  *\n\tFROM people ;", "SELECT * FROM people"),
        (
            "select count(*), city from people group by city",
            "SELECT count(*), city FROM people GROUP BY city",
        ),
        (
            "select count (*) from People",
            "SELECT count(*) FROM People",
        ),
        (
            "SELECT 1, 1.5e-3, .5, 0xFF, 'it''s', x'00ff'",
            "SELECT ?, ?, ?, ?, ?, ?",
        ),
        (
            "select * from t where a=-5 and b = a-5",
            "SELECT * FROM t WHERE a = ? AND b = a - ?",
        ),
        (
            "select * from t where a in(-1,+2)",
            "SELECT * FROM t WHERE a IN (?…)",
        ),
        ("select * from t limit - 1", "SELECT * FROM t LIMIT ?"),
        (
            "select ?, ?1, :name, @name, $1, %s, %(name)s, $tag$ 'x' $tag$, $$y$$, E'a\\'b', N'c'",
            "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?",
        ),
        (
            "select a::text, b->>'c' from t",
            "SELECT a::text, b ->> ? FROM t",
        ),
        (
            "select a /* , b */ from t -- where x\nwhere y = 1",
            "SELECT a FROM t WHERE y = ?",
        ),
        ("select a[1] from [my table]", "SELECT a[?] FROM [my table]"),
        (
            "select 5 % 3 from t where a%2=0",
            "SELECT ? % ? FROM t WHERE a % ? = ?",
        ),
        ("PRAGMA user_version", "PRAGMA user_version"),
        ("", ""),
        (" -- nothing", ""),
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
    }
}

#[test]
fn null_and_its_like_are_values_in_lists_and_rows_only() {
    for (sql, normalized) in [
        (
            "insert into t values (1, null), (NULL, 2), (default, current_timestamp), (true, False)",
            "INSERT INTO t VALUES (?, ?)…",
        ),
        (
            "select * from t where a in (?, ?, NULL, ?) and b in ((1, null), (null, 2))",
            "SELECT * FROM t WHERE a IN (?…) AND b IN (?…)",
        ),
        (
            "select * from t where a is null and b in (select null)",
            "SELECT * FROM t WHERE a IS NULL AND b IN (SELECT NULL)",
        ),
        (
            "insert into t values (coalesce(null, 1), a is null, default(a))",
            "INSERT INTO t VALUES (coalesce(NULL, ?), a IS NULL, DEFAULT (a))",
        ),
        ("update t set a = null", "UPDATE t SET a = NULL"),
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
    }
}

#[test]
fn rows_are_folded_at_any_depth() {
    for (sql, normalized) in [
        (
            "select * from (values (1,'a'),(2,'b'), (3, 'c')) v where x = 1",
            "SELECT * FROM (VALUES (?, ?)…) v WHERE x = ?",
        ),
        (
            "insert into t select * from (select * from (values (1), (2)) a, (values (3), (4)) b)",
            "INSERT INTO t SELECT * FROM (SELECT * FROM (VALUES (?)…) a, (VALUES (?)…) b)",
        ),
        (
            "with v(a) as (values (1), (2)) insert into t values (3), (4)",
            "WITH v(a) AS (VALUES (?)…) INSERT INTO t VALUES (?)…",
        ),
        (
            "select * from (values (1,'a'),(2,'b",
            "SELECT * FROM (VALUES (?, ?)…",
        ),
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
    }
}

#[test]
fn lists_and_rows_are_folded() {
    for (sql, normalized) in [
        (
            "select * from t where a in (1)",
            "SELECT * FROM t WHERE a IN (?…)",
        ),
        (
            "select * from t where a in (1, 2,3 ) and b = 1",
            "SELECT * FROM t WHERE a IN (?…) AND b = ?",
        ),
        (
            "select * from t where a not in (?, ?)",
            "SELECT * FROM t WHERE a NOT IN (?…)",
        ),
        (
            "select * from t where (a, b) in ((1, 2), (3, 4))",
            "SELECT * FROM t WHERE (a, b) IN (?…)",
        ),
        (
            "select * from t where a in (select b from c where d = 1)",
            "SELECT * FROM t WHERE a IN (SELECT b FROM c WHERE d = ?)",
        ),
        ("insert into t values (1, 2)", "INSERT INTO t VALUES (?, ?)"),
        (
            "insert into t values (1, 2), (3, 4)",
            "INSERT INTO t VALUES (?, ?)…",
        ),
        (
            "insert into t values (1, 2), (3, 4),(5,6)",
            "INSERT INTO t VALUES (?, ?)…",
        ),
        (
            "insert into t(a) values (1), (2) on conflict (a) do nothing",
            "INSERT INTO t(a) VALUES (?)… ON CONFLICT (a) DO NOTHING",
        ),
        (
            "insert into t values (now(), 2), (now(), 4)",
            "INSERT INTO t VALUES (now(), ?)…",
        ),
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
    }
}

#[test]
fn where_a_text_was_cut_does_not_count() {
    for (whole, cuts) in [
        (
            "select * from t where a in (11, 22, 33)",
            &[
                "select * from t where a in (11",
                "select * from t where a in (11, ",
                "select * from t where a in (11, 2",
            ][..],
        ),
        (
            "insert into t(a) values ('aa', 1), ('bb', 2), ('cc', 3)",
            &[
                "insert into t(a) values ('aa', 1), ('bb', 2), ('c",
                "insert into t(a) values ('aa', 1), ('bb', 2), (",
                "insert into t(a) values ('aa', 1), ('b",
            ][..],
        ),
        ("select 'abc'", &["select 'ab", "select '"][..]),
        ("select a /* b */", &["select a /* b", "select a /*"][..]),
    ] {
        for cut in cuts {
            assert_eq!(
                Fingerprint::from_text(cut).normalized,
                Fingerprint::from_text(whole).normalized,
                "{cut}"
            );
        }
    }
}

#[test]
fn the_verb_and_the_table_are_found() {
    for (sql, verb, table) in [
        ("select * from people", "SELECT", "people"),
        ("SELECT `users`.`id` FROM `users`", "SELECT", "users"),
        (
            "select (select max(a) from b) from main.\"my \"\"t\"\"\"",
            "SELECT",
            "main.my \"t\"",
        ),
        (
            "select * from (select * from inner_t) x",
            "SELECT",
            "inner_t",
        ),
        ("(select 1)", "SELECT", ""),
        (
            "with x as (select 1 from y) insert into t select * from x",
            "INSERT",
            "t",
        ),
        ("explain query plan select * from t", "SELECT", "t"),
        ("insert or ignore into t values (1)", "INSERT", "t"),
        ("replace into t values (1)", "REPLACE", "t"),
        ("update or replace only_t set a = 1", "UPDATE", "only_t"),
        ("delete from [t x] where a = 1", "DELETE", "t x"),
        ("create table if not exists t (a)", "CREATE", "t"),
        ("create unique index i on t(a)", "CREATE", "t"),
        ("drop table if exists t", "DROP", "t"),
        ("BEGIN IMMEDIATE", "BEGIN", ""),
        ("commit", "COMMIT", ""),
        ("{\"find\": \"x\"}", "FIND", "x"),
        ("hmset a b", "HMSET", ""),
        ("", "", ""),
    ] {
        let found = Fingerprint::from_text(sql);
        assert_eq!(
            (found.verb.as_str(), found.table.as_str()),
            (verb, table),
            "{sql}"
        );
    }
}

#[test]
fn the_hash_is_stable() {
    let sql = "select count(*), city from people group by city";
    let hash = Fingerprint::from_text(sql).hash;
    assert_eq!(format!("{hash:016x}"), "0fa9cd55b2550967");
    assert_eq!(
        hash,
        xxh64(b"SELECT count(*), city FROM people GROUP BY city", 0)
    );
}

#[test]
fn a_long_statement_is_cut() {
    let sql = format!("select {} from t", "column_name, ".repeat(100_000));
    assert!(Fingerprint::from_text(&sql).normalized.len() < MAX_NORMALIZED + 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_has_a_fingerprint(text in r#"(?s)([\PC]|[-'"`\[\]().,;:$@%?0-9 \n/*]|select|values|in|\(1\)){0,60}"#) {
        let once = Fingerprint::from_text(&text);
        prop_assert!(!once.normalized.starts_with(' ') && !once.normalized.ends_with(' '));
    }

    #[test]
    fn values_do_not_count(a in any::<i64>(), b in "[a-z' ]{0,20}", c in any::<f64>()) {
        let b = b.replace('\'', "''");
        let sql = format!("insert into t (a, b) values ({a}, '{b}'), ({c:e}, \"{b}\")");
        prop_assume!(c.is_finite());
        prop_assert_eq!(Fingerprint::from_text(&sql).normalized, "INSERT INTO t(a, b) VALUES (?, ?)…");
    }
}
