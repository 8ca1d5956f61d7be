//! The policy by which the engine deletes documents.

mod elasticsearch;

use std::time::Duration;

use apm_output::Config;
use serde_json::json;

use crate::support::engine::{Engine, OPENSEARCH};
use crate::support::{config, start, store, wait};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const NAME: &str = "pocket-apm-default";

fn with(engine: &Engine, age: Duration) -> Config {
    let mut config = config(engine);
    config.retention = Some(age);
    // Nothing is sent that a stop waits for.
    config.pace.grace = Duration::from_millis(5);
    config
}

/// Starts an output and waits for what it says of the policy; gives back how often policies were written.
fn written(engine: &Engine, config: Config, words: &str) -> usize {
    engine.state().policies.writes = 0;
    say(config, words);
    engine.state().policies.writes
}

/// Starts an output and waits for what it says of the policy.
fn say(config: Config, words: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path());
    let output = start(&store, config);
    wait(words, || {
        let said = output.stats().retention;
        said.is_some_and(|said| said.contains(words))
    });
    output.stop();
}

#[test]
fn a_policy_is_installed_once_and_changed_with_the_age() {
    let engine = Engine::start(OPENSEARCH);
    let ours = "by the policy pocket-apm-default";
    assert_eq!(written(&engine, with(&engine, 30 * DAY), ours), 1);
    {
        let state = engine.state();
        let policy = &state.policies.all[NAME].1["policy"];
        let conditions = &policy["states"][0]["transitions"][0]["conditions"];
        assert_eq!(conditions["min_index_age"], "822h");
        let patterns = policy["ism_template"][0]["index_patterns"].to_string();
        for stream in ["\"traces-apm-default\"", "metrics-pocket.*-default"] {
            assert!(patterns.contains(stream), "{patterns}");
        }
        let (indices, policy) = &state.policies.given[0];
        assert!(indices.contains("logs-apm.*-default") && policy == NAME);
    }
    // Again, and by another server.
    assert_eq!(written(&engine, with(&engine, 30 * DAY), ours), 0);
    assert_eq!(written(&engine, with(&engine, 7 * DAY), ours), 1);
    let age =
        engine.state().policies.all[NAME].1["policy"]["states"][0]["transitions"][0]["conditions"]
            .clone();
    assert_eq!(age["min_index_age"], "192h");
    // Without the option nothing is looked at.
    engine.state().log.clear();
    let dir = tempfile::tempdir().expect("a directory");
    let output = start(&store(dir.path()), config(&engine));
    wait("it is connected", || output.stats().engine.is_some());
    assert_eq!(output.stats().retention, None);
    output.stop();
    let state = engine.state();
    assert!(
        !state.log.iter().any(|line| line.contains("_ism")),
        "{:?}",
        state.log
    );
}

#[test]
fn a_policy_of_a_newer_server_stays_and_one_of_an_older_server_is_replaced() {
    let engine = Engine::start(OPENSEARCH);
    for (version, writes, words) in [(0, 1, "by the policy"), (99, 0, "newer version")] {
        let made = format!(
            "Installed by pocket-apm, version {version}: documents are deleted after 24 h."
        );
        let policy = json!({"policy": {"description": made, "ism_template": [{"priority": 1}]}});
        engine
            .state()
            .policies
            .all
            .insert(NAME.to_owned(), (3, policy.clone()));
        engine.state().policies.given.clear();
        let config = with(&engine, 30 * DAY);
        assert_eq!(written(&engine, config, words), writes, "version {version}");
        let state = engine.state();
        assert_eq!(state.policies.all[NAME].1 == policy, writes == 0);
        // Indices that were there before get the one that there is.
        assert_eq!(state.policies.given.len(), 1);
    }
}

#[test]
fn a_policy_of_a_user_stays() {
    let engine = Engine::start(OPENSEARCH);
    let own = json!({"policy": {"description": "mine", "ism_template": [{"priority": 1}]}});
    let policies = [NAME, "another"];
    for name in policies {
        engine.state().policies.all.clear();
        engine
            .state()
            .policies
            .all
            .insert(name.to_owned(), (3, own.clone()));
        let words = "somebody else";
        assert_eq!(
            written(&engine, with(&engine, 30 * DAY), words),
            0,
            "{name}"
        );
        let state = engine.state();
        assert_eq!(state.policies.all.len(), 1);
        assert_eq!(state.policies.all[name], (3, own.clone()));
        assert!(state.policies.given.is_empty());
    }
}

#[test]
fn an_engine_that_refuses_the_policy_takes_documents_and_is_asked_again() {
    let engine = Engine::start(OPENSEARCH);
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path());
    for (status, words) in [(403, "managedindex"), (400, "no Index State Management")] {
        engine.state().policies.refuses = Some(status);
        let output = start(&store, with(&engine, 30 * DAY));
        let count = crate::support::feed(&store, crate::support::lines(0, 4));
        let before = engine.event_count();
        wait("documents are sent", || {
            output.stats().documents > 0
                && output.stats().lag.events == 0
                && engine.event_count() >= before.max(count)
        });
        wait(words, || {
            let said = output.stats().retention.unwrap_or_default();
            let is_lacking = output.stats().lacks_retention;
            said.contains("not set yet") && said.contains(words) && is_lacking
        });
        engine.state().policies.refuses = None;
        wait("it is set once it can be", || {
            let said = output.stats().retention;
            said.is_some_and(|said| said.contains("by the policy"))
        });
        output.stop();
    }
}
