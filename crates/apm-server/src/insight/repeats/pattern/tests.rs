use super::*;

#[test]
fn values_tell_a_cacheable_repeat_from_n_plus_one() {
    let table = [
        (vec![("SELECT 1", None), ("SELECT 1", None)], Values::Same),
        (
            vec![("… id = 1", None), ("… id = 2", None)],
            Values::Different,
        ),
        (
            vec![("… id = ?", None), ("… id = ?", None)],
            Values::Unknown,
        ),
        (
            vec![("… id = ?", Some("a")), ("… id = ?", Some("a"))],
            Values::Same,
        ),
        (
            vec![("… id = ?", Some("a")), ("… id = ?", Some("b"))],
            Values::Different,
        ),
        (
            vec![("… id = ?", Some("a")), ("… id = ?", None)],
            Values::Unknown,
        ),
        // The first call of a transaction has no hash.
        (
            vec![
                ("… id = ?", None),
                ("… id = ?", Some("a")),
                ("… id = ?", Some("a")),
            ],
            Values::Same,
        ),
        (
            vec![
                ("… id = ?", None),
                ("… id = ?", Some("a")),
                ("… id = ?", Some("b")),
            ],
            Values::Different,
        ),
        // Too little is known.
        (
            vec![
                ("… id = ?", None),
                ("… id = ?", None),
                ("… id = ?", None),
                ("… id = ?", Some("a")),
                ("… id = ?", Some("a")),
            ],
            Values::Unknown,
        ),
        (vec![("… = '?'", None), ("… = '?'", None)], Values::Same),
        (vec![("… = :id", None)], Values::Unknown),
        (vec![("… = %s", None)], Values::Unknown),
        (vec![("… = $1::int", None)], Values::Unknown),
        // A cast, a variable of the server, a comment, a string between dollars: none is a value that is kept back.
        (
            vec![("… = 5::int", None), ("… = 5::int", None)],
            Values::Same,
        ),
        (
            vec![("… = '5'::int", None), ("… = '6'::int", None)],
            Values::Different,
        ),
        (
            vec![("SELECT 1 -- why?", None), ("SELECT 1 -- why?", None)],
            Values::Same,
        ),
        (vec![("… = $$?$$", None), ("… = $$?$$", None)], Values::Same),
        (vec![], Values::Unknown),
    ];
    for (calls, expected) in table {
        assert_eq!(
            Values::from_calls(calls.iter().copied()),
            expected,
            "{calls:?}"
        );
    }
    for (normalized, table, follows, values, expected) in [
        (
            "SELECT a FROM t WHERE id = ?",
            "t",
            true,
            Values::Same,
            Some(Pattern::Cache),
        ),
        (
            "SELECT a FROM t WHERE id = ?",
            "t",
            true,
            Values::Different,
            Some(Pattern::NPlusOne),
        ),
        (
            "SELECT a FROM t WHERE id = ?",
            "t",
            false,
            Values::Different,
            Some(Pattern::Repeated),
        ),
        (
            "UPDATE t SET a = ? WHERE id = ?",
            "t",
            false,
            Values::Same,
            Some(Pattern::Batch),
        ),
        ("COMMIT", "", true, Values::Same, None),
        ("PRAGMA foreign_keys", "", true, Values::Unknown, None),
        // A ping of a pool.
        ("SELECT ?", "", true, Values::Same, None),
        ("SELECT version()", "", false, Values::Same, None),
        // Pages of an export, by key and by offset.
        (
            "SELECT * FROM t WHERE id > ? ORDER BY id LIMIT ?",
            "t",
            true,
            Values::Different,
            None,
        ),
        (
            "select * from t where (a, b) > (?, ?) order by a, b limit ?",
            "t",
            false,
            Values::Unknown,
            None,
        ),
        (
            "SELECT * FROM t ORDER BY id LIMIT ? OFFSET ?",
            "t",
            true,
            Values::Unknown,
            None,
        ),
        // The newest row of each parent is N+1.
        (
            "SELECT * FROM t WHERE parent = ? ORDER BY at DESC LIMIT ?",
            "t",
            true,
            Values::Different,
            Some(Pattern::NPlusOne),
        ),
    ] {
        let verb = normalized
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let shape = Shape {
            verb: &verb,
            table,
            normalized,
        };
        assert_eq!(
            classify(shape, follows, values),
            expected,
            "{normalized} {follows} {values:?}"
        );
    }
}
