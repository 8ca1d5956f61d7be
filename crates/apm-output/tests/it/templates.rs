//! The template of OpenSearch.

use serde_json::json;

use crate::support::engine::{Engine, OPENSEARCH};
use crate::support::{config, feed, lines, start, store, wait};

const PATH: &str = "/_index_template/pocket-apm";

/// Starts an output, waits for its events, and tells how often it wrote a template.
fn written(engine: &Engine) -> usize {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path());
    engine.state().log.clear();
    feed(&store, lines(0, 4));
    let before = engine.event_count();
    let output = start(&store, config(engine));
    wait("all are there", || engine.event_count() == before + 4);
    output.stop();
    let state = engine.state();
    let puts = state.log.iter().filter(|line| line.starts_with("PUT"));
    puts.count()
}

#[test]
fn it_is_installed_once_renewed_when_older_and_never_over_that_of_a_user() {
    let engine = Engine::start(OPENSEARCH);
    assert_eq!(written(&engine), 1);
    let installed = engine.state().templates[PATH].clone();
    assert!(
        installed["version"]
            .as_u64()
            .is_some_and(|version| version > 0)
    );
    assert_eq!(written(&engine), 0);
    engine.state().templates.get_mut(PATH).expect("there")["version"] = json!(0);
    assert_eq!(written(&engine), 1);
    assert_eq!(engine.state().templates[PATH], installed);
    let own = json!({"index_patterns": ["traces-apm*"], "version": 0});
    engine
        .state()
        .templates
        .insert(PATH.to_owned(), own.clone());
    assert_eq!(written(&engine), 0);
    assert_eq!(engine.state().templates[PATH], own);
}
