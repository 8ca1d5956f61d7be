//! The policy and the age that data streams have without this server, and the policy that they have with it.

use reqwest::Method;
use serde_json::Value;

use super::template::Template;
use super::{look, refused};
use crate::client::Client;

/// The ages at which Elasticsearch deletes data streams of APM by itself. Another one is a user's choice.
const OWN: [&str; 4] = ["10d", "90d", "180d", "390d"];

/// Whether an age is none that Elasticsearch brings.
pub(super) fn is_chosen(age: &str) -> bool {
    !OWN.contains(&age)
}

/// Whether somebody has chosen a policy or an age for the data streams of a template, by the template that it is made
/// of. That one is asked by its name, because ours stands above it.
pub(super) async fn by_somebody(client: &Client, template: &Template) -> Result<bool, String> {
    let Some(source) = &template.source else {
        return Ok(false);
    };
    let found = simulate(client, &format!("_simulate/{source}")).await?;
    if found["lifecycle"]["data_retention"]
        .as_str()
        .is_some_and(is_chosen)
    {
        return Ok(true);
    }
    match policy(&found) {
        Some(policy) => Ok(!is_managed(client, policy).await?),
        None => Ok(false),
    }
}

/// The policy that a new data stream of this name gets.
pub(super) async fn policy_of(client: &Client, stream: &str) -> Result<Option<String>, String> {
    let found = simulate(client, &format!("_simulate_index/{stream}")).await?;
    Ok(policy(&found).map(str::to_owned))
}

fn policy(template: &Value) -> Option<&str> {
    template["settings"]["index"]["lifecycle"]["name"].as_str()
}

/// The settings that templates and their components give together.
async fn simulate(client: &Client, of: &str) -> Result<Value, String> {
    let path = format!("_index_template/{of}");
    let reply = client.ask(Method::POST, &path, None).await?;
    if reply.status != 200 {
        return Err(refused("a look at what templates give an index", &reply));
    }
    let mut found: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    Ok(found["template"].take())
}

/// Whether the engine brought a policy. One that is missing is nobody's choice.
async fn is_managed(client: &Client, policy: &str) -> Result<bool, String> {
    let path = format!("_ilm/policy/{policy}");
    let found: Option<Value> =
        look(client, &path, &format!("a look at the policy {policy}")).await?;
    Ok(found.is_none_or(|found| found[policy]["policy"]["_meta"]["managed"] == true))
}
