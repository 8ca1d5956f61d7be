//! New indices of data streams that were there before their template.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::super::patterns;
use super::{chosen, look, refused};
use crate::client::Client;

/// Data streams with hidden ones, which aggregates are.
const ALL: &str = "expand_wildcards=all";

#[derive(Default, Deserialize)]
struct Streams {
    data_streams: Vec<Stream>,
}

/// A data stream that the engine has.
#[derive(Deserialize)]
pub(super) struct Stream {
    pub(super) name: String,
    /// Of its template: new indices get this one.
    ilm_policy: Option<String>,
    lifecycle: Option<Lifecycle>,
    #[serde(default)]
    indices: Vec<Index>,
}

#[derive(Deserialize)]
struct Lifecycle {
    data_retention: Option<String>,
}

#[derive(Deserialize)]
struct Index {
    ilm_policy: Option<String>,
    /// Versions before 8.11 do not tell.
    managed_by: Option<String>,
}

impl Stream {
    /// Whether somebody has set an age for this data stream.
    pub(super) fn has_age_of_its_own(&self) -> bool {
        let lifecycle = self.lifecycle.as_ref();
        let age = lifecycle.and_then(|lifecycle| lifecycle.data_retention.as_deref());
        age.is_some_and(chosen::is_chosen)
    }

    /// Whether new indices get a policy that the last one does not have.
    fn is_before(&self, policy: &str) -> bool {
        let last = self.indices.last();
        self.ilm_policy.as_deref() == Some(policy)
            && last.is_some_and(|last| {
                last.managed_by.is_some() && last.ilm_policy.as_deref() != Some(policy)
            })
    }
}

/// The data streams of a namespace.
pub(super) async fn streams(client: &Client, namespace: &str) -> Result<Vec<Stream>, String> {
    let path = format!("_data_stream/{}?{ALL}", patterns(namespace).join(","));
    let found: Option<Streams> = look(client, &path, "a look at the data streams").await?;
    Ok(found.unwrap_or_default().data_streams)
}

/// Gives each data stream a new index, which has the policy, where the last one has another. Older indices keep theirs.
///
/// A new index without documents is not replaced: other servers that begin at the same time ask for it, too.
pub(super) async fn to(client: &Client, namespace: &str, policy: &str) -> Result<(), String> {
    let mut failed = Ok(());
    for stream in streams(client, namespace).await? {
        if !stream.is_before(policy) {
            continue;
        }
        let path = format!("{}/_rollover", stream.name);
        let body = json!({"conditions": {"max_docs": 1}});
        let reply = client.ask(Method::POST, &path, Some(&body)).await?;
        // It may be deleted by now.
        if !matches!(reply.status, 200 | 404) {
            failed = failed.and(Err(refused(
                &format!("a new index of {}", stream.name),
                &reply,
            )));
        }
    }
    failed
}
