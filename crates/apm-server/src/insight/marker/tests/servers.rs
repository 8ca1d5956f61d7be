//! Markers on two servers before one engine.

use apm_store::share as store;

use super::*;

fn pass(from: &mut SqliteConnection, to: &mut SqliteConnection) -> usize {
    let pending = store::pending(from, 100).unwrap();
    for document in &pending {
        store::mark_sent(from, document).unwrap();
    }
    store::receive(to, pending, share::take).unwrap().taken
}

fn names(conn: &mut SqliteConnection) -> Vec<(Kind, String)> {
    let found = list(conn, &of(Some("shop"), None)).unwrap().into_iter();
    found.map(|marker| (marker.kind, marker.name)).collect()
}

#[test]
fn a_marker_of_one_server_is_on_the_other_once() {
    let (a, b) = (&mut empty(), &mut empty());
    for (conn, node, pid) in [(&mut *a, "a", 10), (&mut *b, "b", 20)] {
        store::node(conn, node).unwrap();
        arrive(conn, "1.0", pid, 1_000);
    }
    // Both saw the start of the same service, each of another process.
    assert_eq!((pass(a, b), pass(b, a)), (1, 1));
    assert_eq!((names(a).len(), names(b).len()), (1, 1));
    set(
        a,
        1_500_000_000,
        ("", None),
        Kind::Manual,
        "before the index",
    )
    .unwrap();
    arrive(a, "1.1", 11, 2_000);
    assert_eq!(pass(a, b), 3);
    // The version is known, and the start is far enough from that of the other one.
    arrive(b, "1.1", 12, 2_300);
    let versions = |conn: &mut SqliteConnection| {
        let mut found = names(conn);
        found.retain(|(kind, _)| *kind == Kind::Version);
        found
    };
    assert_eq!(versions(b), [(Kind::Version, "1.1".to_owned())]);
    pass(b, a);
    assert_eq!((names(a).len(), names(b).len()), (5, 5));
    assert!(find(b, "before the index").unwrap().is_some());
    // A second way brings nothing again.
    assert_eq!((pass(a, b), pass(b, a)), (0, 0));
}

#[test]
fn a_damaged_marker_is_not_taken() {
    let conn = &mut empty();
    let long = format!(r#"[1,"manual","","x","{}"]"#, "x".repeat(LONGEST_NAME + 1));
    let place = "é".repeat(1025);
    let long_service = format!(r#"[1,"start","{place}","x","y"]"#);
    let long_environment = format!(r#"[1,"version","x","{place}","y"]"#);
    for key in [
        "",
        "[]",
        r#"[1,"other","",null,"x"]"#,
        r#"[-1,"manual","",null,"x"]"#,
        r#"[9000000000000000000,"manual","",null,"x"]"#,
        &long,
        &long_service,
        &long_environment,
    ] {
        let document = store::Document {
            kind: share::KIND.to_owned(),
            key: key.to_owned(),
            version: 1,
            node: "b".to_owned(),
            body: Some("{}".to_owned()),
        };
        assert!(!share::take(conn, &document).unwrap(), "{key}");
    }
    assert_eq!(list(conn, &Scope::default()).unwrap(), []);
}

#[test]
fn the_starts_of_one_service_of_another_server_leave_room_for_the_markers_of_others() {
    let conn = &mut empty();
    set(conn, 7, ("quiet", Some("prod")), Kind::Version, "1.1").unwrap();
    let mut taken = |service: &str, number: i64| {
        let document = store::Document {
            kind: share::KIND.to_owned(),
            // Far enough from each other to be as many starts.
            key: format!(
                r#"[{},"start","{service}","prod","p{number}"]"#,
                number * 120_000_000
            ),
            version: 1,
            node: "b".to_owned(),
            body: Some("{}".to_owned()),
        };
        assert!(share::take(conn, &document).unwrap());
    };
    taken("other", 3);
    (1..=2500).for_each(|number| taken("restarts", number));
    let mut left = |service: &str| list(conn, &of(Some(service), None)).unwrap();
    assert_eq!((left("quiet").len(), left("other").len()), (1, 1));
    let restarts = left("restarts");
    assert!(restarts.len() >= 200);
    assert_eq!(restarts[0].name, "p2500", "the newest stay");
}
