//! Settings and markers that several servers before one engine share.

use std::collections::BTreeMap;

use apm_output::{Config, Output};
use apm_store::share::{self, Document};
use apm_store::{Store, StoreError};
use diesel::prelude::*;
use diesel::sql_types::Text;
use tempfile::TempDir;

use crate::support::engine::{ELASTICSEARCH, Engine, OPENSEARCH};
use crate::support::{named, now, sharing_store, start, wait};

const KINDS: &[&str] = &["setting", "marker"];

/// A body that no server understands.
const DAMAGED: &str = "damaged";

/// Documents as a server takes them: the table of settings stands for all that people decide.
fn take(conn: &mut SqliteConnection, document: &Document) -> QueryResult<bool> {
    if document.body.as_deref() == Some(DAMAGED) {
        return Ok(false);
    }
    let query = match &document.body {
        Some(_) => "INSERT OR REPLACE INTO agent_config VALUES (?, '', '', ?, NULL)",
        None => "DELETE FROM agent_config WHERE service = ?",
    };
    let query = diesel::sql_query(query).bind::<Text, _>(&document.key);
    match &document.body {
        Some(body) => query.bind::<Text, _>(body).execute(conn)?,
        None => query.execute(conn)?,
    };
    Ok(true)
}

struct Server {
    _dir: TempDir,
    store: Store,
    name: &'static str,
}

impl Server {
    fn new(name: &'static str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = sharing_store(dir.path());
        Self {
            _dir: dir,
            store,
            name,
        }
    }

    fn config(&self, engine: &Engine) -> Config {
        let mut config = named(engine, self.name);
        config.kinds = KINDS;
        config.take = Some(take);
        config
    }

    /// Starts, and waits until the server has a name before the engine.
    fn output(&self, engine: &Engine) -> Output {
        let output = start(&self.store, self.config(engine));
        wait("the first look", || output.coverage().looked.is_some());
        output
    }

    /// Decides something, by a clock of its own; none: takes it back.
    fn decide(&self, kind: &'static str, key: &'static str, body: Option<&'static str>, at: i64) {
        let ticket = self.store.write(move |conn| {
            let document = Document {
                kind: kind.to_owned(),
                key: key.to_owned(),
                version: at,
                node: String::new(),
                body: body.map(str::to_owned),
            };
            take(conn, &document)?;
            share::publish(conn, kind, key, body, at)
        });
        ticket.expect("open").wait().expect("written");
    }

    fn decided(&self) -> BTreeMap<String, String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            service: String,
            #[diesel(sql_type = Text)]
            settings: String,
        }
        let rows = self.store.read::<Vec<Row>, StoreError>(|conn| {
            Ok(diesel::sql_query("SELECT service, settings FROM agent_config").load(conn)?)
        });
        let rows = rows.expect("readable").into_iter();
        rows.map(|row| (row.service, row.settings)).collect()
    }
}

fn of(decided: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = decided
        .iter()
        .map(|(key, body)| ((*key).to_owned(), (*body).to_owned()));
    owned.collect()
}

#[test]
fn the_last_change_holds_on_all_servers_and_can_be_taken_back_on_any() {
    for about in [OPENSEARCH, ELASTICSEARCH] {
        let engine = Engine::start(about);
        let (a, b) = (Server::new("a"), Server::new("b"));
        let _outputs = (a.output(&engine), b.output(&engine));
        let all = |wanted: &[(&str, &str)], servers: &[&Server]| {
            let wanted = of(wanted);
            wait(&format!("{wanted:?}"), || {
                servers.iter().all(|server| server.decided() == wanted)
            });
        };
        a.decide("setting", "shop", Some("1"), now());
        a.decide("marker", "deployed", Some("{}"), now());
        all(&[("deployed", "{}"), ("shop", "1")], &[&a, &b]);
        // A clock that is late by hours loses nothing: the change is made on top of the one that it replaces.
        b.decide("setting", "shop", Some("2"), now() - 7_200_000_000);
        all(&[("deployed", "{}"), ("shop", "2")], &[&a, &b]);
        // Undone on the other one, then removed.
        a.decide("setting", "shop", Some("1"), now());
        all(&[("deployed", "{}"), ("shop", "1")], &[&a, &b]);
        b.decide("setting", "shop", None, now());
        all(&[("deployed", "{}")], &[&a, &b]);
        b.decide("setting", "stock", Some("3"), now());
        all(&[("deployed", "{}"), ("stock", "3")], &[&a, &b]);
        // One that comes later has all of it, and nothing of what was removed.
        let late = Server::new("c");
        let _late = late.output(&engine);
        all(&[("deployed", "{}"), ("stock", "3")], &[&a, &b, &late]);
    }
}

#[test]
fn of_changes_while_the_engine_was_away_the_later_one_holds_on_both() {
    let engine = Engine::start(OPENSEARCH);
    let (a, b) = (Server::new("a"), Server::new("b"));
    let outputs = (a.output(&engine), b.output(&engine));
    engine.state().credential = Some("Basic of another".to_owned());
    wait("both see that it is away", || {
        outputs.0.coverage().trouble.is_some() && outputs.1.coverage().trouble.is_some()
    });
    let at = now();
    a.decide("setting", "shop", Some("later"), at + 1);
    b.decide("setting", "shop", Some("earlier"), at);
    // At the same time: the one that the engine gets first.
    a.decide("setting", "stock", Some("a"), at);
    b.decide("setting", "stock", Some("b"), at);
    engine.state().credential = None;
    wait("both have the same", || {
        let (a, b) = (a.decided(), b.decided());
        a == b && a.get("shop").is_some_and(|body| body == "later")
    });
    let stock = a.decided().get("stock").cloned();
    assert!(matches!(stock.as_deref(), Some("a" | "b")), "{stock:?}");
}

#[test]
fn settings_from_before_the_engine_are_shared_and_any_change_since_is_newer() {
    let engine = Engine::start(OPENSEARCH);
    let (a, b) = (Server::new("a"), Server::new("b"));
    let _a = a.output(&engine);
    a.decide("setting", r#"["shop",""]"#, Some("new"), now());
    // This one had an engine never before.
    b.decide("setting", "shop", Some("old"), now());
    b.decide("setting", "stock", Some("old"), now());
    let _b = b.output(&engine);
    // `take` here names a row by its whole key.
    wait("the new one is on both", || {
        b.decided()
            .get(r#"["shop",""]"#)
            .is_some_and(|body| body == "new")
    });
    wait("the old one of another service is on both", || {
        a.decided()
            .get(r#"["stock",""]"#)
            .is_some_and(|body| body == "old")
    });
    let shop = a.decided().get(r#"["shop",""]"#).cloned();
    assert_eq!(shop.as_deref(), Some("new"));
}

#[test]
fn deleting_everything_keeps_settings_and_takes_the_markers_of_others_again() {
    let engine = Engine::start(OPENSEARCH);
    let (a, b) = (Server::new("a"), Server::new("b"));
    let _outputs = (a.output(&engine), b.output(&engine));
    a.decide("marker", "of a", Some("{}"), now());
    b.decide("marker", "of b", Some("{}"), now());
    a.decide("setting", "shop", Some("1"), now());
    let all = of(&[("of a", "{}"), ("of b", "{}"), ("shop", "1")]);
    wait("both have all", || a.decided() == all && b.decided() == all);
    a.store.clear().expect("open").wait().expect("cleared");
    // The table that stands for markers here is one that stays: without its rows, only what comes again is there.
    let emptied = a
        .store
        .write(|conn| diesel::sql_query("DELETE FROM agent_config").execute(conn));
    emptied.expect("open").wait().expect("written");
    wait("the marker of the other is back", || {
        a.decided() == of(&[("of b", "{}")])
    });
    b.decide("setting", "shop", Some("2"), now());
    wait("a setting is known by its version", || {
        a.decided() == of(&[("of b", "{}"), ("shop", "2")])
    });
    assert_eq!(b.decided().len(), 3);
}

#[test]
fn a_document_that_is_not_taken_is_counted_once_and_holds_up_no_other() {
    let engine = Engine::start(OPENSEARCH);
    let put = |key: &str, source: serde_json::Value| {
        let path = format!("/pocket-apm-shared-default/_doc/setting-{key}");
        let version = source["version"].as_u64().unwrap_or_default();
        engine.state().plain.insert(path, (version, source));
    };
    let document = |key: &str, version: i64, body: &str| {
        serde_json::json!({"kind": "setting", "key": key, "version": version, "node": "other", "body": body,
            "changed": version / 1_000_000})
    };
    put("a", document("a", now(), DAMAGED));
    put("b", document("b", now(), &"x".repeat(70_000)));
    let mut of_long_node = document("e", now(), "1");
    of_long_node["node"] = "x".repeat(70_000).into();
    put("e", of_long_node);
    // No change of anybody could be later.
    put("f", document("f", i64::MAX, "1"));
    put(
        "c",
        serde_json::json!({"kind": "setting", "changed": now() / 1_000_000}),
    );
    let server = Server::new("s");
    let output = server.output(&engine);
    put("d", document("d", now(), "1"));
    wait("what can be taken is", || {
        server.decided() == of(&[("d", "1")])
    });
    let counts = [("unreadable", 1), ("too_large", 2), ("not_understood", 2)];
    assert_eq!(output.coverage().refused, counts);
    // They are found again and again, by looks at what changed lately and by looks at all.
    for round in 0..5 {
        let body: &'static str = ["2", "3", "4", "5", "6"][round];
        put("d", document("d", now(), body));
        wait("another look", || server.decided() == of(&[("d", body)]));
    }
    assert_eq!(output.coverage().refused, counts);
    assert_eq!(output.coverage().trouble, None);
    // A newer version of one of them is looked at.
    put("a", document("a", now(), "mended"));
    wait("it is taken", || {
        server
            .decided()
            .get("a")
            .is_some_and(|body| body == "mended")
    });
    assert_eq!(output.coverage().refused, counts);
}
