//! A policy of Elasticsearch's index lifecycle management, and templates by which the data streams of one namespace get
//! it.
//!
//! The templates of APM are for all namespaces, and other servers may write into these. So each is repeated for the one
//! namespace, with the policy and a higher priority: the way that Elastic's documentation describes for policies by
//! namespace. They are made anew from the engine's own at each start, so they follow its upgrades.

mod chosen;
mod rollover;
mod template;

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::rollover::Stream;
use self::template::{Found, Source, Template};
use super::{Installed, Policy, description, hours, name, width};
use crate::client::{Client, Reply};
use crate::engine::{is_priority_taken, unexpected};

#[derive(Default, Deserialize)]
struct Sources {
    index_templates: Vec<Source>,
}

pub(super) async fn install(
    client: &Client,
    namespace: &str,
    age: Duration,
) -> Result<Installed, String> {
    let name = name(namespace);
    let newer = match put_policy(client, &name, age).await? {
        Policy::Another => return Ok(Installed::Another),
        policy => policy == Policy::Newer,
    };
    let streams = rollover::streams(client, namespace).await?;
    let mut except = Vec::new();
    for template in templates(client, namespace, &name).await? {
        if !place(client, &name, &template, &streams).await? {
            except.push(template.streams);
        }
    }
    rollover::to(client, namespace, &name).await?;
    Ok(match (newer, except.is_empty()) {
        (true, _) => Installed::Newer,
        (false, true) => Installed::Ours,
        (false, false) => Installed::Except(except),
    })
}

/// Writes the policy where it is missing or another one is wanted, and tells what stood there.
async fn put_policy(client: &Client, name: &str, age: Duration) -> Result<Policy, String> {
    let path = format!("_ilm/policy/{name}");
    let wanted = description(age);
    let found = match look::<Value>(client, &path, &format!("a look at the policy {name}")).await? {
        None => Policy::Replaced,
        Some(found) => {
            let description = &found[name]["policy"]["_meta"]["description"];
            Policy::of(description.as_str().unwrap_or_default(), &wanted)
        }
    };
    if found != Policy::Replaced {
        return Ok(found);
    }
    let body = policy(age, &wanted);
    let reply = client.ask(Method::PUT, &path, Some(&body)).await?;
    if reply.status != 200 {
        return Err(refused(&format!("the policy {name}"), &reply));
    }
    log::info!("the policy {name} was installed: {wanted}");
    Ok(Policy::Wanted)
}

/// Its ages count from the moment at which an index gets no documents any more.
fn policy(age: Duration, description: &str) -> Value {
    let rollover = json!({"max_age": format!("{}h", width(age)), "max_primary_shard_size": "30gb"});
    json!({"policy": {
        "_meta": {"description": description},
        "phases": {
            "hot": {"min_age": "0ms", "actions": {"rollover": rollover}},
            "delete": {"min_age": format!("{}h", hours(age)), "actions": {"delete": {}}},
        },
    }})
}

/// The templates of the namespace, made of those that the engine has for all.
async fn templates(
    client: &Client,
    namespace: &str,
    policy: &str,
) -> Result<Vec<Template>, String> {
    let what = "a look at the templates of APM";
    let sources = look::<Sources>(client, "_index_template/*apm*", what).await?;
    let sources = sources.unwrap_or_default().index_templates;
    let found = template::of_namespace(&sources, namespace, policy);
    // Without its own templates the engine would make other fields of these data streams.
    if found.iter().any(|one| one.streams.starts_with("traces-")) {
        Ok(found)
    } else {
        Err(
            "the engine has no template for traces-apm-*: is its plugin apm-data switched off?"
                .to_owned(),
        )
    }
}

/// Installs a template, and tells whether it decides over its data streams. It does not where somebody else has set
/// something for them, or has a template above it.
async fn place(
    client: &Client,
    policy: &str,
    template: &Template,
    streams: &[Stream],
) -> Result<bool, String> {
    if template.found == Found::Another {
        return Ok(false);
    }
    let name = &template.name;
    let path = format!("_index_template/{name}");
    let is_chosen = streams
        .iter()
        .any(|stream| template.is_for(&stream.name) && stream.has_age_of_its_own());
    if is_chosen || chosen::by_somebody(client, template).await? {
        // It was chosen after this template was installed, which stands above.
        if template.found != Found::Nothing {
            let reply = client.ask(Method::DELETE, &path, None).await?;
            if !matches!(reply.status, 200 | 404) {
                return Err(refused(
                    &format!("a removal of the index template {name}"),
                    &reply,
                ));
            }
            log::info!(
                "the index template {name} was removed: somebody else has set something for its data streams"
            );
        }
        return Ok(false);
    }
    if template.found != Found::Same {
        let reply = client.ask(Method::PUT, &path, Some(&template.body)).await?;
        match reply.status {
            200 => log::info!("the index template {name} was installed, with the policy {policy}"),
            _ if is_priority_taken(&reply) => return Ok(false),
            _ => return Err(refused(&format!("the index template {name}"), &reply)),
        }
    }
    Ok(chosen::policy_of(client, &template.example())
        .await?
        .as_deref()
        == Some(policy))
}

/// Reads an answer; none where there is nothing of that name.
async fn look<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    what: &str,
) -> Result<Option<T>, String> {
    let reply = client.ask(Method::GET, path, None).await?;
    match reply.status {
        404 => Ok(None),
        200 => serde_json::from_slice(&reply.body)
            .map(Some)
            .map_err(|_| unexpected(what, &reply)),
        _ => Err(refused(what, &reply)),
    }
}

fn refused(what: &str, reply: &Reply) -> String {
    let words = unexpected(what, reply);
    match reply.status {
        401 | 403 => format!(
            "the credential needs the cluster privileges manage_ilm and manage_index_templates, and manage on these \
             data streams ({words})"
        ),
        400 | 405 | 410 if what.contains("policy") => {
            format!("the engine has no index lifecycle management ({words})")
        }
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_goes_at_the_age_after_its_last_document() {
        for (hours, rollover, delete) in [
            (365 * 24, "720h", "8760h"),
            (30 * 24, "102h", "720h"),
            (24, "3h", "24h"),
            (1, "1h", "1h"),
        ] {
            let policy = policy(Duration::from_secs(hours * 60 * 60), "");
            let phases = &policy["policy"]["phases"];
            assert_eq!(phases["hot"]["actions"]["rollover"]["max_age"], rollover);
            assert_eq!(phases["delete"]["min_age"], delete);
        }
    }
}
