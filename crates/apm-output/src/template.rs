//! The types of fields that OpenSearch lacks: Elasticsearch has templates for these data streams itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Body, Client};
use crate::dialect::{Dialect, Product};

/// The name of the template.
const NAME: &str = "pocket-apm";

/// Grows with each change of the template. An older one is replaced.
const VERSION: u64 = 1;

/// Installs the template where it is missing or older. One that somebody else made under this name stays.
///
/// # Errors
/// The words of the engine, if it does not take it.
pub(crate) async fn install(client: &Client, dialect: Dialect) -> Result<(), String> {
    if dialect.product != Product::OpenSearch {
        return Ok(());
    }
    let path = format!("_index_template/{NAME}");
    let reply = client.call(Method::GET, &path, None).await;
    let reply = reply.map_err(|failure| failure.words().to_owned())?;
    match reply.status {
        200 => {
            let found: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let found = &found["index_templates"][0]["index_template"];
            if found["_meta"]["managed_by"] != NAME {
                log::warn!(
                    "the index template {NAME} was made by somebody else and stays as it is: it decides over the \
                     types of fields"
                );
                return Ok(());
            }
            if found["version"]
                .as_u64()
                .is_some_and(|version| version >= VERSION)
            {
                return Ok(());
            }
        }
        404 => {}
        status => {
            return Err(format!(
                "the engine answers {status} to a look at the index template {NAME}: {}",
                beginning(&reply.body)
            ));
        }
    }
    let body = Body::json(&template());
    let reply = client.call(Method::PUT, &path, Some(&body)).await;
    let reply = reply.map_err(|failure| failure.words().to_owned())?;
    match reply.status {
        200 => {
            log::info!("the index template {NAME} was installed, version {VERSION}");
            Ok(())
        }
        // Another template of the same priority is for these data streams: a user's own.
        400 if reply.body.windows(8).any(|part| part == b"priority") => {
            log::warn!(
                "the index template {NAME} is not installed, for another one stands in its place: {}",
                beginning(&reply.body)
            );
            Ok(())
        }
        status => Err(format!(
            "the engine answers {status} to the index template {NAME}: {}",
            beginning(&reply.body)
        )),
    }
}

fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned()
}

/// The template. Its priority is below that of templates that people make, so that theirs win.
fn template() -> Value {
    let mut template: Value = serde_json::from_str(include_str!("template/opensearch.json"))
        .expect("the file is a part of the program");
    template["version"] = json!(VERSION);
    template["_meta"] = json!({"managed_by": NAME});
    template
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_makes_data_streams_of_the_names_that_are_written() {
        let template = template();
        assert!(template["data_stream"].is_object());
        let patterns = template["index_patterns"].as_array().expect("patterns");
        for name in ["traces-apm*", "logs-apm*", "metrics-apm*"] {
            assert!(patterns.contains(&name.into()), "{name}");
        }
    }
}
