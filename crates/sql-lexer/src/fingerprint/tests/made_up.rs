//! Names made of counters, and statements that hold values in other places than SQL's literals: one fingerprint each.

use super::super::Fingerprint;

/// Each statement, twice with other values, and what is left of both.
#[track_caller]
pub(super) fn check(table: &[(&str, &str, &str)]) {
    for (one, other, normalized) in table {
        for sql in [one, other] {
            assert_eq!(Fingerprint::from_text(sql).normalized, *normalized, "{sql}");
        }
    }
}

#[test]
fn names_made_of_counters_are_values() {
    check(&[
        (
            "SAVEPOINT \"s139919584622400_x1\"",
            "savepoint sp_7",
            "SAVEPOINT ?",
        ),
        (
            "RELEASE SAVEPOINT \"s1_x1\"",
            "release savepoint `sp_2`;",
            "RELEASE SAVEPOINT ?",
        ),
        ("RELEASE sp_1", "RELEASE \"sp_2\"", "RELEASE ?"),
        (
            "ROLLBACK TO SAVEPOINT \"s1_x1\"",
            "rollback to savepoint sp_2",
            "ROLLBACK TO SAVEPOINT ?",
        ),
        ("ROLLBACK TO sp_1", "ROLLBACK TO [sp_2]", "ROLLBACK TO ?"),
        (
            "ROLLBACK TRANSACTION TO sp_1",
            "rollback transaction to sp_2",
            "ROLLBACK TRANSACTION TO ?",
        ),
        (
            "SAVE TRANSACTION sp_1",
            "SAVE TRANSACTION sp_2",
            "SAVE TRANSACTION ?",
        ),
        (
            "DECLARE \"_django_curs_1399_sync_1\" NO SCROLL CURSOR WITH HOLD FOR SELECT \"t\".\"id\" FROM \"t\" WHERE \
                a = 1",
            "DECLARE \"_django_curs_1400_sync_2\" NO SCROLL CURSOR WITH HOLD FOR SELECT \"t\".\"id\" FROM \"t\" WHERE \
                a = 2",
            "DECLARE ? NO SCROLL CURSOR WITH HOLD FOR SELECT \"t\".\"id\" FROM \"t\" WHERE a = ?",
        ),
        (
            "FETCH FORWARD 100 FROM \"_django_curs_1399_sync_1\"",
            "FETCH FORWARD 50 FROM c2",
            "FETCH FORWARD ? FROM ?",
        ),
        ("FETCH c1", "fetch c2", "FETCH ?"),
        (
            "FETCH NEXT FROM c1 INTO @a",
            "FETCH NEXT FROM c2 INTO @b",
            "FETCH NEXT FROM ? INTO ?",
        ),
        ("MOVE 5 IN c1", "MOVE 7 IN c2", "MOVE ? IN ?"),
        ("CLOSE \"_django_curs_1399_sync_1\"", "CLOSE c2", "CLOSE ?"),
        ("DEALLOCATE pg_psql_1", "DEALLOCATE \"x2\"", "DEALLOCATE ?"),
        (
            "DEALLOCATE PREPARE x1",
            "DEALLOCATE PREPARE x2",
            "DEALLOCATE PREPARE ?",
        ),
        (
            "PREPARE x1 (int) AS SELECT * FROM t WHERE a = $1",
            "PREPARE x2 (int) AS SELECT * FROM t WHERE a = $1",
            "PREPARE ? (int) AS SELECT * FROM t WHERE a = ?",
        ),
        (
            "PREPARE x1 FROM 'SELECT 1'",
            "PREPARE x2 FROM 'SELECT 2'",
            "PREPARE ? FROM ?",
        ),
        (
            "EXECUTE pg_psql_1(1, 'a')",
            "EXECUTE plan(2, 'b')",
            "EXECUTE ? (?, ?)",
        ),
        (
            "EXECUTE x1 USING @a",
            "EXECUTE x USING @b",
            "EXECUTE ? USING ?",
        ),
        ("EXECUTE x1", "EXECUTE \"x2\"", "EXECUTE ?"),
        (
            "EXPLAIN ANALYZE EXECUTE x1(1)",
            "EXPLAIN ANALYZE EXECUTE x2(1)",
            "EXPLAIN ANALYZE EXECUTE ? (?)",
        ),
        ("LISTEN channel_1", "LISTEN \"channel 2\"", "LISTEN ?"),
        ("UNLISTEN channel_1", "UNLISTEN channel_2", "UNLISTEN ?"),
        (
            "NOTIFY c1, 'hello'",
            "notify \"c2\", 'world'",
            "NOTIFY ?, ?",
        ),
        ("USE tenant_1", "USE `tenant_2`", "USE ?"),
        (
            "UPDATE t SET a = 1 WHERE CURRENT OF c1",
            "UPDATE t SET a = 2 WHERE CURRENT OF \"c2\"",
            "UPDATE t SET a = ? WHERE CURRENT OF ?",
        ),
        (
            "SAVEPOINT s1; SELECT 1; RELEASE s1",
            "SAVEPOINT s2; SELECT 2; RELEASE s2",
            "SAVEPOINT ?; SELECT ?; RELEASE ?",
        ),
        ("SAVEPOINT \"s1", "SAVEPOINT \"s139919", "SAVEPOINT ?"),
    ]);
}

#[test]
fn settings_keep_their_names_and_lose_their_values() {
    check(&[
        (
            "SET search_path TO tenant_1",
            "SET search_path TO \"tenant_2\", public",
            "SET search_path TO ?",
        ),
        (
            "SET search_path = tenant_1, x",
            "SET search_path = 'a', 'b', 'c'",
            "SET search_path = ?",
        ),
        (
            "SET LOCAL app.user_id TO 7",
            "SET LOCAL app.user_id TO 'x'",
            "SET LOCAL app.user_id TO ?",
        ),
        (
            "SET a = 1, b = on",
            "SET a = 2, b = off",
            "SET a = ?, b = ?",
        ),
        (
            "SET SESSION sql_mode = 'A', GLOBAL max_x = 5",
            "SET SESSION sql_mode = ANSI, GLOBAL max_x = 6",
            "SET SESSION sql_mode = ?, GLOBAL max_x = ?",
        ),
        (
            "SET @@x = 1, @y := 2",
            "SET @@x = 3, @y := 4",
            "SET @ ? = ?, ? := ?",
        ),
        ("SET ROLE tenant_1", "SET ROLE \"tenant_2\"", "SET ROLE ?"),
        (
            "SET SESSION AUTHORIZATION bob",
            "SET SESSION AUTHORIZATION 'eve'",
            "SET SESSION AUTHORIZATION ?",
        ),
        (
            "SET TIME ZONE 'UTC'",
            "SET TIME ZONE utc",
            "SET TIME ZONE ?",
        ),
    ]);
    for sql in [
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET NAMES utf8mb4",
        "SET CONSTRAINTS ALL DEFERRED",
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, sql);
    }
}

#[test]
fn what_is_no_made_up_name_stays() {
    for (sql, normalized) in [
        ("EXECUTE dbo.GetPeople 1", "EXECUTE dbo.GetPeople ?"),
        ("EXECUTE GetPeople @id = 1", "EXECUTE GetPeople ? = ?"),
        ("EXECUTE IMMEDIATE 'x'", "EXECUTE IMMEDIATE ?"),
        ("DECLARE @p1 int", "DECLARE ? int"),
        ("CLOSE ALL", "CLOSE ALL"),
        ("DEALLOCATE ALL", "DEALLOCATE ALL"),
        ("ROLLBACK", "ROLLBACK"),
        ("ROLLBACK AND CHAIN", "ROLLBACK AND CHAIN"),
        (
            "SELECT a FROM t OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY",
            "SELECT a FROM t OFFSET ? ROWS FETCH NEXT ? ROWS ONLY",
        ),
        ("UPDATE t SET a = b", "UPDATE t SET a = b"),
        ("SET x = f(y)", "SET x = f(y)"),
        (
            "SET @a = (SELECT max(b) FROM t)",
            "SET ? = (SELECT max(b) FROM t)",
        ),
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
    }
}

#[test]
fn lists_fold_whatever_their_items_compute() {
    check(&[
        (
            "SELECT 1 WHERE a = ANY(ARRAY[1,2])",
            "SELECT 2 WHERE a = ANY(ARRAY[3])",
            "SELECT ? WHERE a = ANY(ARRAY[?…])",
        ),
        (
            "SELECT * FROM t WHERE a = ANY(ARRAY[$1, $2]::int[]) AND b[1] = 2",
            "SELECT * FROM t WHERE a = ANY(ARRAY[$1]::int[]) AND b[2] = 2",
            "SELECT * FROM t WHERE a = ANY(ARRAY[?…]::int[]) AND b[?] = ?",
        ),
        (
            "SELECT ARRAY[[1,2],[3,4]]",
            "SELECT ARRAY[[1]]",
            "SELECT ARRAY[?…]",
        ),
        (
            "SELECT * FROM t WHERE a IN ($1::uuid,$2::uuid)",
            "SELECT * FROM t WHERE a IN ($1::uuid)",
            "SELECT * FROM t WHERE a IN (?…)",
        ),
        (
            "SELECT * FROM t WHERE a IN (CAST(? AS uuid), CAST(? AS uuid))",
            "SELECT * FROM t WHERE a IN (CAST(? AS uuid))",
            "SELECT * FROM t WHERE a IN (CAST (? AS uuid)…)",
        ),
        (
            "SELECT * FROM t WHERE a IN (lower('a'), lower('b'))",
            "SELECT * FROM t WHERE a IN (lower('c'))",
            "SELECT * FROM t WHERE a IN (lower(?)…)",
        ),
        (
            "SELECT * FROM t WHERE a IN (1,2,...",
            "SELECT * FROM t WHERE a IN (1,2,3, 4...",
            "SELECT * FROM t WHERE a IN (?…)",
        ),
        (
            "SELECT * FROM t WHERE a IN (1, 2…",
            "SELECT * FROM t WHERE a IN (1, ... , 9)",
            "SELECT * FROM t WHERE a IN (?…)",
        ),
        (
            "SELECT * FROM t WHERE a IN ($1::uuid, $2::uu",
            "SELECT * FROM t WHERE a IN ($1::uuid, $",
            "SELECT * FROM t WHERE a IN (?…)",
        ),
        (
            "SELECT * FROM t WHERE (a, b) IN ((1, 2), (3,",
            "SELECT * FROM t WHERE (a, b) IN ((1,",
            "SELECT * FROM t WHERE (a, b) IN (?…)",
        ),
        (
            "SELECT 1 WHERE a = ANY(ARRAY[1,2,...",
            "SELECT 1 WHERE a = ANY(ARRAY[1",
            "SELECT ? WHERE a = ANY(ARRAY[?…]",
        ),
        (
            "INSERT INTO t VALUES (now(), $1::int), (DEFAULT, 2), ('2026-01-01', nextval('s'))",
            "INSERT INTO t VALUES (now(), $1::int), (lower('a'), 1::int)",
            "INSERT INTO t VALUES (now(), ?::int)…",
        ),
        (
            "INSERT INTO t VALUES (now(), 1), (now(), 2), (no",
            "INSERT INTO t VALUES (now(), 1), (now(",
            "INSERT INTO t VALUES (now(), ?)…",
        ),
        (
            "INSERT INTO t VALUES ROW(1, 2), ROW(3, 4), ROW(5, 6)",
            "INSERT INTO t VALUES ROW(1, 2), ROW(3, 4)",
            "INSERT INTO t VALUES ROW(?, ?)…",
        ),
    ]);
}

#[test]
fn comments_and_quotes_of_every_dialect_are_left_out() {
    check(&[
        ("DO $$ BEGIN PERFORM 1; END $$", "DO $$ 's3cret' $$", "DO ?"),
        (
            "DO LANGUAGE plpgsql $b$ 1 $b$",
            "DO LANGUAGE plpgsql $b$ 2 $b$",
            "DO LANGUAGE plpgsql ?",
        ),
        (
            "SELECT 1 # request 7\nFROM t",
            "SELECT 2 #by bob\nFROM t",
            "SELECT ? FROM t",
        ),
        (
            "# request 7\nSELECT 1",
            "#-- 8 --\n## x\nSELECT 1",
            "SELECT ?",
        ),
        (
            "SELECT /* a /* 7 */ b */ 1",
            "SELECT /* /* */ */ 2",
            "SELECT ?",
        ),
        ("/* /* b */ SELECT 1", "/* a */ SELECT 2", "SELECT ?"),
        (
            "SELECT q'[it's]', nq'{x}', Q'!y!'",
            "SELECT q'(a'b)', nq'<c>', Q'\"d\"'",
            "SELECT ?, ?, ?",
        ),
        ("SELECT q'[cut", "SELECT q'[cu", "SELECT ?"),
        (
            "SELECT concat(\"alice\", name, \"bob\") FROM t",
            "SELECT concat(\"carol\", name, \"dave\") FROM t",
            "SELECT concat(?, name, ?) FROM t",
        ),
    ]);
    for (sql, normalized) in [
        (
            "SELECT a #>> '{b}', c #- '{d}' FROM t",
            "SELECT a #>> ?, c # ? FROM t",
        ),
        (
            "SELECT * FROM #tmp WHERE #tmp.a = 1",
            "SELECT * FROM # tmp WHERE # tmp.a = ?",
        ),
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
    }
}

#[test]
fn the_span_says_what_double_quotes_are() {
    let sql = r#"SELECT upper("alice"), "bob" FROM t WHERE concat("x", a) = "y""#;
    for (subtype, normalized) in [
        ("mysql", "SELECT upper(?), ? FROM t WHERE concat(?, a) = ?"),
        (
            "postgresql",
            r#"SELECT upper("alice"), "bob" FROM t WHERE concat("x", a) = ?"#,
        ),
        (
            "sqlite",
            r#"SELECT upper("alice"), "bob" FROM t WHERE concat(?, a) = ?"#,
        ),
    ] {
        assert_eq!(
            Fingerprint::of_subtype(sql, subtype).normalized,
            normalized,
            "{subtype}"
        );
    }
    let names = r#"INSERT INTO "t" ("a", "b") VALUES ("c", 1)"#;
    assert_eq!(
        Fingerprint::of_subtype(names, "mysql").normalized,
        r#"INSERT INTO "t"("a", "b") VALUES (?, ?)"#
    );
}
