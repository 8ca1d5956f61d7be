use super::*;

#[test]
fn each_kind_of_line_is_told_in_words() {
    for (detail, kind, table, index, words) in [
        (
            "SCAN people",
            Kind::FullScan,
            "people",
            "",
            "It reads every row of people.",
        ),
        (
            "SCAN TABLE people AS p",
            Kind::FullScan,
            "p",
            "",
            "It reads every row of p.",
        ),
        (
            "SCAN people USING COVERING INDEX people_city",
            Kind::CoveringScan,
            "people",
            "people_city",
            "It reads every entry of the index people_city, which has all it needs, and no row of people.",
        ),
        (
            "SEARCH people USING INDEX people_city (city=? AND age>?)",
            Kind::Search,
            "people",
            "people_city",
            "It finds rows of people by the index people_city on city, age.",
        ),
        (
            "SEARCH p USING COVERING INDEX x (a=?)",
            Kind::CoveringSearch,
            "p",
            "x",
            "It finds entries of the index x by a, and needs no row of p.",
        ),
        (
            "SEARCH people USING INTEGER PRIMARY KEY (rowid=?)",
            Kind::Search,
            "people",
            "",
            "It finds rows of people by its key.",
        ),
        (
            "SEARCH b USING AUTOMATIC COVERING INDEX (name=?)",
            Kind::AutomaticIndex,
            "b",
            "",
            "It makes an index on b (name) for this one statement and throws it away.",
        ),
        (
            "SCAN j VIRTUAL TABLE INDEX 1:",
            Kind::Search,
            "j",
            "",
            "It asks the virtual table j.",
        ),
        (
            "USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY",
            Kind::TempBTree,
            "",
            "",
            "It sorts for LAST 2 TERMS OF ORDER BY in a temporary B-tree.",
        ),
        (
            "CORRELATED SCALAR SUBQUERY 3",
            Kind::CorrelatedSubquery,
            "",
            "",
            "It runs a subquery again for each row.",
        ),
        (
            "CO-ROUTINE c",
            Kind::Subquery,
            "",
            "",
            "It works out c row by row, as they are needed.",
        ),
        (
            "SCAN CONSTANT ROW",
            Kind::Other,
            "",
            "",
            "It needs no table.",
        ),
        ("SOMETHING NEW", Kind::Other, "", "", "SOMETHING NEW."),
        ("", Kind::Other, "", "", "."),
    ] {
        let meaning = Meaning::parse(detail);
        assert_eq!(
            (
                meaning.kind,
                meaning.table.as_deref().unwrap_or(""),
                meaning.index.as_deref().unwrap_or(""),
                meaning.words.as_str()
            ),
            (kind, table, index, words),
            "{detail}"
        );
    }
}
