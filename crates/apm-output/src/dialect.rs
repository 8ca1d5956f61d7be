//! The engine, and what it understands.

use reqwest::Method;
use serde::Deserialize;

use crate::client::{Client, Failure};
use crate::engine::beginning;

/// Bytes of the name of an engine, at most.
const NAME: usize = 100;

/// The engine behind the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) product: Product,
    /// Major and minor version; none where the engine does not tell.
    pub(crate) version: Option<(u32, u32)>,
}

/// Engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// It has templates and pipelines for these data streams.
    Elasticsearch,
    /// It has neither.
    OpenSearch,
}

impl Product {
    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "OpenSearch",
        }
    }
}

/// The answer of the first page of an engine.
#[derive(Deserialize)]
struct About {
    version: Version,
    /// A random name that the engine got when it was set up.
    cluster_uuid: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    number: String,
    distribution: Option<String>,
}

impl Dialect {
    /// Asks the engine which one it is. The error says what to do.
    pub(crate) async fn ask(client: &Client) -> Result<Self, String> {
        Ok(Self::ask_with_name(client).await?.0)
    }

    /// The same, and the name that the engine got when it was set up, where it tells.
    pub(crate) async fn ask_with_name(client: &Client) -> Result<(Self, Option<String>), String> {
        let reply = client.call(Method::GET, "", None).await;
        let reply = reply.map_err(|failure: Failure| failure.words().to_owned())?;
        match reply.status {
            200 => Self::read(&reply.body),
            // Without its template OpenSearch would make plain indices of data streams, which are not deleted by age.
            403 if is_opensearch(&reply.body) => Err(format!(
                "the credential needs the right cluster:monitor/main, by which OpenSearch tells its version ({})",
                beginning(&reply)
            )),
            // A key that may write these data streams, and nothing else.
            403 => Ok((
                Self {
                    product: Product::Elasticsearch,
                    version: None,
                },
                None,
            )),
            401 => Err("the engine refuses the credential (401)".to_owned()),
            status => Err(format!(
                "the engine answers {status} where it should tell its version"
            )),
        }
    }

    /// Reads the first page of an engine.
    fn read(body: &[u8]) -> Result<(Self, Option<String>), String> {
        let about: About = serde_json::from_slice(body).map_err(|_| {
            "the address answers, but not as Elasticsearch or OpenSearch does: is a path missing?"
                .to_owned()
        })?;
        let product = match about.version.distribution.as_deref() {
            Some("opensearch") => Product::OpenSearch,
            _ => Product::Elasticsearch,
        };
        let mut numbers = about.version.number.split('.');
        let mut number = || numbers.next()?.parse().ok();
        let dialect = Self {
            product,
            version: number().zip(number()),
        };
        // An engine that has not found its state yet has no name.
        let is_name = |name: &String| *name != "_na_" && name.len() <= NAME;
        Ok((dialect, about.cluster_uuid.filter(is_name)))
    }

    /// The path and query of bulk requests.
    pub(crate) fn bulk(self) -> &'static str {
        // Without a filter the answer repeats the index and the id of every document.
        const ANSWER: &str =
            "_bulk?filter_path=errors,items.*.status,items.*.error,items.*.failure_store";
        const STRICT: &str = "_bulk?filter_path=errors,items.*.status,items.*.error,items.*.failure_store\
            &require_data_stream=true&include_source_on_error=false";
        match (self.product, self.version) {
            // Older versions refuse parameters that they do not know.
            (Product::Elasticsearch, Some(version)) if version >= (8, 18) => STRICT,
            _ => ANSWER,
        }
    }

    /// Whether the engine makes fields of listed samples.
    pub(crate) fn lists_samples(self) -> bool {
        self.product == Product::Elasticsearch
    }
}

/// Whether a refusal is in the words of OpenSearch's security; Elasticsearch says that an action “is unauthorized”.
fn is_opensearch(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains("no permissions for [")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_told_by_its_first_page() {
        let elastic = r#"{"version":{"number":"9.1.0","build_flavor":"default"},"tagline":"You Know, for Search"}"#;
        let (elastic, _) = Dialect::read(elastic.as_bytes()).unwrap();
        assert_eq!(elastic.product, Product::Elasticsearch);
        assert!(elastic.bulk().contains("require_data_stream") && elastic.lists_samples());
        let (older, name) = Dialect::read(br#"{"version":{"number":"8.11.3"}}"#).unwrap();
        assert_eq!(name, None);
        assert_eq!(older.version, Some((8, 11)));
        assert!(!older.bulk().contains("require_data_stream"));
        let open =
            r#"{"cluster_uuid":"u1","version":{"distribution":"opensearch","number":"3.9.0"}}"#;
        let (open, name) = Dialect::read(open.as_bytes()).unwrap();
        assert_eq!(name.as_deref(), Some("u1"));
        let starting = br#"{"cluster_uuid":"_na_","version":{"number":"9.1.0"}}"#;
        assert_eq!(Dialect::read(starting).unwrap().1, None);
        assert_eq!(open.product, Product::OpenSearch);
        assert!(!open.bulk().contains("require_data_stream") && !open.lists_samples());
        assert!(Dialect::read(b"<html>").is_err());
    }
}
