//! The types of fields that OpenSearch lacks: Elasticsearch has templates for these data streams itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Body, Client};
use crate::dialect::{Dialect, Product};

/// A template that the server installs.
struct Template {
    name: &'static str,
    /// Grows with each change of the template. An older one is replaced.
    version: u64,
    text: &'static str,
}

/// The types of the fields of events, in OpenSearch.
const EVENTS: Template = Template {
    name: "pocket-apm",
    version: 1,
    text: include_str!("template/opensearch.json"),
};

/// The templates of all that servers share, in any engine: counts that are not to be indexed, and a few documents.
const SHARED: [Template; 2] = [
    Template {
        name: "pocket-apm-rollups",
        version: 1,
        text: include_str!("template/rollups.json"),
    },
    Template {
        name: "pocket-apm-shared",
        version: 1,
        text: include_str!("template/shared.json"),
    },
];

/// The value of `managed_by` in templates of this server.
const OWNER: &str = "pocket-apm";

/// Installs the template of events where it is missing or older. One that somebody else made under this name stays.
///
/// # Errors
/// The words of the engine, if it does not take it.
pub(crate) async fn install(client: &Client, dialect: Dialect) -> Result<(), String> {
    match dialect.product {
        Product::OpenSearch => put(client, &EVENTS).await,
        Product::Elasticsearch => Ok(()),
    }
}

/// Installs the templates of what servers share, as [`install`] does.
///
/// # Errors
/// The words of the engine, if it does not take them.
pub(crate) async fn install_shared(client: &Client) -> Result<(), String> {
    for template in &SHARED {
        put(client, template).await?;
    }
    Ok(())
}

async fn put(client: &Client, template: &Template) -> Result<(), String> {
    let Template { name, version, .. } = template;
    let path = format!("_index_template/{name}");
    let reply = client.call(Method::GET, &path, None).await;
    let reply = reply.map_err(|failure| failure.words().to_owned())?;
    match reply.status {
        200 => {
            let found: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let found = &found["index_templates"][0]["index_template"];
            if found["_meta"]["managed_by"] != OWNER {
                log::warn!(
                    "the index template {name} was made by somebody else and stays as it is: it decides over the \
                     types of fields"
                );
                return Ok(());
            }
            if found["version"]
                .as_u64()
                .is_some_and(|found| found >= *version)
            {
                return Ok(());
            }
        }
        404 => {}
        status => {
            return Err(format!(
                "the engine answers {status} to a look at the index template {name}: {}",
                beginning(&reply.body)
            ));
        }
    }
    let body = Body::json(&template.body());
    let reply = client.call(Method::PUT, &path, Some(&body)).await;
    let reply = reply.map_err(|failure| failure.words().to_owned())?;
    match reply.status {
        200 => {
            log::info!("the index template {name} was installed, version {version}");
            Ok(())
        }
        // Another template of the same priority is for these data streams: a user's own.
        400 if reply.body.windows(8).any(|part| part == b"priority") => {
            log::warn!(
                "the index template {name} is not installed, for another one stands in its place: {}",
                beginning(&reply.body)
            );
            Ok(())
        }
        status => Err(format!(
            "the engine answers {status} to the index template {name}: {}",
            beginning(&reply.body)
        )),
    }
}

impl Template {
    /// The template of events has a priority below that of templates that people make, so that theirs win.
    fn body(&self) -> Value {
        let mut body: Value =
            serde_json::from_str(self.text).expect("the file is a part of the program");
        body["version"] = json!(self.version);
        body["_meta"] = json!({"managed_by": OWNER});
        body
    }
}

fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_makes_data_streams_of_the_names_that_are_written() {
        let template = EVENTS.body();
        assert!(template["data_stream"].is_object());
        let patterns = template["index_patterns"].as_array().expect("patterns");
        for name in ["traces-apm*", "logs-apm*", "metrics-apm*"] {
            assert!(patterns.contains(&name.into()), "{name}");
        }
        assert!(SHARED[0].body()["data_stream"].is_object());
        assert!(SHARED[1].body().get("data_stream").is_none());
    }
}
