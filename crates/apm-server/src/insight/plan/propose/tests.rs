use super::super::statistics::Statistics;
use super::super::tests::of_details;
use super::*;

fn first(sql: &str, details: &[&str]) -> Option<String> {
    let table = |name: &str, columns: &[&str]| Table {
        name: name.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
    };
    let schema = Schema {
        statements: Vec::new(),
        statistics: Statistics::default(),
        tables: vec![
            table("people", &["id", "name", "age", "City"]),
            table("order", &["id", "person_id", "at"]),
        ],
    };
    candidates(sql, &of_details(details), &schema)
        .first()
        .map(Candidate::statement)
}

#[test]
fn equality_comes_first_then_groups_order_and_ranges() {
    for (sql, plan, expected) in [
        (
            "SELECT COUNT(*), `people`.`city` FROM `people` GROUP BY `people`.`city`",
            "SCAN people",
            Some("CREATE INDEX people_City ON people (City)"),
        ),
        (
            "select * from people where name = ? and age > 3 order by city",
            "SCAN people",
            Some("CREATE INDEX people_name_City ON people (name, City)"),
        ),
        (
            "SELECT * FROM people AS p WHERE p.age BETWEEN 1 AND 2",
            "SCAN p",
            Some("CREATE INDEX people_age ON people (age)"),
        ),
        (
            "SELECT * FROM people p JOIN \"order\" o ON o.person_id = p.id WHERE p.name IN (?, ?)",
            "SCAN o",
            Some("CREATE INDEX order_person_id ON \"order\" (person_id)"),
        ),
        (
            "SELECT * FROM people WHERE lower(name) = ?",
            "SCAN people",
            None,
        ),
        ("SELECT * FROM people", "SCAN people", None),
        (
            "SELECT * FROM people WHERE name = ?",
            "SEARCH people USING INDEX i (name=?)",
            None,
        ),
        ("SELECT * FROM nowhere WHERE name = ?", "SCAN nowhere", None),
        (
            "DELETE FROM people WHERE age < ?",
            "SCAN people",
            Some("CREATE INDEX people_age ON people (age)"),
        ),
    ] {
        assert_eq!(first(sql, &[plan]).as_deref(), expected, "{sql}");
    }
}
