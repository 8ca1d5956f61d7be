use super::*;

const DIALECTS: [Dialect; 4] = [
    Dialect::Sqlite,
    Dialect::Postgresql,
    Dialect::Mysql,
    Dialect::Unknown,
];

#[test]
fn literals_after_a_word_that_means_a_secret_are_masked_in_every_dialect() {
    for (sql, masked) in [
        // SQLite with SQLCipher and its relatives.
        ("PRAGMA key='s3cret'", "PRAGMA key=?"),
        ("PRAGMA key = s3cret", "PRAGMA key = ?"),
        ("PRAGMA key/* */= /* */s3cret", "PRAGMA key = ?"),
        ("pragma main.rekey('s3cret');", "pragma main.rekey(?);"),
        (
            "PRAGMA hexkey = \"s3cret\"; SELECT 1",
            "PRAGMA hexkey = ?; SELECT ?",
        ),
        ("PRAGMA key = \"x's3cret'\"", "PRAGMA key = ?"),
        ("PRAGMA textkey=s3cret(", "PRAGMA textkey=?"),
        (
            "PRAGMA activate_extensions('s3cret')",
            "PRAGMA activate_extensions(?)",
        ),
        (
            "ATTACH DATABASE 'a.db' AS a KEY 's3cret'",
            "ATTACH DATABASE ? AS a KEY ?",
        ),
        ("ATTACH 'file:a.db?key=s3cret' AS a", "ATTACH ? AS a"),
        (
            "SELECT sqlite3_key('s3cret'), 'token'",
            "SELECT sqlite3_key(?), ?",
        ),
        // PostgreSQL.
        (
            "CREATE ROLE bob WITH LOGIN PASSWORD 's3cret' VALID UNTIL '2030-01-01'",
            "CREATE ROLE bob WITH LOGIN PASSWORD ? VALID UNTIL ?",
        ),
        (
            "ALTER USER bob ENCRYPTED PASSWORD E's3\\'cret'",
            "ALTER USER bob ENCRYPTED PASSWORD ?",
        ),
        (
            "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', password 's3cret')",
            "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host ?, password ?)",
        ),
        (
            "create user mapping for bob server s options (user 'bob', password $$s3cret$$)",
            "create user mapping for bob server s options (user ?, password ?)",
        ),
        (
            "SELECT * FROM dblink('host=h password=s3cret', 'SELECT 1') AS t(a int)",
            "SELECT * FROM dblink(?, ?) AS t(a int)",
        ),
        (
            "COPY t FROM 's3://b' CREDENTIALS 'aws_secret_access_key=s3cret'",
            "COPY t FROM ? CREDENTIALS ?",
        ),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=s3cret' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION ? PUBLICATION p",
        ),
        (
            "DO $$ BEGIN EXECUTE 'ALTER ROLE bob PASSWORD ''s3cret'''; END $$",
            "DO ?",
        ),
        ("SET app.jwt_secret TO 's3cret'", "SET app.jwt_secret TO ?"),
        (
            "SELECT set_config('app.token', 's3cret', true)",
            "SELECT set_config(?, ?, true)",
        ),
        // MySQL and MariaDB.
        (
            "CREATE USER 'bob'@'%' IDENTIFIED BY 's3cret'",
            "CREATE USER ?@? IDENTIFIED BY ?",
        ),
        (
            "CREATE USER bob IDENTIFIED WITH sha256_password AS 's3cret'",
            "CREATE USER bob IDENTIFIED WITH sha256_password AS ?",
        ),
        (
            "SET PASSWORD FOR 'bob'@'h' = 's3cret'",
            "SET PASSWORD FOR ?@? = ?",
        ),
        (
            "SET PASSWORD = PASSWORD('s3cret')",
            "SET PASSWORD = PASSWORD(?)",
        ),
        (
            "CHANGE MASTER TO MASTER_USER='r', MASTER_PASSWORD='s3cret'",
            "CHANGE MASTER TO MASTER_USER=?, MASTER_PASSWORD=?",
        ),
        (
            "SELECT AES_ENCRYPT('a', UNHEX('F3'))",
            "SELECT AES_ENCRYPT(?, UNHEX(?))",
        ),
        (
            "/*!50000 ALTER USER bob IDENTIFIED BY 's3cret' */",
            " ALTER USER bob IDENTIFIED BY ?",
        ),
        // Oracle's way.
        (
            "ALTER USER bob IDENTIFIED BY s3cret REPLACE s3cret2",
            "ALTER USER bob IDENTIFIED BY ? REPLACE ?",
        ),
        (
            "ALTER USER bob IDENTIFIED BY s3cret$x;",
            "ALTER USER bob IDENTIFIED BY ?;",
        ),
        (
            "ALTER USER bob IDENTIFIED BY \"s3cret\"",
            "ALTER USER bob IDENTIFIED BY ?",
        ),
        (
            "SELECT crypt(q'[s3'cret]', nq'{x}') FROM dual",
            "SELECT crypt(?, ?) FROM dual",
        ),
        // Everybody's.
        (
            "UPDATE users SET password = 's3cret', age = 3 WHERE id = 7",
            "UPDATE users SET password = ?, age = ? WHERE id = ?",
        ),
        (
            "INSERT INTO users (name, api_token) VALUES ('bob', 's3cret')",
            "INSERT INTO users (name, api_token) VALUES (?, ?)",
        ),
        (
            "SELECT 1 WHERE 's3cret' = password",
            "SELECT ? WHERE ? = password",
        ),
        ("SELECT 1 -- password s3cret\n, 2", "SELECT ? \n, ?"),
        ("SELECT /* token /* s3cret */ s3cret */ 1", "SELECT  ?"),
        ("SELECT 'token", "SELECT ?"),
        ("SELECT $t$ token s3cret", "SELECT ?"),
        ("SELECT 'a\\' , 'token s3cret'", "SELECT ?"),
    ] {
        for dialect in DIALECTS {
            assert_eq!(
                statement(sql, dialect, false).trim_start(),
                masked.trim_start(),
                "{dialect:?}: {sql}"
            );
        }
    }
}

#[test]
fn statements_without_secrets_stay_as_they_are_unless_all_literals_are_masked() {
    for (sql, masked) in [
        (
            "SELECT * FROM people WHERE name = 'bob' AND age > 30",
            "SELECT * FROM people WHERE name = ? AND age > ?",
        ),
        (
            "SELECT a1, 1.5e-3, .5, 0xFF, x'00', N'c'",
            "SELECT a1, ?, ?, ?, ?, ?",
        ),
        (
            "SELECT * FROM t WHERE a IN (1, 2) LIMIT 10",
            "SELECT * FROM t WHERE a IN (?, ?) LIMIT ?",
        ),
        (
            "SELECT ?, ?1, $1, :name, @name FROM t1",
            "SELECT ?, ?1, $1, :name, @name FROM t1",
        ),
        ("SELECT a::text, b.c2 FROM b", "SELECT a::text, b.c2 FROM b"),
        (
            "SELECT `1`, \"t 1\".\"2\" FROM \"t 1\".x",
            "SELECT `1`, \"t 1\".\"2\" FROM \"t 1\".x",
        ),
        ("SELECT 1; SELECT 'x'", "SELECT ?; SELECT ?"),
    ] {
        for dialect in DIALECTS {
            assert_eq!(statement(sql, dialect, false), sql);
            assert_eq!(statement(sql, dialect, true), masked, "{dialect:?}");
        }
    }
}

#[test]
fn double_quotes_are_what_the_dialect_says() {
    let names = r#"INSERT INTO "users" ("name", "password") VALUES ($1, $2) RETURNING "users"."id", "name""#;
    for dialect in [Dialect::Postgresql, Dialect::Sqlite] {
        assert_eq!(statement(names, dialect, false), names);
    }
    for (sql, masked) in [
        (
            r#"UPDATE "users" SET "password" = "s3cret" WHERE "name" IN ("a", "b")"#,
            r#"UPDATE "users" SET "password" = ? WHERE "name" IN (?, ?)"#,
        ),
        (
            r#"INSERT INTO users ("name", "password") VALUES ("bob", "s3cret")"#,
            r#"INSERT INTO users ("name", "password") VALUES (?, ?)"#,
        ),
        (
            r#"ATTACH "a" AS a KEY "s3cret""#,
            r#"ATTACH "a" AS a KEY ?"#,
        ),
        (
            r#"SELECT "token" FROM t WHERE a LIKE "s3cret" ORDER BY "b", "c""#,
            r#"SELECT "token" FROM t WHERE a LIKE ? ORDER BY "b", "c""#,
        ),
        ("SELECT [it's a name], 'token'", "SELECT [it's a name], ?"),
    ] {
        assert_eq!(statement(sql, Dialect::Sqlite, false), masked);
    }
    let mysql = r#"ALTER USER "bob" IDENTIFIED BY "s3cret" # s3cret"#;
    assert_eq!(
        statement(mysql, Dialect::Mysql, false),
        "ALTER USER ? IDENTIFIED BY ?"
    );
    let array = "SELECT password FROM t WHERE a = ANY(ARRAY['s3cret']) AND b #> '{s3cret}' IS NULL";
    assert_eq!(
        statement(array, Dialect::Postgresql, false),
        "SELECT password FROM t WHERE a = ANY(ARRAY[?]) AND b #> ? IS NULL"
    );
}

/// Whatever stands around it: where a literal may begin, nothing of it is left.
#[test]
fn no_piece_of_broken_sql_makes_a_literal_leak_or_the_scanner_panic() {
    let pieces = [
        "'s3cret'",
        "\"",
        "`",
        "[",
        "]",
        "$",
        "$a$",
        "/*",
        "*/",
        "/*!5",
        "--",
        "#",
        "\\",
        "é",
        "名",
        "1.",
        "1e",
        "1e+",
        ".",
        "\n",
        " PRAGMA key ",
        "=",
        "(",
        "\0",
        " IDENTIFIED BY ",
        "''",
        "q'",
        "E'",
        "x ",
    ];
    fastrand::seed(14);
    for _ in 0..40_000 {
        let sql: String = (0..8)
            .map(|_| pieces[fastrand::usize(..pieces.len())])
            .collect();
        for dialect in DIALECTS {
            let masked = statement(&sql, dialect, true);
            assert!(
                masked.len() <= sql.len() + 8,
                "{dialect:?} {sql:?}: {masked:?}"
            );
        }
    }
}

#[test]
fn hostile_repetition_costs_no_more_than_its_length() {
    for piece in [
        "'",
        "\"",
        "$a",
        "$$",
        "/*",
        "--\n",
        "q'",
        "[",
        "password ",
        "://",
        "a@:",
        "\"a\" ",
    ] {
        let sql = format!("SELECT token {}", piece.repeat(100_000));
        for dialect in DIALECTS {
            assert!(statement(&sql, dialect, true).len() <= sql.len() + 8);
        }
    }
}
