//! A policy of OpenSearch's Index State Management. New indices get it by their names, older ones are given it.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Installed, Policy, description, hours, name, patterns, width};
use crate::client::{Client, Reply};
use crate::engine::{is_priority_taken, unexpected};

/// Policies of users for the same data streams have a higher priority, and win.
const PRIORITY: u64 = 1;

/// The policy that the engine has.
#[derive(Deserialize)]
struct Found {
    #[serde(rename = "_seq_no")]
    seq_no: i64,
    #[serde(rename = "_primary_term")]
    primary_term: i64,
    policy: Described,
}

#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    description: String,
}

pub(super) async fn install(
    client: &Client,
    namespace: &str,
    age: Duration,
) -> Result<Installed, String> {
    let name = name(namespace);
    let path = format!("_plugins/_ism/policies/{name}");
    let description = description(age);
    let reply = client.ask(Method::GET, &path, None).await?;
    let query = match reply.status {
        404 => String::new(),
        200 => {
            let found: Found = serde_json::from_slice(&reply.body)
                .map_err(|_| unexpected(&format!("a look at the policy {name}"), &reply))?;
            match Policy::of(&found.policy.description, &description) {
                Policy::Another => return Ok(Installed::Another),
                Policy::Newer => {
                    attach(client, namespace).await?;
                    return Ok(Installed::Newer);
                }
                Policy::Wanted => {
                    attach(client, namespace).await?;
                    return Ok(Installed::Ours);
                }
                // Another server may change it at the same time: then it is looked at again.
                Policy::Replaced => format!(
                    "?if_seq_no={}&if_primary_term={}",
                    found.seq_no, found.primary_term
                ),
            }
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

/// An index has an age of its own here, so it is as old as its last documents plus the time for which it took some.
fn policy(namespace: &str, age: Duration, description: &str) -> Value {
    let (hours, width) = (hours(age), width(age));
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

    const HOUR: u64 = 60 * 60;

    #[test]
    fn an_index_goes_when_its_last_documents_are_old_enough() {
        for (age, rollover, delete) in [
            (30 * 24 * HOUR, "102h", "822h"),
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
