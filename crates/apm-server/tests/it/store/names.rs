//! Names beyond the limits: counted together, told, and nothing of their events is lost.

use apm_store::event::{Batch, Event};
use apm_store::{Beyond, NameKind, NameLimits, OTHER, Store, StoreError, StoreOptions, events};

use super::{number, options, submit};
use crate::support::events::{batch, error, log, metricset, span, transaction};

fn limited(dir: &std::path::Path, names: usize) -> Store {
    Store::open(StoreOptions {
        names: NameLimits::new(names),
        ..options(dir)
    })
    .expect("opens")
}

/// An event of each kind, every name of which is made of the number.
fn all_kinds(sent: &mut Batch, number: u64) {
    let mut event = transaction(sent, number, &format!("{number}"));
    event.result = Some(sent.keep(&format!("code {number}")));
    sent.events.push(Event::Transaction(event));
    let mut event = span(sent, number, &format!("SELECT c{number} FROM t"));
    event.resource = Some(sent.keep(&format!("host-{number}")));
    event.stack = Some(sent.keep(&format!("[{number}]")));
    sent.events.push(Event::Span(event));
    let mut event = error(sent, number);
    event.grouping_key = number;
    sent.events.push(Event::Error(event));
    let event = metricset(sent, 1.0);
    let name = sent.keep(&format!("metric.{number}"));
    sent.samples.last_mut().expect("a sample").name = name;
    sent.events.push(Event::Metricset(event));
    let event = log(sent, number);
    sent.events.push(Event::Log(event));
}

fn rows(store: &Store, table: &str, service: &str) -> i64 {
    number(
        store,
        &format!(
            "SELECT count(*) AS n FROM {table} WHERE service_id = (SELECT id FROM service WHERE name = '{service}')"
        ),
    )
}

const TABLES: [(&str, NameKind); 6] = [
    ("tx_group", NameKind::Transaction),
    ("result", NameKind::Result),
    ("destination", NameKind::Destination),
    ("statement", NameKind::Statement),
    ("error_group", NameKind::Error),
    ("metric_name", NameKind::Metric),
];

#[test]
fn names_beyond_the_limit_of_a_service_are_counted_as_other_and_their_events_are_whole() {
    const LIMIT: i64 = 40;
    const SENT: u64 = 100;
    let dir = tempfile::tempdir().expect("a directory");
    let limited = limited(dir.path(), LIMIT as usize);
    for first in (0..SENT).step_by(10) {
        let mut sent = batch("shop");
        for number in first..first + 10 {
            all_kinds(&mut sent, number);
        }
        submit(&limited, sent);
    }
    let beyond = limited.stats().beyond;
    for (table, kind) in TABLES {
        let kept = rows(&limited, table, "shop");
        assert_eq!(kept, LIMIT + 1, "{table}: the other beside them");
        let expected = match kind {
            // The error's own transaction `GET /a` is a name as well.
            NameKind::Transaction => 2 * SENT - LIMIT.unsigned_abs() - SENT + 1,
            _ => SENT - LIMIT.unsigned_abs(),
        };
        assert_eq!(beyond.number(kind), expected, "{table}");
    }
    // Every count is there, and what is beyond is under the one name.
    for (roll, of, name) in [
        ("roll_tx", "tx_group g ON g.id = group_id", "g.name"),
        ("roll_tx", "result g ON g.id = result_id", "g.value"),
        (
            "roll_statement",
            "statement g ON g.id = statement_id",
            "g.normalized",
        ),
        (
            "roll_destination",
            "destination g ON g.id = destination_id",
            "g.resource",
        ),
        ("roll_error", "error_group g ON g.id = group_id", "g.type"),
    ] {
        let all = format!("SELECT sum(n) AS n FROM {roll} WHERE level = 60");
        assert_eq!(number(&limited, &all), SENT as i64, "{roll}");
        let other = format!(
            "SELECT sum(r.n) AS n FROM {roll} r JOIN {of} WHERE level = 60 AND {name} = '{OTHER}'"
        );
        let least = SENT as i64 - LIMIT;
        assert!(
            (least..=least + 1).contains(&number(&limited, &other)),
            "{roll}, {name}"
        );
    }
    // The last transaction and error say what was sent.
    let newest = number(&limited, "SELECT max(seq) AS n FROM tx");
    let found = limited.read::<_, StoreError>(|conn| events(conn, &[newest, newest + 2]));
    let found = found.expect("reads");
    let document = apm_store::document::document(&found[0]);
    assert_eq!(document["transaction"]["name"], OTHER);
    assert_eq!(document["transaction"]["result"], OTHER);
    assert_eq!(document["transaction"]["type"], "request");
    let sent = &document["overflow"]["transaction"];
    assert_eq!(sent["name"], format!("GET /{}", SENT - 1));
    assert_eq!(sent["result"], format!("code {}", SENT - 1));
    assert_eq!(sent["type"], "request");
    let document = apm_store::document::document(&found[1]);
    let sent = &document["overflow"]["error"]["grouping_key"];
    assert_eq!(sent, &format!("{:016x}", SENT - 1));
    assert_ne!(sent, &document["error"]["grouping_key"]);
}

#[test]
fn what_one_service_sends_leaves_names_for_the_others() {
    let dir = tempfile::tempdir().expect("a directory");
    let limited = limited(dir.path(), 80);
    // Together they have ten times as many: eleven services want more.
    for service in 0..11 {
        let mut sent = batch(&format!("noisy {service}"));
        for number in 0..100 {
            let event = transaction(&mut sent, number, &format!("{number}"));
            sent.events.push(Event::Transaction(event));
        }
        submit(&limited, sent);
    }
    assert_eq!(rows(&limited, "tx_group", "noisy 0"), 81);
    let mut sent = batch("quiet");
    for number in 0..10 {
        let event = transaction(&mut sent, number, &format!("{number}"));
        sent.events.push(Event::Transaction(event));
    }
    submit(&limited, sent);
    assert_eq!(
        rows(&limited, "tx_group", "quiet"),
        3,
        "two of its own, and the other"
    );
    let all = number(&limited, "SELECT count(*) AS n FROM tx_group");
    assert!(all <= 10 * 80 + 11 * 3 + 3, "{all}");
}

#[test]
fn services_beyond_their_limit_are_one_and_their_events_say_whose_they_are() {
    let dir = tempfile::tempdir().expect("a directory");
    let limited = limited(dir.path(), 10);
    for service in 0..1_010 {
        let mut sent = batch(&format!("service {service}"));
        sent.resource = std::sync::Arc::new(apm_store::event::Resource {
            document: serde_json::json!({"metadata": {"service": {
                "name": format!("service {service}"), "environment": "test", "agent": {"name": "rust"},
            }}})
            .to_string(),
            ..apm_store::event::Resource::clone(&sent.resource)
        });
        let event = transaction(&mut sent, service, "a");
        sent.events.push(Event::Transaction(event));
        submit(&limited, sent);
    }
    assert_eq!(number(&limited, "SELECT count(*) AS n FROM service"), 1_001);
    assert_eq!(limited.stats().beyond.number(NameKind::Service), 10);
    let newest = number(&limited, "SELECT max(seq) AS n FROM tx");
    let found = limited.read::<_, StoreError>(|conn| events(conn, &[newest]));
    let document = apm_store::document::document(&found.expect("reads")[0]);
    assert_eq!(document["service"]["name"], OTHER);
    assert_eq!(document["service"]["environment"], serde_json::Value::Null);
    assert_eq!(document["overflow"]["service"]["name"], "service 1009");
    assert_eq!(document["overflow"]["service"]["environment"], "test");
    let agent = number(
        &limited,
        "SELECT count(*) AS n FROM service WHERE name = '_other' AND environment = ''",
    );
    assert_eq!(agent, 1);
}

#[test]
fn a_name_that_is_known_is_kept_after_a_restart_and_room_is_used_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let send = |limited: &Store, names: std::ops::Range<u64>| {
        let mut sent = batch("shop");
        for number in names {
            let event = transaction(&mut sent, number, &format!("{number}"));
            sent.events.push(Event::Transaction(event));
        }
        submit(limited, sent);
    };
    let is_kept = |limited: &Store, name: u64| {
        number(
            limited,
            &format!("SELECT count(*) AS n FROM tx_group WHERE name = 'GET /{name}'"),
        ) == 1
    };
    {
        let limited = limited(dir.path(), 20);
        send(&limited, 0..30);
        assert!(is_kept(&limited, 19) && !is_kept(&limited, 20));
    }
    let limited = limited(dir.path(), 20);
    send(&limited, 15..25);
    assert!(is_kept(&limited, 19) && !is_kept(&limited, 20));
    assert_eq!(limited.stats().beyond.number(NameKind::Transaction), 5);
    // Everything goes, and with it what takes the room.
    limited.clear().expect("room").wait().expect("cleared");
    send(&limited, 20..30);
    assert!(is_kept(&limited, 29));
    assert_eq!(limited.stats().beyond.number(NameKind::Transaction), 5);
    assert_eq!(Beyond::default().number(NameKind::Error), 0);
}
