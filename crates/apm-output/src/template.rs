//! The types of fields that OpenSearch lacks: Elasticsearch has templates for these data streams itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Body, Client};
use crate::dialect::{Dialect, Product};
use crate::engine::{is_priority_taken, unexpected};

/// A template that the server installs.
struct Template {
    name: &'static str,
    /// Grows with each change of the template. An older one is replaced.
    version: u64,
    text: &'static str,
}

/// The types of the fields of events, in OpenSearch.
const EVENTS: [Template; 1] = [Template {
    name: "pocket-apm",
    version: 1,
    text: include_str!("template/opensearch.json"),
}];

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

/// Fields of events that are stored and not indexed, by the beginning of their names: only documents have them.
const NOT_INDEXED: [&str; 21] = [
    "attributes",
    "error.custom",
    "error.exception.attributes",
    "error.exception.stacktrace",
    "error.log.stacktrace",
    "error.stack_trace",
    "http.request.body",
    "http.request.cookies",
    "http.request.env",
    "http.request.headers",
    "http.response.headers",
    "metricset.samples",
    "overflow",
    "span.links",
    "span.message.headers",
    "span.stacktrace",
    "transaction.custom",
    "transaction.duration.histogram",
    "transaction.experience",
    "transaction.marks",
    "transaction.message.headers",
];

/// The ends of the names of fields with numbers.
const NUMBERS: [&str; 10] = [
    ".us",
    ".bytes",
    ".port",
    ".pid",
    ".status_code",
    ".number",
    ".sample_rate",
    ".representative_count",
    ".summary.sum",
    ".summary.value_count",
];

/// The value of `managed_by` in templates of this server.
const OWNER: &str = "pocket-apm";

/// The templates of what a sender sends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Templates {
    /// Events.
    Events,
    /// Documents that servers share.
    Shared,
}

impl Templates {
    fn of(self, dialect: Dialect) -> &'static [Template] {
        match (self, dialect.product) {
            (Self::Shared, _) => &SHARED,
            (Self::Events, Product::OpenSearch) => &EVENTS,
            (Self::Events, Product::Elasticsearch) => &[],
        }
    }
}

/// Installs templates that are gone: an engine that was emptied has none, and would make plain indices of data streams.
///
/// # Errors
/// The words of the engine, if it does not tell or does not take them.
pub(crate) async fn renew(
    client: &Client,
    dialect: Dialect,
    templates: Templates,
) -> Result<(), String> {
    for template in templates.of(dialect) {
        let path = format!(
            "_index_template/{}?filter_path=index_templates.name",
            template.name
        );
        let reply = client.ask(Method::GET, &path, None).await?;
        match reply.status {
            200 => {}
            404 => put(client, template, log::Level::Debug).await?,
            _ => return Err(unexpected("a look at an index template", &reply)),
        }
    }
    Ok(())
}

/// Installs the template of events where it is missing or older. One that somebody else made under this name stays.
///
/// # Errors
/// The words of the engine, if it does not take it.
pub(crate) async fn install(client: &Client, dialect: Dialect) -> Result<(), String> {
    for template in Templates::Events.of(dialect) {
        put(client, template, log::Level::Warn).await?;
    }
    Ok(())
}

/// Installs the templates of what servers share, as [`install`] does.
///
/// # Errors
/// The words of the engine, if it does not take them.
pub(crate) async fn install_shared(client: &Client) -> Result<(), String> {
    for template in &SHARED {
        put(client, template, log::Level::Warn).await?;
    }
    Ok(())
}

/// The template of the counts that servers share.
pub(crate) fn rollups() -> Value {
    SHARED[0].body()
}

/// `level`: of the words that another template is in the way.
async fn put(client: &Client, template: &Template, level: log::Level) -> Result<(), String> {
    let Template { name, version, .. } = template;
    let path = format!("_index_template/{name}");
    let reply = client.call(Method::GET, &path, None).await;
    let reply = reply.map_err(|failure| failure.words().to_owned())?;
    match reply.status {
        200 => {
            let found: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let found = &found["index_templates"][0]["index_template"];
            if found["_meta"]["managed_by"] != OWNER {
                log::log!(
                    level,
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
        _ if is_priority_taken(&reply) => {
            log::log!(
                level,
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

/// True if an index can be searched by a field of events.
#[must_use]
pub fn is_indexed(field: &str) -> bool {
    !NOT_INDEXED.iter().any(|name| {
        let rest = field.strip_prefix(*name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// True if documents have numbers under this name, of which an index knows no parts.
#[must_use]
pub fn is_number(field: &str) -> bool {
    field.starts_with("numeric_labels.") || NUMBERS.iter().any(|end| field.ends_with(end))
}

fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_makes_data_streams_of_the_names_that_are_written() {
        let template = EVENTS[0].body();
        assert!(template["data_stream"].is_object());
        let patterns = template["index_patterns"].as_array().expect("patterns");
        for name in ["traces-apm*", "logs-apm*", "metrics-apm*"] {
            assert!(patterns.contains(&name.into()), "{name}");
        }
        assert!(SHARED[0].body()["data_stream"].is_object());
        assert!(SHARED[1].body().get("data_stream").is_none());
    }

    /// The fields of the template that have a type of their own, by name.
    fn typed(properties: &Value, above: &str, found: &mut Vec<(String, Value)>) {
        for (name, field) in properties.as_object().expect("fields") {
            let name = match above {
                "" => name.clone(),
                above => format!("{above}.{name}"),
            };
            match field.get("properties") {
                Some(below) => typed(below, &name, found),
                None => found.push((name, field.clone())),
            }
        }
    }

    #[test]
    fn searches_know_which_fields_the_template_does_not_index_and_which_are_numbers() {
        let template = EVENTS[0].body();
        let mappings = &template["template"]["mappings"];
        let mut fields = Vec::new();
        typed(&mappings["properties"], "", &mut fields);
        assert!(fields.len() > 40, "{}", fields.len());
        let mut not_indexed = Vec::new();
        for (name, field) in &fields {
            // The parts of a flat object are found under other names than theirs.
            let is_hidden = field["enabled"] == false || field["index"] == false;
            if is_hidden || field["type"] == "flat_object" {
                not_indexed.push(name.as_str());
            }
            let is_numeric = field["type"] == "long" || field["type"] == "double";
            assert_eq!(is_number(name), is_numeric, "{name}");
        }
        not_indexed.sort_unstable();
        assert_eq!(not_indexed, NOT_INDEXED);
        let dynamic = mappings["dynamic_templates"].as_array().expect("templates");
        for template in dynamic
            .iter()
            .flat_map(|one| one.as_object().expect("one").values())
        {
            let kind = &template["mapping"]["type"];
            if let Some(path) = template["path_match"].as_str()
                && (kind == "long" || kind == "double")
            {
                assert!(is_number(&path.replace('*', "a")), "{path}");
            }
        }
    }

    #[test]
    fn what_lies_below_a_field_that_is_not_indexed_is_not_indexed_either() {
        for (field, indexed) in [
            ("error.custom", false),
            ("error.custom.a.b", false),
            ("error.customer", true),
            ("http.request.method", true),
            ("http.request.headers.host", false),
        ] {
            assert_eq!(is_indexed(field), indexed, "{field}");
        }
    }
}
