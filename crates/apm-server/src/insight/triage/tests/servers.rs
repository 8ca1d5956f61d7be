//! States of groups on two servers before one engine.

use apm_store::share as store;

use super::*;

fn server(node: &str) -> SqliteConnection {
    let mut conn = database();
    store::node(&mut conn, node).unwrap();
    conn
}

/// Brings what one server has to tell to another, as the engine does.
fn pass(from: &mut SqliteConnection, to: &mut SqliteConnection) -> usize {
    let pending = store::pending(from, 100).unwrap();
    for document in &pending {
        store::mark_sent(from, document).unwrap();
    }
    store::receive(to, pending, share::take).unwrap().taken
}

#[test]
fn what_was_decided_on_one_server_holds_on_the_other_and_is_undone_there() {
    let (a, b) = (&mut server("a"), &mut server("b"));
    let resolve = Change::Resolve {
        in_next_version: false,
    };
    make(a, resolve.clone(), NOW).unwrap();
    assert_eq!(pass(a, b), 1);
    assert_eq!(state(b, KEY).status, Status::Resolved);
    make(
        b,
        Change::Assign {
            to: "Ada".to_owned(),
        },
        NOW + 1,
    )
    .unwrap();
    assert_eq!(pass(b, a), 1);
    assert_eq!(state(a, KEY).assignee, "Ada");
    for conn in [&mut *a, &mut *b] {
        let made = changes(conn, "shop", KEY).unwrap();
        let words: Vec<(String, bool)> = made
            .iter()
            .map(|made| (made.change.words(), made.undoable))
            .collect();
        assert_eq!(
            words,
            [
                ("assigned to Ada".to_owned(), true),
                ("resolved".to_owned(), false)
            ]
        );
    }
    // Each server undoes what was done on the other, one after the other.
    let newest = |conn: &mut SqliteConnection| changes(conn, "shop", KEY).unwrap()[0].id;
    let id = newest(a);
    make(a, Change::Undo { id }, NOW + 2).unwrap();
    assert_eq!(pass(a, b), 1);
    assert_eq!(state(b, KEY).assignee, "");
    let id = newest(b);
    make(b, Change::Undo { id }, NOW + 3).unwrap();
    assert_eq!(pass(b, a), 1);
    for conn in [a, b] {
        assert_eq!(state(conn, KEY).status, Status::Open);
        assert_eq!(changes(conn, "shop", KEY).unwrap(), []);
    }
}

#[test]
fn a_group_that_comes_back_on_one_server_opens_on_the_other() {
    let (a, b) = (&mut server("a"), &mut server("b"));
    let resolve = Change::Resolve {
        in_next_version: false,
    };
    make(a, resolve, NOW).unwrap();
    pass(a, b);
    occur(b, 1, 2, NOW + 10);
    assert_eq!(pass(b, a), 1);
    for conn in [a, b] {
        let state = state(conn, KEY);
        assert_eq!(state.status, Status::Open);
        assert_eq!(reopened(&state), Some(("version", "1.5")));
    }
}

#[test]
fn a_damaged_state_is_not_taken() {
    let conn = &mut server("a");
    let place = "é".repeat(1025);
    let long = format!(r#"["{place}","0000000000000007"]"#);
    let row = r#"{"service":"shop","grouping_key":7,"status":1,"changed":1,"until":null,"until_count":null,
        "new_version":false,"seen":0,"versions":"[]","assignee":"","merged_into":null,"reopened":null,
        "reopened_by":"","reopened_in":""}"#;
    const OWN: &str = r#"["shop","0000000000000007"]"#;
    for (key, row, is_taken) in [
        (OWN, row.to_owned(), true),
        (r#"["shop","0000000000000008"]"#, row.to_owned(), false),
        (r#"["other","0000000000000007"]"#, row.to_owned(), false),
        (OWN, row.replace("\"status\":1", "\"status\":7"), false),
        (
            OWN,
            row.replace("\"merged_into\":null", "\"merged_into\":7"),
            false,
        ),
        (
            long.as_str(),
            row.replace("\"shop\"", &format!("\"{place}\"")),
            false,
        ),
        (r#"["shop"]"#, row.to_owned(), false),
        (
            OWN,
            row.replace("\"until\":null", "\"until\":1795348800"),
            true,
        ),
        (
            OWN,
            row.replace("\"until\":null", &format!("\"until\":{}", i64::MAX)),
            false,
        ),
        (
            OWN,
            row.replace("\"changed\":1", &format!("\"changed\":{}", i64::MAX)),
            false,
        ),
        (
            OWN,
            row.replace("\"reopened\":null", &format!("\"reopened\":{}", i64::MIN)),
            false,
        ),
        (
            OWN,
            row.replace("\"until_count\":null", "\"until_count\":0"),
            false,
        ),
        (OWN, row.replace("\"seen\":0", "\"seen\":-1"), false),
        (OWN, row.replace("\"[]\"", r#""[\"1.0\",\"é\"]""#), true),
        (
            OWN,
            row.replace("\"[]\"", &format!(r#""[\"{place}\"]""#)),
            false,
        ),
        (OWN, row.replace("\"[]\"", "\"{}\""), false),
        (
            OWN,
            row.replace("\"reopened_by\":\"\"", "\"reopened_by\":\"somebody\""),
            false,
        ),
        (
            OWN,
            row.replace(
                "\"reopened_in\":\"\"",
                &format!("\"reopened_in\":\"{place}\""),
            ),
            false,
        ),
        (
            OWN,
            row.replace("\"assignee\":\"\"", r#""assignee":"Ada\nBob""#),
            false,
        ),
        (r#"["shop","x"]"#, row.to_owned(), false),
        (OWN, "{}".to_owned(), false),
    ] {
        let document = store::Document {
            kind: share::KIND.to_owned(),
            key: key.to_owned(),
            version: 1,
            node: "b".to_owned(),
            body: Some(format!(r#"{{"row":{row},"change":null}}"#)),
        };
        assert_eq!(
            share::take(conn, &document).unwrap(),
            is_taken,
            "{document:?}"
        );
    }
}

#[test]
fn a_change_that_nobody_could_make_here_is_not_taken() {
    let conn = &mut server("a");
    for (change, is_taken) in [
        (r#"{"action":"assign","to":"Ada"}"#.to_owned(), true),
        (
            r#"{"action":"assign","to":"Ada\u001b[2J"}"#.to_owned(),
            false,
        ),
        (
            format!(r#"{{"action":"assign","to":"{}"}}"#, "a".repeat(101)),
            false,
        ),
        (
            r#"{"action":"ignore","seconds":-9000000000000000000,"occurrences":null}"#.to_owned(),
            false,
        ),
        (
            r#"{"action":"ignore","seconds":null,"occurrences":0}"#.to_owned(),
            false,
        ),
    ] {
        let document = store::Document {
            kind: share::KIND.to_owned(),
            key: r#"["shop","0000000000000007"]"#.to_owned(),
            version: 1,
            node: "b".to_owned(),
            body: Some(format!(r#"{{"row":null,"change":{change}}}"#)),
        };
        assert_eq!(share::take(conn, &document).unwrap(), is_taken, "{change}");
    }
}
