//! The age at which OpenSearch deletes documents, on request: a policy of its Index State Management. Elasticsearch has
//! lifecycle policies for these data streams itself.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::dialect::{Dialect, Product};
use crate::engine::{is_priority_taken, unexpected};

/// The beginning of the description of a policy that this server made. One with another description is a user's, and
/// stays.
const OWNER: &str = "Installed by pocket-apm";

/// Grows with each change of the policy. An older one is replaced, a newer one stays.
const VERSION: u64 = 1;

/// Policies of users for the same data streams have a higher priority, and win.
const PRIORITY: u64 = 1;

const HOUR: u64 = 60 * 60;

/// The policy that the engine has.
#[derive(Deserialize)]
struct Found {
    #[serde(rename = "_seq_no")]
    seq_no: i64,
    #[serde(rename = "_primary_term")]
    primary_term: i64,
    policy: Policy,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    description: String,
}

/// The outcome of a look at the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Installed {
    /// It is there.
    Ours,
    /// A server of a newer version made it, and it stays.
    Newer,
    /// One that somebody else made has its name, or its place.
    Another,
    /// The engine has lifecycle policies of its own.
    Elastic,
}

impl Installed {
    /// The way in which documents are deleted, in words. `name`: of the policy of this server.
    pub(crate) fn words(self, name: &str) -> String {
        match self {
            Self::Ours => format!("by the policy {name}"),
            Self::Newer => format!(
                "by the policy {name} of a server of a newer version, at the age that is set there"
            ),
            Self::Another => format!(
                "by a policy of somebody else, which has the name {name} or is for the same data streams: it stays as \
                 it is"
            ),
            Self::Elastic => {
                "by the lifecycle policies of Elasticsearch: change them in Kibana".to_owned()
            }
        }
    }
}

/// Installs the policy where it is missing, or is of an older version or another age, and gives it to the indices that
/// have none.
///
/// # Errors
/// The words of the engine, if it does not take it.
pub(crate) async fn install(
    client: &Client,
    dialect: Dialect,
    namespace: &str,
    age: Duration,
) -> Result<Installed, String> {
    if dialect.product == Product::Elasticsearch {
        return Ok(Installed::Elastic);
    }
    let name = name(namespace);
    let path = format!("_plugins/_ism/policies/{name}");
    let description = description(age);
    let reply = client.ask(Method::GET, &path, None).await?;
    let query = match reply.status {
        404 => String::new(),
        200 => {
            let found: Found = serde_json::from_slice(&reply.body)
                .map_err(|_| unexpected(&format!("a look at the policy {name}"), &reply))?;
            match version(&found.policy.description) {
                None => return Ok(Installed::Another),
                // While servers are upgraded one after the other, the old ones leave it alone.
                Some(version) if version > VERSION => {
                    attach(client, namespace).await?;
                    return Ok(Installed::Newer);
                }
                Some(_) => {}
            }
            if found.policy.description == description {
                attach(client, namespace).await?;
                return Ok(Installed::Ours);
            }
            // Another server may change it at the same time: then it is looked at again.
            format!(
                "?if_seq_no={}&if_primary_term={}",
                found.seq_no, found.primary_term
            )
        }
        _ => return Err(refused(&format!("a look at the policy {name}"), &reply)),
    };
    let body = policy(namespace, age, &description);
    let reply = client
        .ask(Method::PUT, &format!("{path}{query}"), Some(&body))
        .await?;
    match reply.status {
        200 | 201 => {
            log::info!("the policy {name} was installed: {description}");
            attach(client, namespace).await?;
            Ok(Installed::Ours)
        }
        // A policy of the same priority is for these data streams.
        _ if is_priority_taken(&reply) => Ok(Installed::Another),
        _ => Err(refused(&format!("the policy {name}"), &reply)),
    }
}

/// Gives the policy to the indices that were there before it. Those that have one keep it: the engine says so by index,
/// and that is no failure.
async fn attach(client: &Client, namespace: &str) -> Result<(), String> {
    let path = format!("_plugins/_ism/add/{}", patterns(namespace).join(","));
    let body = json!({"policy_id": name(namespace)});
    let reply = client.ask(Method::POST, &path, Some(&body)).await?;
    match reply.status {
        // There are none yet.
        200 | 404 => Ok(()),
        _ => Err(refused("a policy for the indices that are there", &reply)),
    }
}

fn refused(what: &str, reply: &Reply) -> String {
    let words = unexpected(what, reply);
    match reply.status {
        401 | 403 => format!(
            "the credential needs the rights cluster:admin/opendistro/ism/policy/get, …/policy/write and \
             …/managedindex/add ({words})"
        ),
        400 | 405 => {
            format!("the engine has no Index State Management, or does not understand it ({words})")
        }
        _ => words,
    }
}

/// The name of the policy.
pub(crate) fn name(namespace: &str) -> String {
    format!("pocket-apm-{namespace}")
}

/// The data streams, as patterns.
fn patterns(namespace: &str) -> [String; 4] {
    [
        "traces-apm*",
        "logs-apm*",
        "metrics-apm*",
        "metrics-pocket.*",
    ]
    .map(|streams| format!("{streams}-{namespace}"))
}

fn description(age: Duration) -> String {
    let hours = hours(age);
    format!(
        "{OWNER}, version {VERSION}: documents are deleted after {hours} h. Write another description to keep it."
    )
}

/// The version of a policy that a server made; none of one with another description.
fn version(description: &str) -> Option<u64> {
    let rest = description.strip_prefix(OWNER)?;
    let (version, _) = rest.strip_prefix(", version ")?.split_once(':')?;
    version.parse().ok()
}

/// Whole hours, rounded up.
fn hours(age: Duration) -> u64 {
    age.as_secs().div_ceil(HOUR).max(1)
}

/// An index is deleted as a whole: it takes documents for a day, or a seventh of the age, and goes when the last of
/// them are old enough.
fn policy(namespace: &str, age: Duration, description: &str) -> Value {
    let hours = hours(age);
    let width = (hours / 7).clamp(1, 24);
    json!({"policy": {
        "description": description,
        "default_state": "written",
        "ism_template": [{"index_patterns": patterns(namespace), "priority": PRIORITY}],
        "states": [
            {
                "name": "written",
                "actions": [{"rollover": {"min_index_age": format!("{width}h"), "min_primary_shard_size": "30gb"}}],
                "transitions": [{
                    "state_name": "gone",
                    "conditions": {"min_index_age": format!("{}h", hours + width)},
                }],
            },
            {"name": "gone", "actions": [{"delete": {}}], "transitions": []},
        ],
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_policy_is_in_its_description() {
        assert_eq!(
            version(&description(Duration::from_secs(HOUR))),
            Some(VERSION)
        );
        for other in ["", "mine", OWNER, "Installed by pocket-apm, version x: a"] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn an_index_goes_when_its_last_documents_are_old_enough() {
        for (age, rollover, delete) in [
            (30 * 24 * HOUR, "24h", "744h"),
            (7 * 24 * HOUR, "24h", "192h"),
            (24 * HOUR, "3h", "27h"),
            (90 * 60, "1h", "3h"),
        ] {
            let policy = policy("team", Duration::from_secs(age), "");
            let state = &policy["policy"]["states"][0];
            assert_eq!(state["actions"][0]["rollover"]["min_index_age"], rollover);
            assert_eq!(
                state["transitions"][0]["conditions"]["min_index_age"],
                delete
            );
        }
    }
}
