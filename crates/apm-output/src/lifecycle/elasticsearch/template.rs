//! Templates of one namespace, made of those for all.

use std::cmp::Reverse;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::template;

/// The end of the name of a template that this server makes.
const OURS: &str = "@pocket-apm";

/// The value of `managed_by` in these.
const OWNER: &str = "pocket-apm";

/// The parts that are repeated. All others are the engine's own record, which it refuses to be told.
const REPEATED: [&str; 6] = [
    "template",
    "composed_of",
    "ignore_missing_component_templates",
    "data_stream",
    "allow_auto_create",
    "version",
];

/// A template that the engine has.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    name: String,
    index_template: Value,
}

/// The template that the engine has under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// The same.
    Same,
    /// One of an earlier time.
    Older,
    /// One that somebody else made.
    Another,
}

/// A template for the data streams of one namespace.
#[derive(Debug, PartialEq)]
pub(super) struct Template {
    pub(super) name: String,
    /// The pattern of its data streams.
    pub(super) streams: String,
    pub(super) body: Value,
    pub(super) found: Found,
    /// The template of the engine that it is made of; none for one of this server that the engine does not have yet.
    pub(super) source: Option<String>,
}

impl Template {
    /// Whether it is for a data stream.
    pub(super) fn is_for(&self, stream: &str) -> bool {
        match self.streams.split_once('*') {
            None => self.streams == stream,
            Some((head, tail)) => stream
                .strip_prefix(head)
                .is_some_and(|rest| rest.ends_with(tail)),
        }
    }

    /// The name of a data stream that it is for.
    pub(super) fn example(&self) -> String {
        self.streams.replace('*', "a")
    }
}

/// One for each pattern that ends in any namespace; where there are several, of the one that the engine chooses.
pub(super) fn of_namespace(sources: &[Source], namespace: &str, policy: &str) -> Vec<Template> {
    let (ours, theirs): (Vec<&Source>, Vec<&Source>) =
        sources.iter().partition(|one| one.name.ends_with(OURS));
    let shared = template::rollups();
    let theirs = theirs
        .into_iter()
        .map(|one| (Some(&one.name), &one.index_template));
    let mut all: Vec<(&str, Option<&String>, &Value)> = theirs
        .chain([(None, &shared)])
        .flat_map(|(name, body)| patterns(body).map(move |all| (all, name, body)))
        .collect();
    all.sort_by_key(|(.., body)| Reverse(priority(body)));
    let mut made: Vec<Template> = Vec::new();
    for (all, source, body) in all {
        let streams = format!("{all}-{namespace}");
        if made.iter().any(|one| one.streams == streams) {
            continue;
        }
        let name = format!("{}{OURS}", streams.replace(".*", ""));
        let body = repeated(body, &streams, policy);
        let found = ours.iter().find(|one| one.name == name);
        made.push(Template {
            found: found.map_or(Found::Nothing, |one| look(&one.index_template, &body)),
            name,
            streams,
            body,
            source: source.cloned(),
        });
    }
    made
}

/// The patterns of a template that end in any namespace, without that end.
fn patterns(template: &Value) -> impl Iterator<Item = &str> {
    let patterns = template["index_patterns"].as_array().into_iter().flatten();
    patterns
        .filter_map(|pattern| pattern.as_str()?.strip_suffix("-*"))
        .filter(|streams| is_written(streams))
}

/// Whether servers write data streams of this pattern: of APM, but for the samples that Elastic's servers keep for an
/// hour; and the counts that servers share.
fn is_written(streams: &str) -> bool {
    // One of a service has a star: `logs-apm.app.*`.
    let name = streams.strip_suffix(".*").unwrap_or(streams);
    let is_of = |all: &str| name.starts_with(all);
    !name.contains('*')
        && (matches!(
            name,
            "traces-apm" | "traces-apm.rum" | "metrics-pocket.rollup"
        ) || is_of("logs-apm.")
            || is_of("metrics-apm."))
}

fn priority(template: &Value) -> u64 {
    template["priority"].as_u64().unwrap_or_default()
}

fn repeated(source: &Value, streams: &str, policy: &str) -> Value {
    let known = REPEATED.iter().filter_map(|key| {
        let value = source.get(*key)?;
        Some(((*key).to_owned(), value.clone()))
    });
    let mut body = Value::Object(known.collect::<Map<_, _>>());
    body["index_patterns"] = json!([streams]);
    body["priority"] = json!(priority(source) + 1);
    body["_meta"] =
        json!({"managed_by": OWNER, "description": "Made of the template for all namespaces"});
    // Values of settings are texts in the engine's answers.
    body["template"]["settings"]["index"]["lifecycle"] =
        json!({"name": policy, "prefer_ilm": "true"});
    body
}

fn look(found: &Value, wanted: &Value) -> Found {
    let wanted = wanted.as_object().into_iter().flatten();
    let mut wanted = wanted.map(|(key, value)| found.get(key) == Some(value));
    if found["_meta"]["managed_by"] != OWNER {
        Found::Another
    } else if wanted.all(|is_same| is_same) {
        Found::Same
    } else {
        Found::Older
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_streams_that_no_server_writes_are_left_alone() {
        for streams in [
            "traces-apm",
            "traces-apm.rum",
            "logs-apm.error",
            "logs-apm.app.*",
            "metrics-apm.internal",
            "metrics-apm.transaction.10m",
            "metrics-pocket.rollup",
        ] {
            assert!(is_written(streams), "{streams}");
        }
        for streams in [
            "traces-apm.sampled",
            "traces-apm*",
            "traces-apmx",
            "logs-apmx",
            "logs-*",
            "metrics-pocket.mine",
            "traces-*",
        ] {
            assert!(!is_written(streams), "{streams}");
        }
    }

    #[test]
    fn a_template_is_for_the_data_streams_of_its_pattern() {
        let source = Source {
            name: "a".to_owned(),
            index_template: json!({"index_patterns": ["logs-apm.app.*-*", "traces-apm-*"], "priority": 9}),
        };
        let made = of_namespace(&[source], "x", "p");
        let names: Vec<&str> = made.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "metrics-pocket.rollup-x@pocket-apm",
                "logs-apm.app-x@pocket-apm",
                "traces-apm-x@pocket-apm"
            ]
        );
        for (stream, is_for) in [
            ("logs-apm.app.shop-x", [false, true, false]),
            ("logs-apm.app.shop-y", [false; 3]),
            ("traces-apm-x", [false, false, true]),
        ] {
            let found: Vec<bool> = made.iter().map(|one| one.is_for(stream)).collect();
            assert_eq!(found, is_for, "{stream}");
        }
        assert!(made.iter().all(|one| one.is_for(&one.example())));
    }
}
