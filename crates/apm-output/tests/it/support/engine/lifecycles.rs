//! Index lifecycle management of Elasticsearch, with the templates and data streams that it concerns, as its
//! documentation has them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answers::reply;
use super::{Answer, Request, State};

const POLICY: &str = "/_ilm/policy/";
const TEMPLATE: &str = "/_index_template/";
const SIMULATE: &str = "/_index_template/_simulate";

/// Policies, and the policies of the indices of data streams.
#[derive(Debug, Default)]
pub(crate) struct Lifecycles {
    pub(crate) policies: BTreeMap<String, Value>,
    /// The policy of each index, the oldest first, by data stream.
    pub(crate) streams: BTreeMap<String, Vec<String>>,
    /// The age that somebody has set, by data stream.
    pub(crate) ages: BTreeMap<String, &'static str>,
    /// The settings of component templates, by name. Templates that name one get them, unless they set them themselves.
    pub(crate) components: BTreeMap<&'static str, Value>,
    /// Data streams get no new index, for want of room.
    pub(crate) is_full: bool,
    /// All of it is refused, with this status.
    pub(crate) refuses: Option<u16>,
    /// Policies and templates that were written.
    pub(crate) writes: Vec<String>,
}

fn not_found() -> Answer {
    reply(
        404,
        &json!({"error": {"type": "resource_not_found_exception"}, "status": 404}),
    )
}

/// Puts what is set over what was set before it.
fn merge(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                merge(below.entry(name).or_insert(Value::Null), value);
            }
        }
        (below, above) if !above.is_null() => *below = above.clone(),
        _ => {}
    }
}

/// Whether a name fits a pattern with stars.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name
            .strip_prefix(head)
            .is_some_and(|name| (0..=name.len()).any(|at| fits(rest, &name[at..]))),
    }
}

impl State {
    /// An answer to what is about lifecycles.
    pub(super) fn lifecycle(&mut self, request: &Request, path: &str) -> Option<Answer> {
        let is_about = path.starts_with("/_ilm/")
            || path.starts_with("/_data_stream/")
            || path.starts_with(SIMULATE)
            || path.ends_with("/_rollover")
            || (path.starts_with(TEMPLATE) && (path.contains('*') || path.contains('@')));
        if !is_about {
            return None;
        }
        if let Some(status) = self.lifecycles.refuses {
            return Some(reply(status, &json!({"error": "no"})));
        }
        let write = request.method == "PUT";
        Some(if let Some(name) = path.strip_prefix(POLICY) {
            match self.lifecycles.policies.get(name) {
                _ if write => {
                    let policy = serde_json::from_slice(&request.body).expect("JSON");
                    self.lifecycles.policies.insert(name.to_owned(), policy);
                    self.lifecycles.writes.push(name.to_owned());
                    reply(200, &json!({"acknowledged": true}))
                }
                Some(found) => reply(
                    200,
                    &json!({name: {"version": 1, "policy": found["policy"].clone(), "in_use_by": {}}}),
                ),
                None => not_found(),
            }
        } else if let Some(of) = path.strip_prefix(SIMULATE) {
            let found = match of.strip_prefix("_index/") {
                Some(index) => self.template_of(index),
                None => self.templates.get(&format!("{TEMPLATE}{}", &of[1..])),
            };
            let template = found.map(|template| self.composed(template));
            reply(200, &json!({"template": template, "overlapping": []}))
        } else if let Some(pattern) = path.strip_prefix("/_data_stream/") {
            self.data_streams(pattern)
        } else if let Some(stream) = path.strip_suffix("/_rollover") {
            let stream = &stream[1..];
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            assert_eq!(body["conditions"]["max_docs"], 1);
            if self.lifecycles.is_full {
                let reason = "this action would add [2] shards, but has maximum normal shards open";
                return Some(reply(
                    400,
                    &json!({"error": {"type": "validation_exception", "reason": reason}}),
                ));
            }
            let policy = self.policy_of(stream).unwrap_or_default();
            self.lifecycles
                .streams
                .get_mut(stream)
                .expect("a stream")
                .push(policy);
            reply(200, &json!({"acknowledged": true, "rolled_over": true}))
        } else if request.method == "DELETE" {
            self.templates.remove(path).expect("a template");
            self.lifecycles
                .writes
                .push(format!("no {}", &path[TEMPLATE.len()..]));
            reply(200, &json!({"acknowledged": true}))
        } else if write {
            self.put_template(request, path)
        } else {
            let pattern = &path[TEMPLATE.len()..];
            let found = self.templates.iter().filter_map(|(path, template)| {
                let name = path.strip_prefix(TEMPLATE)?;
                fits(pattern, name).then(|| json!({"name": name, "index_template": template}))
            });
            let found: Vec<Value> = found.collect();
            match found.is_empty() {
                true => not_found(),
                false => reply(200, &json!({"index_templates": found})),
            }
        })
    }

    /// The template of the highest priority for a data stream.
    fn template_of(&self, name: &str) -> Option<&Value> {
        let of = self.templates.values().filter(|template| {
            let patterns = template["index_patterns"].as_array().expect("patterns");
            patterns
                .iter()
                .any(|pattern| fits(pattern.as_str().expect("a text"), name))
        });
        of.max_by_key(|template| template["priority"].as_u64())
    }

    /// The settings of a template together with those of its components.
    fn composed(&self, template: &Value) -> Value {
        let names = template["composed_of"].as_array().into_iter().flatten();
        let mut composed = json!({"settings": {}});
        for name in names {
            if let Some(component) = name
                .as_str()
                .and_then(|name| self.lifecycles.components.get(name))
            {
                merge(&mut composed, component);
            }
        }
        merge(&mut composed, &template["template"]);
        composed
    }

    /// The policy that a new index of a data stream gets.
    fn policy_of(&self, name: &str) -> Option<String> {
        let composed = self.composed(self.template_of(name)?);
        let policy = &composed["settings"]["index"]["lifecycle"]["name"];
        policy.as_str().map(str::to_owned)
    }

    fn data_streams(&self, patterns: &str) -> Answer {
        let streams = self.lifecycles.streams.iter();
        let found = streams.filter(|(name, _)| patterns.split(',').any(|one| fits(one, name)));
        let found: Vec<Value> = found
            .map(|(name, indices)| {
                let indices = indices.iter().enumerate().map(|(at, policy)| {
                    json!({"index_name": format!(".ds-{name}-{at:06}"), "prefer_ilm": true, "ilm_policy": policy,
                        "managed_by": "Index Lifecycle Management"})
                });
                let age = self.lifecycles.ages.get(name);
                let lifecycle = age.map(|age| json!({"enabled": true, "data_retention": age}));
                json!({"name": name, "indices": indices.collect::<Vec<_>>(), "ilm_policy": self.policy_of(name),
                    "lifecycle": lifecycle})
            })
            .collect();
        reply(200, &json!({"data_streams": found}))
    }

    fn put_template(&mut self, request: &Request, path: &str) -> Answer {
        let template: Value = serde_json::from_slice(&request.body).expect("JSON");
        let mut others = self.templates.iter().filter(|(other, _)| *other != path);
        if others.any(|(_, other)| {
            other["index_patterns"] == template["index_patterns"]
                && other["priority"] == template["priority"]
        }) {
            return reply(
                400,
                &json!({"error": {"type": "illegal_argument_exception",
                    "reason": "multiple index templates may not match during index creation, please use a different \
                               priority"}}),
            );
        }
        self.lifecycles
            .writes
            .push(path[TEMPLATE.len()..].to_owned());
        self.templates.insert(path.to_owned(), template);
        reply(200, &json!({"acknowledged": true}))
    }
}
