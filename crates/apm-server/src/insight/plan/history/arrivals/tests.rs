use super::*;
use crate::analytics::Scope;
use crate::analytics::tests::empty;
use crate::insight::plan::history::{changes, list};

const SCAN: &str = "SCAN people";
const SEARCH: &str = "SEARCH people USING INDEX people_city (city=?)";

fn arrive(conn: &mut SqliteConnection, version: &str, plan: &str, at: i64) {
    arrive_as(conn, (version, plan), false, at);
}

fn arrive_as(conn: &mut SqliteConnection, (version, plan): (&str, &str), again: bool, at: i64) {
    let arrivals = Arrivals {
        plans: vec![Arrival {
            service: "shop".to_owned(),
            environment: String::new(),
            version: version.to_owned(),
            instance: "shop.db".to_owned(),
            fingerprint: -7,
            plan: plan.to_owned(),
            schema_version: Some(3),
            again,
            at,
        }],
        mark: at,
    };
    arrivals.write(conn, at * apm_time::SECOND).unwrap();
}

#[test]
fn a_plan_that_comes_again_is_one_run_and_another_plan_or_version_begins_the_next() {
    let conn = &mut empty();
    for (version, plan, at) in [
        ("1.4.1", SEARCH, 10),
        ("1.4.1", SEARCH, 20),
        ("1.4.2", SCAN, 30),
        ("1.4.3", SCAN, 40),
    ] {
        arrive(conn, version, plan, at);
    }
    let fingerprint = (-7i64).cast_unsigned();
    let runs = list(conn, &Scope::default(), fingerprint).unwrap();
    let found: Vec<(&str, i64, i64)> = runs
        .iter()
        .map(|run| (&*run.version, run.first_seen, run.last_seen))
        .collect();
    assert_eq!(
        found,
        [("1.4.3", 40, 40), ("1.4.2", 30, 30), ("1.4.1", 10, 20)]
    );
    let found = changes(conn, 0).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&*found[0].version, &*found[0].version_before, found[0].at),
        ("1.4.2", "1.4.1", 30)
    );
    assert!(changes(conn, 31).unwrap().is_empty());
    let shop = Scope {
        service: Some("shop".to_owned()),
        ..Scope::default()
    };
    let markers = marker::list(conn, &shop).unwrap();
    assert_eq!(markers.len(), 1, "a version alone changes no plan");
    assert_eq!(markers[0].kind, marker::Kind::Plan);

    // Back to what it was: that is the change now.
    arrive(conn, "1.4.1", SEARCH, 50);
    let found = changes(conn, 0).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].at, &*found[0].version), (50, "1.4.1"));
}

#[test]
fn what_processes_send_again_in_turn_is_no_change_and_a_plan_that_was_lost_is_back() {
    let conn = &mut empty();
    let (old, new) = (("1.4.1", SEARCH), ("1.4.2", SCAN));
    arrive(conn, old.0, old.1, 10);
    arrive(conn, new.0, new.1, 20);
    let count = |conn: &mut SqliteConnection| {
        let runs = list(conn, &Scope::default(), (-7i64).cast_unsigned()).unwrap();
        runs.iter().map(|run| run.last_seen).collect::<Vec<_>>()
    };
    for (plan, at) in [(old, 30), (new, 31), (old, 40), (new, 41)] {
        arrive_as(conn, plan, true, at);
    }
    assert_eq!(count(conn), [41, 40], "two runs, seen until now");
    assert_eq!(changes(conn, 21).unwrap(), []);

    diesel::sql_query("DELETE FROM statement_plan WHERE plan LIKE 'SEARCH%'")
        .execute(conn)
        .unwrap();
    arrive_as(conn, old, true, 50);
    assert_eq!(count(conn), [50, 41]);
}

#[test]
fn labels_that_are_no_plan_of_this_version_are_left_alone() {
    let sent = || Sent {
        seq: 1,
        service: "shop".to_owned(),
        environment: String::new(),
        version: String::new(),
        at: 1,
        schema_version: Some(3.0),
    };
    let whole = serde_json::json!({
        "sqlite_plan": SCAN, "sqlite_plan_version": "1", "sqlite_statement": "00000000000000ff",
    });
    let found = arrival(sent(), &whole).unwrap();
    assert_eq!((found.fingerprint, &*found.instance), (255, ""));
    for (label, value) in [
        ("sqlite_plan_version", "2".to_owned()),
        ("sqlite_statement", "none".to_owned()),
        ("sqlite_plan", "x".repeat(LONGEST + 1)),
    ] {
        let mut other = whole.clone();
        other[label] = value.into();
        assert_eq!(arrival(sent(), &other), None, "{label}");
    }
    // Those of other databases have no version of a schema, and names that do not say which database it is.
    let other = || Sent {
        schema_version: None,
        ..sent()
    };
    let labels = serde_json::json!({
        "sql_plan": "Seq Scan on people", "sql_plan_version": "1", "sql_statement": "00000000000000ff",
        "sql_database": "shop", "sql_system": "postgresql",
    });
    let found = arrival(other(), &labels).unwrap();
    assert_eq!((found.schema_version, &*found.instance), (None, "shop"));
    assert_eq!(arrival(other(), &whole), None);
    assert_eq!(arrival(sent(), &Value::Null), None);
}
