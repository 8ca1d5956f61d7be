use super::super::{Fingerprint, MAX_NORMALIZED};

/// Not a matter of the clock: what looks to the end of the text at every token would take minutes here.
#[test]
fn hostile_repetition_costs_no_more_than_its_length() {
    for (pattern, size) in [
        ("%(", 4_000_000),
        ("$", 400_000),
        ("$a", 400_000),
        ("$$", 400_000),
        ("[", 400_000),
        ("\"a\" ", 400_000),
        ("'a' ", 400_000),
        ("\\' ", 400_000),
        ("'\\'a", 400_000),
        ("\"\\\"", 400_000),
        ("/*", 400_000),
        ("/*/**/", 400_000),
        ("#", 400_000),
        ("#>", 400_000),
        ("from #", 400_000),
        ("q'[", 400_000),
        ("array[", 400_000),
        ("array[1,", 400_000),
        ("in (1::a, ", 400_000),
        ("in (f(1), ", 400_000),
        ("values row(1), ", 400_000),
        ("set a = 1, ", 400_000),
        ("...", 400_000),
        ("{\"a\":", 400_000),
        ("[{\"a\":1},", 400_000),
        ("]}:", 400_000),
        ("\"a\":{", 400_000),
        ("get a:1\n", 400_000),
        ("-- \n", 400_000),
        ("(", 400_000),
        (")", 400_000),
        ("in (", 400_000),
        ("in (in (1)", 400_000),
        ("values (", 400_000),
        ("values (1), ", 400_000),
        ("(null), ", 400_000),
        ("case ", 400_000),
        ("case when (", 400_000),
        ("end )", 400_000),
        ("with (from ", 400_000),
        ("from or only ", 400_000),
        ("a.", 400_000),
        ("- 1", 400_000),
        ("between and ", 400_000),
        (";", 400_000),
    ] {
        for start in [
            "",
            "select ",
            "with x as (",
            "select * from t where a in (",
            "insert into t values (1), ",
            "{\"a\": [",
            "set a = ",
            "get ",
        ] {
            let sql = format!("{start}{}", pattern.repeat(size / pattern.len()));
            assert!(Fingerprint::from_text(&sql).normalized.len() <= MAX_NORMALIZED + sql.len());
        }
    }
}
