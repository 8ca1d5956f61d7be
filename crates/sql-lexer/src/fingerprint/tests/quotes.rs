use proptest::prelude::*;

use super::super::Fingerprint;

#[test]
fn double_quotes_are_a_value_where_one_is_expected() {
    for (sql, normalized) in [
        (
            r#"INSERT INTO people(name, age) VALUES("ruan", 25)"#,
            "INSERT INTO people(name, age) VALUES (?, ?)",
        ),
        (
            r#"insert into "people" ("name", "age") values ('a', 1)"#,
            r#"INSERT INTO "people"("name", "age") VALUES (?, ?)"#,
        ),
        (
            concat!(
                r#"SELECT "people"."id", "n" FROM "people" "#,
                r#"WHERE "people"."city" = "cape town" AND n LIKE "r%" ORDER BY "n""#
            ),
            r#"SELECT "people"."id", "n" FROM "people" WHERE "people"."city" = ? AND n LIKE ? ORDER BY "n""#,
        ),
        (
            r#"select * from t where a IN ("x", "y""z")"#,
            "SELECT * FROM t WHERE a IN (?…)",
        ),
        (
            r#"update t set a = "x", "b" = 1 where c > "d""#,
            r#"UPDATE t SET a = ?, "b" = ? WHERE c > ?"#,
        ),
        (
            r#"select * from t where a = "s"."b" and c = "f"(1)"#,
            r#"SELECT * FROM t WHERE a = "s"."b" AND c = "f"(?)"#,
        ),
        (
            "INSERT INTO `people` (`name`, `age`) VALUES (?, ?)",
            "INSERT INTO `people`(`name`, `age`) VALUES (?, ?)",
        ),
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
    }
}

#[test]
fn double_quotes_are_a_value_after_whatever_compares_or_computes() {
    for (sql, normalized) in [
        (
            r#"select * from t where a BETWEEN "a1" AND "b1" and "c" = 1"#,
            r#"SELECT * FROM t WHERE a BETWEEN ? AND ? AND "c" = ?"#,
        ),
        (
            r#"select * from t where a between lower("x") and "y" or b not between "1" and "2""#,
            "SELECT * FROM t WHERE a BETWEEN lower(?) AND ? OR b NOT BETWEEN ? AND ?",
        ),
        (
            r#"select * from t where a glob "x*" and b is "x" and c is not "y" and d is not null"#,
            "SELECT * FROM t WHERE a GLOB ? AND b IS ? AND c IS NOT ? AND d IS NOT NULL",
        ),
        (
            r#"select * from t where a is distinct from "x" and b = 1"#,
            "SELECT * FROM t WHERE a IS DISTINCT FROM ? AND b = ?",
        ),
        (
            r#"select * from t where t match "word" and a regexp "x+" and b like "x!%" escape "!""#,
            "SELECT * FROM t WHERE t match ? AND a REGEXP ? AND b LIKE ? ESCAPE ?",
        ),
        (
            r#"select case when a = "x" then "y" else "z" end, "name" from t"#,
            r#"SELECT CASE WHEN a = ? THEN ? ELSE ? END, "name" FROM t"#,
        ),
        (
            r#"select * from t order by case "city" when "x" then 1 when "y" then 2 end, "name""#,
            r#"SELECT * FROM t ORDER BY CASE "city" WHEN ? THEN ?… END, "name""#,
        ),
        (
            r#"select * from t limit "5" offset "6""#,
            "SELECT * FROM t LIMIT ? OFFSET ?",
        ),
        (
            r#"create table "t" ("a" text default "x", "b" text)"#,
            r#"CREATE TABLE "t"("a" text DEFAULT ?, "b" text)"#,
        ),
        (
            r#"update t set a = a + "5", b = b - "5", c = c || "x" where d > -"1""#,
            "UPDATE t SET a = a + ?, b = b - ?, c = c || ? WHERE d > ?",
        ),
        (
            r#"select "a" + "b", "c" || "d" from t"#,
            r#"SELECT "a" + "b", "c" || "d" FROM t"#,
        ),
        (
            r#"select * from t where match(a) against ("some words" in boolean mode)"#,
            "SELECT * FROM t WHERE match(a) against(? IN boolean mode)",
        ),
        (
            r#"insert into t values (lower("x"), "a" || "b")"#,
            "INSERT INTO t VALUES (lower(?), ? || ?)",
        ),
        (
            r#"select * from t where d > date "2024-01-01" and a ->> "key" = 1"#,
            "SELECT * FROM t WHERE d > date ? AND a ->> ? = ?",
        ),
        (r#"call p("secret", "x")"#, "CALL p(?, ?)"),
        (
            r#"select * from t where a = any(array["x", "y"])"#,
            "SELECT * FROM t WHERE a = any(array[?…])",
        ),
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
    }
}

#[test]
fn double_quotes_name_a_column_where_a_comparison_begins() {
    for (sql, normalized) in [
        (
            r#"select * from t where ("b" = "x" and ("c" is null or "d" in ("y")))"#,
            r#"SELECT * FROM t WHERE ("b" = ? AND ("c" IS NULL OR "d" IN (?…)))"#,
        ),
        (
            r#"insert into t("id", "a") values ("x", 1) on conflict ("id") do update set "a" = "x""#,
            r#"INSERT INTO t("id", "a") VALUES (?, ?) ON CONFLICT ("id") DO UPDATE SET "a" = ?"#,
        ),
        (
            r#"select * from t where lower("name") = lower("Bob") and "x" = 1"#,
            r#"SELECT * FROM t WHERE lower("name") = lower(?) AND "x" = ?"#,
        ),
        (
            r#"select * from t where coalesce("name", "none") = 'x' and date("at", "start of month") > 1"#,
            r#"SELECT * FROM t WHERE coalesce("name", ?) = ? AND date("at", ?) > ?"#,
        ),
        (
            r#"select * from t where ("a", "b") in (("x", "y"), ("z", "w"))"#,
            r#"SELECT * FROM t WHERE ("a", "b") IN (?…)"#,
        ),
        (
            r#"select * from t group by "a" having count("b") > "5""#,
            r#"SELECT * FROM t GROUP BY "a" HAVING count("b") > ?"#,
        ),
        (
            r#"update t set ("a", "b") = ("x", "y")"#,
            r#"UPDATE t SET ("a", "b") = (?, ?)"#,
        ),
        (
            r#"select * from t where a in (select "id" from u where ("b" = "x")) and c = ("y")"#,
            r#"SELECT * FROM t WHERE a IN (SELECT "id" FROM u WHERE ("b" = ?)) AND c = (?)"#,
        ),
        (
            r#"create index "i" on "t" ("a", "b") where ("c" = "x")"#,
            r#"CREATE INDEX "i" ON "t"("a", "b") WHERE ("c" = ?)"#,
        ),
        (
            r#"select * from t where ("no name" = a) and ("5" < b)"#,
            "SELECT * FROM t WHERE (? = a) AND (? < b)",
        ),
        (
            r#"update t set a = 1, "b c" = 2"#,
            r#"UPDATE t SET a = ?, "b c" = ?"#,
        ),
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
    }
}

#[test]
fn a_backslash_before_a_quote_leaks_nothing_in_either_dialect() {
    for (sql, normalized) in [
        // MySQL: the quote is part of the text.
        (
            r"select * from t where a = 'it\'s' and b = 'secret'",
            "SELECT * FROM t WHERE a = ? AND b = ?",
        ),
        (
            r"insert into t values ('it\'s', 'a\'b'), ('a\'', '\\')",
            "INSERT INTO t VALUES (?, ?)…",
        ),
        (
            r#"select * from t where a = "say \"secret\" now" and b = 1"#,
            "SELECT * FROM t WHERE a = ? AND b = ?",
        ),
        (
            r"select * from t where a = 'it\'s secret and cut",
            "SELECT * FROM t WHERE a = ?",
        ),
        (
            r"select * from t where a = 'it\'s', b = 'cut",
            "SELECT * FROM t WHERE a = ?, b = ?",
        ),
        (
            r"insert into t values ('\' secret -- ', 1)",
            "INSERT INTO t VALUES (?, ?)",
        ),
        (
            r"select * from t where a = 'they said \' secret",
            "SELECT * FROM t WHERE a = ?",
        ),
        // Standard: the quote ends the text.
        (
            r"select * from t where a like 'x' escape '\' and b = 'secret'",
            "SELECT * FROM t WHERE a LIKE ? ESCAPE ? AND b = ?",
        ),
        (
            r"insert into t values ('C:\', 'D:\'), ('C:\', 'secret')",
            "INSERT INTO t VALUES (?, ?)…",
        ),
        (r"select '\'", "SELECT ?"),
        (
            r"select * from t where a = 'C:\' and b = 'secret that is cu",
            "SELECT * FROM t WHERE a = ? AND b = ?",
        ),
        // PostgreSQL, which says so.
        (
            r"select E'it\'s', 'C:\' from t where a = 'secret'",
            "SELECT ?, ? FROM t WHERE a = ?",
        ),
        (
            r#"select * from t where a = '{"k": "say \"x\""}'"#,
            "SELECT * FROM t WHERE a = ?",
        ),
    ] {
        assert_eq!(Fingerprint::from_text(sql).normalized, normalized, "{sql}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn quotes_escaped_by_either_dialect_leak_nothing(text in r#"[ab,= '\\]{0,12}"#, other in r#"[ab,= '\\]{0,12}"#) {
        let mysql = |text: &str| text.replace('\\', r"\\").replace('\'', r"\'");
        let standard = |text: &str| text.replace('\'', "''");
        for (text, other) in [(mysql(&text), mysql(&other)), (standard(&text), standard(&other))] {
            let sql = format!("select * from t where a = '{text}' and b in ('{other}', 'x')");
            prop_assert_eq!(
                Fingerprint::from_text(&sql).normalized,
                "SELECT * FROM t WHERE a = ? AND b IN (?…)",
                "{}", sql
            );
        }
    }
}
