//! Steps of SQLite's virtual machine, to the last one. They depend on the version of SQLite, so they are those of the
//! one that the workspace ships.

use crate::support::{measured, people, run};
use crate::table::is_bundled;

/// Rows of the table.
const SIZES: [u32; 3] = [100, 1_000, 5_000];

/// Statements, with their steps at each size. The sixth is refused.
const STATEMENTS: [(&str, [u64; 3]); 24] = [
    (
        "INSERT INTO people (name, age, city) VALUES ('a', 1, 'b')",
        [22, 22, 22],
    ),
    (
        "SELECT count(*) FROM people WHERE age = 9",
        [313, 3023, 15067],
    ),
    (
        "SELECT count(*), city FROM people GROUP BY city",
        [1346, 12146, 60146],
    ),
    (
        "SELECT name FROM people WHERE id = 50 LIMIT 1",
        [11, 11, 11],
    ),
    (
        "UPDATE people SET age = 1 WHERE age > 50",
        [660, 6870, 34314],
    ),
    (
        "INSERT INTO people (id, name, age, city) VALUES (1, 'a', 1, 'b')",
        [17, 17, 17],
    ),
    ("SELECT * FROM people", [606, 6006, 30006]),
    ("SELECT 1", [5, 5, 5]),
    ("SELECT count(*) FROM people", [9, 9, 9]),
    ("SELECT max(id) FROM people", [14, 14, 14]),
    ("SELECT min(age) FROM people", [410, 4010, 20010]),
    (
        "SELECT name FROM people WHERE id > 90 AND id <= 95",
        [35, 35, 35],
    ),
    (
        "SELECT name FROM people WHERE id IN (1, 50, 99)",
        [38, 38, 38],
    ),
    (
        "SELECT name FROM people WHERE city = 'city3'",
        [329, 3229, 16119],
    ),
    (
        "SELECT name FROM people ORDER BY id DESC LIMIT 3",
        [19, 19, 19],
    ),
    (
        "SELECT name FROM people ORDER BY age LIMIT 10",
        [669, 6121, 30121],
    ),
    ("SELECT name FROM people LIMIT 10 OFFSET 5", [69, 69, 69]),
    ("SELECT DISTINCT city FROM people", [334, 3034, 15034]),
    (
        "SELECT EXISTS (SELECT 1 FROM people WHERE age = 89)",
        [282, 282, 282],
    ),
    ("SELECT id FROM people WHERE name = 'name7'", [9, 9, 9]),
    (
        "SELECT name FROM people WHERE name > 'name98'",
        [10, 70, 70],
    ),
    ("DELETE FROM people WHERE id = 3", [13, 13, 13]),
    (
        "DELETE FROM people WHERE city = 'city3'",
        [364, 3564, 17789],
    ),
    ("DELETE FROM people", [6, 6, 6]),
];

#[test]
fn a_statement_takes_the_steps_that_it_takes_on_each_machine() {
    let mut found = Vec::new();
    for (sql, _) in STATEMENTS {
        let steps = SIZES.map(|rows| {
            let (mut connection, reports) = measured(&people(rows));
            run(
                &mut connection,
                "CREATE UNIQUE INDEX people_name ON people (name)",
            )
            .expect("made");
            reports.take();
            // Steps are counted of one that is refused, too.
            let _ = run(&mut connection, sql);
            (is_bundled(&mut connection), reports.take()[0].1.steps)
        });
        if steps.iter().any(|(bundled, _)| !bundled) {
            return;
        }
        found.push((sql, steps.map(|(_, steps)| steps)));
    }
    assert_eq!(found, STATEMENTS);
}
