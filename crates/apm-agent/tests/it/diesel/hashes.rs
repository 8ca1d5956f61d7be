//! Hashes of bind values: equal where the values are, and never the values.

use apm_agent::testing::Recorded;
use diesel::prelude::*;

use super::{people, recorded};
use crate::support::Checked;

/// Asks for the ids of names, one after the other.
fn ask(connection: &mut SqliteConnection, names: &[&str]) {
    for name in names {
        let _: Vec<i32> = people::table
            .filter(people::name.eq(*name))
            .select(people::id)
            .load(connection)
            .unwrap();
    }
}

/// The label by which calls with the same values are told from others.
fn bind_hashes(recorded: &Recorded) -> Vec<Option<&str>> {
    let spans = recorded.spans.iter();
    spans
        .map(|span| span["context"]["tags"]["bind_hash"].as_str())
        .collect()
}

#[test]
fn selects_with_the_same_values_carry_the_same_hash_and_never_the_values() {
    let recorder = Checked::uncompressed();
    let recorded = recorded(&recorder, |connection| {
        ask(connection, &["s3cret", "s3cret", "other"]);
        diesel::insert_into(people::table)
            .values(people::name.eq("s3cret"))
            .execute(connection)
            .unwrap();
        diesel::sql_query("SELECT 1 AS id")
            .execute(connection)
            .unwrap();
    });
    let [Some(one), Some(two), Some(other), None, None] = bind_hashes(&recorded)[..] else {
        panic!("{:?}", bind_hashes(&recorded))
    };
    assert_eq!(one, two);
    assert_ne!(one, other);
    assert!(one.len() == 16 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(!format!("{:?}", recorded.spans).contains("s3cret"));
}

#[test]
fn a_composite_carries_a_hash_only_of_values_that_all_its_calls_have() {
    let hashes = |names: &[&str]| {
        let recorded = recorded(&Checked::default(), |connection| ask(connection, names));
        assert_eq!(recorded.spans[0]["composite"]["count"], names.len());
        bind_hashes(&recorded)[0].is_some()
    };
    assert!(hashes(&["a", "a", "a"]));
    assert!(!hashes(&["a", "b", "a"]));
}

#[test]
fn hashes_of_values_can_be_switched_off() {
    let recorder = Checked::with_options([("capture_bind_hash", "false")]);
    let recorded = recorded(&recorder, |connection| ask(connection, &["a"]));
    assert_eq!(bind_hashes(&recorded), [None]);
    let tags = recorded.spans[0]["context"]["tags"].as_object().unwrap();
    assert!(tags.keys().all(|name| name.starts_with("sqlite_")));
}
