use super::*;

#[test]
fn steps_of_postgresql_and_mariadb_have_the_kinds_of_sqlites() {
    for (detail, kind, table, index) in [
        (
            "Seq Scan on people p (Filter: (city = $1))",
            Kind::FullScan,
            "p",
            "",
        ),
        ("Parallel Seq Scan on people", Kind::FullScan, "people", ""),
        (
            "Index Scan using people_city on people (Index Cond: (city = $1))",
            Kind::Search,
            "people",
            "people_city",
        ),
        (
            "Index Scan using people_city on people",
            Kind::IndexScan,
            "people",
            "people_city",
        ),
        (
            "Index Only Scan using people_city on people",
            Kind::CoveringScan,
            "people",
            "people_city",
        ),
        (
            "Bitmap Index Scan on people_city (Index Cond: (city = $1))",
            Kind::Search,
            "",
            "people_city",
        ),
        ("Sort (Sort Key: city)", Kind::TempBTree, "", ""),
        ("ALL people", Kind::FullScan, "people", ""),
        (
            "ref people using people_city (city)",
            Kind::Search,
            "people",
            "people_city",
        ),
        (
            "ref p using people_city (city), covering",
            Kind::CoveringSearch,
            "p",
            "people_city",
        ),
        (
            "index people using people_city, covering",
            Kind::CoveringScan,
            "people",
            "people_city",
        ),
        ("filesort", Kind::TempBTree, "", ""),
        (
            "const people using PRIMARY (id)",
            Kind::Search,
            "people",
            "PRIMARY",
        ),
    ] {
        let found = Meaning::parse(detail);
        assert_eq!(
            (
                found.kind,
                found.table.as_deref().unwrap_or(""),
                found.index.as_deref().unwrap_or("")
            ),
            (kind, table, index),
            "{detail}"
        );
    }
    for detail in [
        "ALL",
        "Hash Join (Hash Cond: (a = b))",
        "ref people",
        "Limit",
    ] {
        assert_eq!(Meaning::parse(detail).kind, Kind::Other, "{detail}");
    }
}
