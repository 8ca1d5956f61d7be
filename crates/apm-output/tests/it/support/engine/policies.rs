//! Index State Management of OpenSearch, as its documentation has it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answers::reply;
use super::{Answer, Request};

const POLICY: &str = "/_plugins/_ism/policies/";

/// Policies, and which of them indices got.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    /// Their sequence number and their text, by name.
    pub(crate) all: BTreeMap<String, (u64, Value)>,
    /// The patterns of indices to which a policy was given, and the policy.
    pub(crate) given: Vec<(String, String)>,
    /// All of it is refused, with this status.
    pub(crate) refuses: Option<u16>,
    /// Policies that were written.
    pub(crate) writes: usize,
}

impl Policies {
    pub(super) fn answer(&mut self, request: &Request) -> Answer {
        if let Some(status) = self.refuses {
            return reply(status, &json!({"error": "no"}));
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        if let Some(patterns) = path.strip_prefix("/_plugins/_ism/add/") {
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            let policy = body["policy_id"].as_str().expect("a name").to_owned();
            self.given.push((patterns.to_owned(), policy));
            return reply(
                200,
                &json!({"updated_indices": 0, "failures": false, "failed_indices": []}),
            );
        }
        let name = path.strip_prefix(POLICY).expect("a policy");
        let found = self.all.get(name);
        if request.method == "GET" {
            return match found {
                Some((seq_no, policy)) => {
                    let mut policy = policy["policy"].clone();
                    policy["policy_id"] = name.into();
                    policy["schema_version"] = 21.into();
                    reply(
                        200,
                        &json!({"_id": name, "_version": seq_no + 1, "_seq_no": seq_no, "_primary_term": 1,
                            "policy": policy}),
                    )
                }
                None => reply(
                    404,
                    &json!({"error": {"type": "status_exception", "reason": "Policy not found"}, "status": 404}),
                ),
            };
        }
        let wanted = found.map(|(seq_no, _)| format!("if_seq_no={seq_no}&if_primary_term=1"));
        if wanted.as_deref().unwrap_or_default() != query {
            return reply(
                409,
                &json!({"error": {"type": "version_conflict_engine_exception"}}),
            );
        }
        let policy: Value = serde_json::from_slice(&request.body).expect("JSON");
        // Two templates of one priority must not be for the same names.
        let priority = |policy: &Value| policy["policy"]["ism_template"][0]["priority"].clone();
        let mut others = self.all.iter().filter(|(other, _)| *other != name);
        if others.any(|(_, (_, other))| priority(other) == priority(&policy)) {
            return reply(
                400,
                &json!({"error": {"type": "illegal_argument_exception",
                    "reason": "matching existing policy templates, please use a different priority than 1"}}),
            );
        }
        let next = found.map_or(0, |(seq_no, _)| seq_no + 1);
        self.all.insert(name.to_owned(), (next, policy));
        self.writes += 1;
        reply(201, &json!({"_id": name, "_seq_no": next}))
    }
}
