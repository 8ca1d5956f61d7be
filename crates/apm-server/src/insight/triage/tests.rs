mod servers;

use super::*;
use crate::analytics::errors::State;
use crate::analytics::tests::empty;

const KEY: u64 = 0xabcd_ef01_2345_6789;
const OTHER: u64 = 7;
/// µs
const NOW: i64 = 1_700_000_000_000_000;

/// A database with two groups of `shop` and a group of another service.
fn database() -> SqliteConnection {
    let mut conn = empty();
    for (id, name) in [(1, "shop"), (2, "other")] {
        diesel::sql_query("INSERT INTO service VALUES (?, ?, '', 'rust', '1', '', '', 0, 0)")
            .bind::<BigInt, _>(id)
            .bind::<Text, _>(name)
            .execute(&mut conn)
            .unwrap();
    }
    for (id, service, key) in [(1, 1, KEY), (2, 1, OTHER), (3, 2, KEY)] {
        diesel::sql_query(
            "INSERT INTO error_group VALUES (?, ?, ?, 'Io', 'no file', '', NULL, 0, 0)",
        )
        .bind::<BigInt, _>(id)
        .bind::<BigInt, _>(service)
        .bind::<BigInt, _>(key.cast_signed())
        .execute(&mut conn)
        .unwrap();
    }
    for (id, version) in [(1, "1.4"), (2, "1.5")] {
        let document = format!(r#"{{"metadata":{{"service":{{"version":"{version}"}}}}}}"#);
        diesel::sql_query("INSERT INTO resource VALUES (?, 1, ?, ?, 0)")
            .bind::<BigInt, _>(id)
            .bind::<BigInt, _>(id)
            .bind::<Text, _>(document)
            .execute(&mut conn)
            .unwrap();
    }
    conn
}

/// An occurrence of a group in the version of a resource, and a look at it.
fn occur(conn: &mut SqliteConnection, group: i64, resource: i64, ts: i64) {
    diesel::sql_query("INSERT INTO error (group_id, resource_id, ts, id) VALUES (?, ?, ?, x'00')")
        .bind::<BigInt, _>(group)
        .bind::<BigInt, _>(resource)
        .bind::<BigInt, _>(ts)
        .execute(conn)
        .unwrap();
    follow::look(conn)
        .unwrap()
        .expect("it came")
        .write(conn, false)
        .unwrap();
    assert!(follow::look(conn).unwrap().is_none(), "each is read once");
}

fn state(conn: &mut SqliteConnection, key: u64) -> State {
    let sql = "SELECT * FROM error_triage WHERE service = 'shop' AND grouping_key = :key";
    let found: Vec<crate::analytics::errors::StateColumns> = Sql::new(sql)
        .bind("key", key.cast_signed())
        .load(conn)
        .unwrap();
    found
        .into_iter()
        .next()
        .map(State::from)
        .unwrap_or_default()
}

fn make(conn: &mut SqliteConnection, made: Change, now: i64) -> Result<(), String> {
    let done = change(conn, "shop", KEY, &made, now).unwrap();
    done.map_err(|error| error.to_string())
}

fn ignore(seconds: Option<i64>, occurrences: Option<i64>, in_next_version: bool) -> Change {
    Change::Ignore {
        seconds,
        occurrences,
        in_next_version,
    }
}

/// The reason for which a group opened again, and the version.
fn reopened(state: &State) -> Option<(&str, &str)> {
    let reopened = state.reopened.as_ref();
    reopened.map(|of| (&*of.by, &*of.version))
}

#[test]
fn what_ends_a_status_is_what_was_said() {
    let resolve = |in_next_version| Change::Resolve { in_next_version };
    // A change, the versions (resources) that it occurs in then, and what opens it again.
    type Case<'a> = (Change, &'a [i64], Option<(&'a str, &'a str)>);
    let table: [Case<'_>; 9] = [
        (resolve(false), &[], None),
        (resolve(false), &[1], Some(("occurrence", "1.4"))),
        (resolve(false), &[2], Some(("version", "1.5"))),
        (resolve(true), &[1, 1], None),
        (resolve(true), &[1, 2], Some(("version", "1.5"))),
        (ignore(None, None, false), &[1, 2], None),
        (ignore(None, Some(3), false), &[1, 2], None),
        (
            ignore(None, Some(3), false),
            &[1, 2, 1],
            Some(("count", "1.4")),
        ),
        (ignore(None, None, true), &[1, 2], Some(("version", "1.5"))),
    ];
    for (made, versions, want) in table {
        let conn = &mut database();
        occur(conn, 1, 1, NOW - 10);
        make(conn, made.clone(), NOW).unwrap();
        // An occurrence of before that is sent late opens nothing.
        occur(conn, 1, 1, NOW - 5);
        let decided = state(conn, KEY).status;
        for (place, resource) in versions.iter().enumerate() {
            occur(conn, 1, *resource, NOW + 1 + place as i64);
        }
        let found = state(conn, KEY);
        assert_eq!(reopened(&found), want, "{made:?} {versions:?}");
        let status = want.map_or(decided, |_| Status::Open);
        assert_eq!(found.status, status, "{made:?} {versions:?}");
    }
}

#[test]
fn a_version_that_the_service_ran_already_is_not_the_next_one() {
    let conn = &mut database();
    diesel::sql_query("INSERT INTO service_version VALUES ('shop', '', '1.5')")
        .execute(conn)
        .unwrap();
    make(
        conn,
        Change::Resolve {
            in_next_version: true,
        },
        NOW,
    )
    .unwrap();
    occur(conn, 1, 2, NOW + 1);
    assert_eq!(state(conn, KEY).status, Status::Resolved);
}

#[test]
fn a_time_ends_by_the_clock() {
    let conn = &mut database();
    make(conn, ignore(Some(3_600), None, false), NOW).unwrap();
    let end = NOW / SECOND + 3_600;
    assert!(!follow::due(conn, end - 1).unwrap());
    assert!(follow::due(conn, end).unwrap());
    follow::end(conn, end).unwrap();
    let found = state(conn, KEY);
    assert_eq!(reopened(&found), Some(("time", "")));
    assert!(!follow::due(conn, end).unwrap(), "it ends once");
}

#[test]
fn a_merged_group_has_the_state_of_the_other_and_is_separated_again() {
    let conn = &mut database();
    let key = |key: u64| format!("{key:016x}");
    let merge = |conn: &mut SqliteConnection, from, into: u64| {
        change(conn, "shop", from, &Change::Merge { into: key(into) }, NOW).unwrap()
    };
    assert_eq!(merge(conn, OTHER, KEY), Ok(()));
    assert_eq!(root(conn, "shop", OTHER).unwrap(), KEY);
    assert!(
        merge(conn, OTHER, KEY).is_err(),
        "the group is that one already"
    );
    let found = members(conn, "shop", KEY).unwrap();
    assert_eq!(
        (&*found[0].key, &*found[0].message),
        (&*key(OTHER), "no file")
    );
    make(
        conn,
        Change::Resolve {
            in_next_version: false,
        },
        NOW,
    )
    .unwrap();
    occur(conn, 2, 2, NOW + 1);
    assert_eq!(reopened(&state(conn, KEY)), Some(("version", "1.5")));
    let of_all = versions(conn, "shop", KEY).unwrap();
    assert_eq!((&*of_all[0].version, of_all[0].occurrences), ("1.5", 1));
    make(conn, Change::Separate { key: key(OTHER) }, NOW).unwrap();
    assert_eq!(root(conn, "shop", OTHER).unwrap(), OTHER);
    assert!(make(conn, Change::Separate { key: key(OTHER) }, NOW).is_err());
}

#[test]
fn members_of_a_group_that_is_merged_go_with_it() {
    let conn = &mut database();
    diesel::sql_query("INSERT INTO error_group VALUES (4, 1, 9, '', '', '', NULL, 0, 0)")
        .execute(conn)
        .unwrap();
    for (from, into) in [(9, OTHER), (OTHER, KEY)] {
        let into = format!("{into:016x}");
        let done = change(conn, "shop", from, &Change::Merge { into }, NOW).unwrap();
        assert_eq!(done, Ok(()));
    }
    assert_eq!(root(conn, "shop", 9).unwrap(), KEY);
    assert_eq!(members(conn, "shop", KEY).unwrap().len(), 2);
    // Undone, both are where they were.
    let made = changes(conn, "shop", KEY).unwrap();
    make(conn, Change::Undo { id: made[0].id }, NOW).unwrap();
    assert_eq!(root(conn, "shop", OTHER).unwrap(), OTHER);
    assert_eq!(root(conn, "shop", 9).unwrap(), OTHER);
}

#[test]
fn each_change_is_undone_the_last_one_first() {
    let conn = &mut database();
    make(
        conn,
        Change::Assign {
            to: " Ann ".to_owned(),
        },
        NOW,
    )
    .unwrap();
    make(conn, ignore(None, None, false), NOW + 1).unwrap();
    let made = changes(conn, "shop", KEY).unwrap();
    let can: Vec<bool> = made.iter().map(|one| one.undoable).collect();
    assert_eq!(can, [true, false]);
    assert!(make(conn, Change::Undo { id: made[1].id }, NOW).is_err());
    make(conn, Change::Undo { id: made[0].id }, NOW).unwrap();
    let found = state(conn, KEY);
    assert_eq!((found.status, &*found.assignee), (Status::Open, "Ann"));
    make(conn, Change::Undo { id: made[1].id }, NOW).unwrap();
    assert_eq!(state(conn, KEY), State::default());
    assert!(changes(conn, "shop", KEY).unwrap().is_empty());
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    let conn = &mut database();
    let long = "é".repeat(60);
    for made in [
        Change::Assign { to: long },
        Change::Assign {
            to: "a\nb".to_owned(),
        },
        ignore(Some(5), None, false),
        ignore(Some(i64::MAX), None, false),
        ignore(None, Some(0), false),
        Change::Merge {
            into: "x".to_owned(),
        },
        Change::Merge {
            into: format!("{KEY:016x}"),
        },
        Change::Merge {
            into: format!("{:016x}", 99),
        },
        Change::Undo { id: 1 },
    ] {
        assert!(make(conn, made.clone(), NOW).is_err(), "{made:?}");
    }
    assert_eq!(state(conn, KEY), State::default());
    let unknown = change(conn, "nobody", KEY, &Change::Reopen, NOW).unwrap();
    assert_eq!(unknown, Err(TriageError::Unknown(KEY)));
}

#[test]
fn a_time_is_told_in_the_largest_unit_that_says_all_of_it() {
    for (seconds, words) in [
        (90 * 60, "ignored for 90 min"),
        (36 * 3_600, "ignored for 36 h"),
        (7 * 86_400, "ignored for 7 d"),
    ] {
        assert_eq!(ignore(Some(seconds), None, false).words(), words);
    }
}
