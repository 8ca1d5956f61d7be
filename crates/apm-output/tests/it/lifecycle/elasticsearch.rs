//! Elasticsearch: a policy, and templates of one namespace by which its data streams get it.

use serde_json::{Value, json};

use super::{DAY, NAME, say, with};
use crate::support::engine::{ELASTICSEARCH, Engine};
use crate::support::{start, store, wait};

const TRACES: &str = "traces-apm-default@pocket-apm";
const OURS: &str = "by the policy pocket-apm-default";

/// A template as the engine has it. Its own policies are called `managed`.
fn template(pattern: &str, priority: u64, policy: &str) -> Value {
    let lifecycle = json!({"name": policy, "prefer_ilm": "true"});
    json!({
        "index_patterns": [pattern],
        "priority": priority,
        "version": 16,
        "composed_of": ["apm@mappings", "traces-apm@custom"],
        "ignore_missing_component_templates": ["traces-apm@custom"],
        "data_stream": {"hidden": false, "allow_custom_routing": false},
        "allow_auto_create": true,
        "_meta": {"managed": true},
        "created_date_millis": 1,
        "template": {"settings": {"index": {"final_pipeline": "traces-apm@pipeline", "lifecycle": lifecycle}}},
    })
}

/// An engine with the templates of APM, and with data streams.
fn engine() -> Engine {
    let engine = Engine::start(ELASTICSEARCH);
    let mut state = engine.state();
    for (name, pattern) in [
        ("traces-apm@template", "traces-apm-*"),
        ("logs-apm.app@template", "logs-apm.app.*-*"),
        (
            "metrics-apm.transaction.1m@template",
            "metrics-apm.transaction.1m-*",
        ),
    ] {
        let path = format!("/_index_template/{name}");
        state
            .templates
            .insert(path, template(pattern, 210, "managed"));
    }
    for stream in [
        "traces-apm-default",
        "traces-apm-another",
        "logs-apm.app.shop-default",
    ] {
        state
            .lifecycles
            .streams
            .insert(stream.to_owned(), vec!["managed".to_owned()]);
    }
    let managed = json!({"policy": {"_meta": {"managed": true}, "phases": {}}});
    state
        .lifecycles
        .policies
        .insert("managed".to_owned(), managed);
    drop(state);
    engine
}

/// Starts an output that asks for an age; gives back what was written into the engine.
fn written(engine: &Engine, days: u32, words: &str) -> Vec<String> {
    engine.state().lifecycles.writes.clear();
    say(with(engine, days * DAY), words);
    let mut writes = std::mem::take(&mut engine.state().lifecycles.writes);
    writes.sort_unstable();
    writes
}

#[test]
fn data_streams_of_one_namespace_get_the_policy() {
    let engine = engine();
    let all = [
        "logs-apm.app-default@pocket-apm",
        "metrics-apm.transaction.1m-default@pocket-apm",
        "metrics-pocket.rollup-default@pocket-apm",
        NAME,
        TRACES,
    ];
    assert_eq!(written(&engine, 30, OURS), all);
    {
        let state = engine.state();
        let phases = &state.lifecycles.policies[NAME]["policy"]["phases"];
        assert_eq!(phases["hot"]["actions"]["rollover"]["max_age"], "102h");
        assert_eq!(phases["delete"]["min_age"], "720h");
        let found = &state.templates[&format!("/_index_template/{TRACES}")];
        let source = &state.templates["/_index_template/traces-apm@template"];
        assert_eq!(found["index_patterns"], json!(["traces-apm-default"]));
        assert_eq!(found["priority"], 211);
        let index = &found["template"]["settings"]["index"];
        assert_eq!(
            index["lifecycle"],
            json!({"name": NAME, "prefer_ilm": "true"})
        );
        assert_eq!(index["final_pipeline"], "traces-apm@pipeline");
        for same in [
            "composed_of",
            "ignore_missing_component_templates",
            "data_stream",
        ] {
            assert_eq!(found[same], source[same], "{same}");
        }
        // The engine refuses dates that it keeps itself.
        assert!(found.get("created_date_millis").is_none());
        // New indices of this namespace have the policy; those of others are left alone.
        let streams = &state.lifecycles.streams;
        for stream in ["traces-apm-default", "logs-apm.app.shop-default"] {
            assert_eq!(streams[stream], ["managed", NAME], "{stream}");
        }
        assert_eq!(streams["traces-apm-another"], ["managed"]);
    }
    // Again, and by another server.
    assert_eq!(written(&engine, 30, OURS), Vec::<String>::new());
    assert_eq!(written(&engine, 7, OURS), [NAME]);
    // An upgrade of the engine has changed a template.
    let mut newer = template("traces-apm-*", 310, "managed");
    newer["composed_of"] = json!(["apm@mappings", "more@mappings"]);
    let path = "/_index_template/traces-apm@template".to_owned();
    engine.state().templates.insert(path, newer);
    assert_eq!(written(&engine, 7, OURS), [TRACES]);
    let state = engine.state();
    assert_eq!(
        state.templates[&format!("/_index_template/{TRACES}")]["priority"],
        311
    );
    assert_eq!(state.lifecycles.streams["traces-apm-default"].len(), 2);
}

#[test]
fn a_policy_of_a_user_stays() {
    let server = engine();
    let own = json!({"policy": {"phases": {}}});
    server
        .state()
        .lifecycles
        .policies
        .insert(NAME.to_owned(), own.clone());
    assert_eq!(written(&server, 30, "somebody else"), Vec::<String>::new());
    assert_eq!(server.state().lifecycles.policies[NAME], own);
}

/// A choice of a user for the logs of services.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Choice {
    Policy,
    PolicyOfComponent,
    Age,
    AgeOfStream,
    TemplateAbove,
    TemplateOfOurName,
}

impl Choice {
    fn set(self, engine: &Engine) {
        let mut state = engine.state();
        let own = json!({"policy": {"phases": {}}});
        state.lifecycles.policies.insert("mine".to_owned(), own);
        let (mut name, mut body) = (
            "logs-apm.app@template",
            template("logs-apm.app.*-*", 210, "managed"),
        );
        match self {
            Self::Policy => body = template("logs-apm.app.*-*", 210, "mine"),
            // Elastic's guide has it so.
            Self::PolicyOfComponent => {
                body["composed_of"] = json!(["logs-apm.app@custom"]);
                body["template"] = json!({});
                let lifecycle = json!({"settings": {"index": {"lifecycle": {"name": "mine"}}}});
                let components = &mut state.lifecycles.components;
                components.insert("logs-apm.app@custom", lifecycle);
            }
            Self::Age => {
                body["template"]["lifecycle"] = json!({"enabled": true, "data_retention": "365d"});
            }
            Self::AgeOfStream => {
                let of = "logs-apm.app.shop-default".to_owned();
                state.lifecycles.ages.insert(of, "365d");
            }
            Self::TemplateAbove => (name, body) = ("mine", template("logs-*-*", 500, "managed")),
            Self::TemplateOfOurName => {
                name = "logs-apm.app-default@pocket-apm";
                body = template("logs-apm.app.*-default", 400, "mine");
            }
        }
        let path = format!("/_index_template/{name}");
        state.templates.insert(path, body);
    }
}

#[test]
fn the_choice_of_a_user_stays_whether_it_is_made_before_or_after() {
    use Choice::{Age, AgeOfStream, Policy, PolicyOfComponent, TemplateAbove, TemplateOfOurName};
    for choice in [
        Policy,
        PolicyOfComponent,
        Age,
        AgeOfStream,
        TemplateAbove,
        TemplateOfOurName,
    ] {
        for is_before in [true, false] {
            let server = engine();
            if !is_before {
                written(&server, 30, OURS);
            }
            choice.set(&server);
            let words = "but for logs-apm.app.*-default: what somebody else";
            let mut writes = written(&server, 30, words);
            writes.retain(|name| name.contains("logs-"));
            let ours = "logs-apm.app-default@pocket-apm";
            let wanted = match (choice, is_before) {
                // Ours would stand above it.
                (Policy | PolicyOfComponent | Age | AgeOfStream, false) => {
                    vec![format!("no {ours}")]
                }
                (TemplateAbove, true) => vec![ours.to_owned()],
                _ => Vec::new(),
            };
            assert_eq!(writes, wanted, "{choice:?} {is_before}");
            let state = server.state();
            let indices = state.lifecycles.streams["logs-apm.app.shop-default"].len();
            assert_eq!(indices, if is_before { 1 } else { 2 }, "{choice:?}");
            assert_eq!(state.lifecycles.streams["traces-apm-default"].len(), 2);
        }
    }
}

#[test]
fn a_place_that_a_user_has_taken_stays_with_the_user() {
    let server = engine();
    let path = "/_index_template/mine".to_owned();
    let mine = template("metrics-apm.transaction.1m-default", 211, "managed");
    server.state().templates.insert(path, mine);
    let words = "but for metrics-apm.transaction.1m-default: what somebody else";
    let writes = written(&server, 30, words);
    assert!(
        !writes.iter().any(|name| name.contains("transaction.1m")),
        "{writes:?}"
    );
}

#[test]
fn a_policy_of_a_newer_server_stays() {
    let server = engine();
    let newer =
        json!({"policy": {"_meta": {"description": "Installed by pocket-apm, version 99: a"}}});
    server
        .state()
        .lifecycles
        .policies
        .insert(NAME.to_owned(), newer.clone());
    assert!(written(&server, 30, "newer version").contains(&TRACES.to_owned()));
    assert_eq!(server.state().lifecycles.policies[NAME], newer);
}

#[test]
fn an_engine_that_refuses_or_has_no_templates_is_asked_again() {
    let server = engine();
    let templates = std::mem::take(&mut server.state().templates);
    let dir = tempfile::tempdir().expect("a directory");
    let output = start(&store(dir.path()), with(&server, 30 * DAY));
    let said = |words: &str| {
        wait(words, || {
            output
                .stats()
                .retention
                .is_some_and(|said| said.contains(words))
        });
    };
    said("is its plugin apm-data switched off?");
    for (status, words) in [(403, "manage_ilm"), (410, "no index lifecycle management")] {
        server.state().lifecycles.refuses = Some(status);
        said(words);
    }
    server.state().templates.extend(templates);
    server.state().lifecycles.is_full = true;
    server.state().lifecycles.refuses = None;
    said("a new index of logs-apm.app.shop-default with 400");
    server.state().lifecycles.is_full = false;
    said(OURS);
    for stream in ["traces-apm-default", "logs-apm.app.shop-default"] {
        assert_eq!(server.state().lifecycles.streams[stream], ["managed", NAME]);
    }
    output.stop();
}
