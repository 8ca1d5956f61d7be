use super::*;
use crate::analytics::tests::empty;
use crate::insight::finding::{Evidence, Kind};

fn draft(subject: &str, severity: Severity) -> Draft {
    Draft {
        kind: Kind::Repeat,
        service: "shop".to_owned(),
        environment: String::new(),
        subject: subject.to_owned(),
        severity,
        saving: 5.0,
        says: Says {
            title: "t".to_owned(),
            cause: String::new(),
            remedy: String::new(),
            evidence: Evidence {
                fingerprint: Some(subject.to_owned()),
                ..Evidence::default()
            },
            figures: serde_json::Map::new(),
        },
    }
}

fn open(conn: &mut SqliteConnection) -> Vec<String> {
    let list = list(conn, &Scope::default(), Which::default()).unwrap();
    list.into_iter()
        .filter_map(|finding| finding.says.evidence.fingerprint)
        .collect()
}

#[test]
fn a_finding_opens_ends_after_a_minute_and_comes_again() {
    let conn = &mut empty();
    let shop = [("shop".to_owned(), String::new())];
    keep(
        conn,
        &[draft("a", Severity::Notice), draft("b", Severity::Grave)],
        &shop,
        1_000,
    )
    .unwrap();
    assert_eq!(open(conn), ["b", "a"]);
    keep(conn, &[draft("b", Severity::Grave)], &shop, 1_030).unwrap();
    assert_eq!(open(conn), ["b", "a"], "half a minute is no repair");
    keep(conn, &[draft("b", Severity::Grave)], &shop, 1_070).unwrap();
    assert_eq!(open(conn), ["b"]);
    // Nobody looked at the shop: nothing is known.
    keep(conn, &[], &[], 5_000).unwrap();
    assert_eq!(open(conn), ["b"]);
    let all = list(
        conn,
        &Scope::default(),
        Which {
            ended: true,
            ..Which::default()
        },
    )
    .unwrap();
    assert_eq!(all[1].ended, Some(1_070));
    keep(conn, &[draft("a", Severity::Notice)], &shop, 5_010).unwrap();
    let all = list(
        conn,
        &Scope::default(),
        Which {
            fingerprint: Some("a"),
            ..Which::default()
        },
    )
    .unwrap();
    assert_eq!(
        (all.len(), all[0].first_seen, all[0].ended),
        (1, 5_010, None)
    );
}

#[test]
fn a_dismissed_finding_stays_silent_though_it_is_found_again() {
    let conn = &mut empty();
    keep(conn, &[draft("a", Severity::Cost)], &[], 10).unwrap();
    let id = list(conn, &Scope::default(), Which::default()).unwrap()[0]
        .id
        .clone();
    assert!(dismiss(conn, &id, Some(11)).unwrap());
    keep(conn, &[draft("a", Severity::Cost)], &[], 20).unwrap();
    assert!(open(conn).is_empty());
    assert!(dismiss(conn, &id, None).unwrap());
    assert_eq!(open(conn), ["a"]);
    assert!(!dismiss(conn, "none", None).unwrap());
}
