//! Questions to the engine: searches, single documents, refreshes.

use apm_store::is_obeyed;
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::{Body, Client, Failure, Reply};

/// Names of indices that do not exist yet are no error.
const LENIENT: &str = "ignore_unavailable=true&allow_no_indices=true";

/// Hosts that are asked, one after the other, until one is reached.
const ATTEMPTS: usize = 3;

/// Bytes of an answer that an error shows.
const SHOWN: usize = 200;

#[derive(Deserialize)]
#[serde(bound = "S: DeserializeOwned")]
struct Found<S> {
    timed_out: bool,
    #[serde(rename = "_shards")]
    shards: Shards,
    #[serde(default)]
    hits: Hits<S>,
    aggregations: Option<Value>,
}

#[derive(Deserialize)]
struct Shards {
    failed: u64,
}

#[derive(Deserialize)]
#[serde(bound = "S: DeserializeOwned")]
struct Hits<S> {
    total: Option<Total>,
    #[serde(default = "Vec::new")]
    hits: Vec<Hit<S>>,
}

#[derive(Deserialize)]
struct Total {
    value: u64,
}

impl<S> Default for Hits<S> {
    fn default() -> Self {
        Self {
            total: None,
            hits: Vec::new(),
        }
    }
}

/// A document that was found.
#[derive(Deserialize)]
#[serde(bound = "S: DeserializeOwned")]
pub(crate) struct Hit<S> {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    #[serde(rename = "_source")]
    pub(crate) source: S,
}

/// The answer of a search.
pub(crate) struct Answer<S> {
    pub(crate) hits: Vec<Hit<S>>,
    /// The number of all, where it is asked for.
    pub(crate) total: Option<u64>,
    pub(crate) aggregations: Option<Value>,
}

impl Client {
    /// Searches indices. The error says what to do.
    pub(crate) async fn search<S: DeserializeOwned>(
        &self,
        indices: &str,
        question: &Value,
    ) -> Result<Answer<S>, String> {
        let path = format!(
            "{indices}/_search?{LENIENT}&allow_partial_search_results=false\
             &filter_path=timed_out,_shards.failed,hits.total.value,hits.hits._id,hits.hits._source,aggregations"
        );
        let reply = self.ask(Method::POST, &path, Some(question)).await?;
        if reply.status == 403 {
            return Err(format!(
                "the credential needs the privilege read on {indices} ({})",
                beginning(&reply)
            ));
        }
        match serde_json::from_slice::<Found<S>>(&reply.body) {
            Ok(found) if reply.status == 200 && !found.timed_out && found.shards.failed == 0 => {
                Ok(Answer {
                    total: found.hits.total.map(|total| total.value),
                    hits: found.hits.hits,
                    aggregations: found.aggregations,
                })
            }
            _ => Err(unexpected("a search", &reply)),
        }
    }

    /// Makes what was written visible to searches.
    pub(crate) async fn refresh(&self, indices: &str) -> Result<(), String> {
        let path = format!("{indices}/_refresh?{LENIENT}");
        let reply = self.ask(Method::POST, &path, None).await?;
        match reply.status {
            200 => Ok(()),
            _ => Err(unexpected("a refresh", &reply)),
        }
    }

    /// Asks, and gives back whatever the engine answers.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, String> {
        let body = body.map(Body::json);
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            match self.call(method.clone(), path, body.as_ref()).await {
                // A host that is not reached is passed over for a while: the next one may answer.
                Err(Failure::NotSent(_)) if left > 0 && self.has_another() => {}
                reply => break reply.map_err(|failure| failure.words().to_owned()),
            }
        }
    }
}

/// The words for an answer that is none.
pub(crate) fn unexpected(what: &str, reply: &Reply) -> String {
    let (status, body) = (reply.status, beginning(reply));
    format!("the engine answers {what} with {status} {body}")
}

/// True if a template or a policy is refused because another one of its priority is for the same names.
pub(crate) fn is_priority_taken(reply: &Reply) -> bool {
    reply.status == 400 && reply.body.windows(8).any(|part| part == b"priority")
}

/// The beginning of an answer, for logs and pages.
pub(crate) fn beginning(reply: &Reply) -> String {
    let body = &reply.body[..reply.body.len().min(SHOWN)];
    plain(String::from_utf8_lossy(body).trim())
}

/// Text of the engine, which anybody may have written there, for logs and pages: without line breaks, codes of a
/// terminal and marks of direction.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            one if is_obeyed(one) => out.extend(one.escape_default()),
            one => out.push(one),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn text_of_the_engine_begins_no_line_and_has_no_codes() {
        assert_eq!(
            plain("a\n\u{1b}[31mb\u{202e}\u{2028}é\"{"),
            "a\\n\\u{1b}[31mb\\u{202e}\\u{2028}é\"{"
        );
    }
}
