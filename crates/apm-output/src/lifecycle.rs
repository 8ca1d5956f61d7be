//! The age at which the engine deletes documents, on request: a policy of the engine, installed once and given to the
//! data streams of a namespace.

mod elasticsearch;
mod opensearch;

use std::time::Duration;

use crate::client::Client;
use crate::dialect::{Dialect, Product};

/// The beginning of the description of a policy that this server made. One with another description is a user's, and
/// stays.
const OWNER: &str = "Installed by pocket-apm";

/// Grows with each change of the policy. An older one is replaced, a newer one stays.
const VERSION: u64 = 2;

const HOUR: u64 = 60 * 60;

/// Names that are shown.
const NAMED: usize = 3;

/// The outcome of a look at the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Installed {
    /// It is there.
    Ours,
    /// It is there, and these data streams have a template or a policy of somebody else.
    Except(Vec<String>),
    /// A server of a newer version made it, and it stays.
    Newer,
    /// One that somebody else made has its name, or its place.
    Another,
}

impl Installed {
    /// The way in which documents are deleted, in words. `name`: of the policy of this server.
    pub(crate) fn words(&self, name: &str) -> String {
        match self {
            Self::Ours => format!("by the policy {name}"),
            Self::Except(streams) => {
                let shown = streams[..streams.len().min(NAMED)].join(", ");
                let more = match streams.len().saturating_sub(NAMED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!(
                    "by the policy {name}, but for {shown}{more}: what somebody else has set for these stays as it is"
                )
            }
            Self::Newer => format!(
                "by the policy {name} of a server of a newer version, at the age that is set there"
            ),
            Self::Another => format!(
                "by a policy of somebody else, which has the name {name} or is for the same data streams: it stays as \
                 it is"
            ),
        }
    }
}

/// Installs the policy where it is missing, or is of an older version or another age, and gives it to the data streams
/// of the namespace.
///
/// # Errors
/// The words of the engine, if it does not take it.
pub(crate) async fn install(
    client: &Client,
    dialect: Dialect,
    namespace: &str,
    age: Duration,
) -> Result<Installed, String> {
    match dialect.product {
        Product::OpenSearch => opensearch::install(client, namespace, age).await,
        Product::Elasticsearch => elasticsearch::install(client, namespace, age).await,
    }
}

/// The name of the policy.
pub(crate) fn name(namespace: &str) -> String {
    format!("pocket-apm-{namespace}")
}

/// The data streams that servers write, as patterns. Their names have no dash but before the namespace.
fn patterns(namespace: &str) -> [String; 5] {
    [
        "traces-apm",
        "traces-apm.rum",
        "logs-apm.*",
        "metrics-apm.*",
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

/// A policy of our name, by its description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    /// The one that is wanted.
    Wanted,
    /// Of an older version, or of another age.
    Replaced,
    /// Of a newer version. While servers are upgraded one after the other, the old ones leave it alone.
    Newer,
    /// A user's.
    Another,
}

impl Policy {
    fn of(found: &str, wanted: &str) -> Self {
        match version(found) {
            None => Self::Another,
            Some(version) if version > VERSION => Self::Newer,
            Some(_) if found == wanted => Self::Wanted,
            Some(_) => Self::Replaced,
        }
    }
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

/// The hours for which an index takes documents: a seventh of the age, and a month at most. It is deleted as a whole,
/// when the last of them are old enough. So a data stream has some nine indices for an age of up to seven months: an
/// engine bounds the number of its shards, and takes no new data stream beyond.
fn width(age: Duration) -> u64 {
    (hours(age) / 7).clamp(1, 30 * 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_known_by_its_description() {
        let wanted = description(Duration::from_secs(HOUR));
        let of = |found: &str| Policy::of(found, &wanted);
        assert_eq!(of(&wanted), Policy::Wanted);
        assert_eq!(
            of(&description(Duration::from_secs(9 * HOUR))),
            Policy::Replaced
        );
        assert_eq!(of("Installed by pocket-apm, version 99: a"), Policy::Newer);
        for other in ["", "mine", OWNER, "Installed by pocket-apm, version x: a"] {
            assert_eq!(of(other), Policy::Another, "{other}");
        }
    }

    #[test]
    fn the_words_name_three_data_streams_at_most() {
        let streams = |n: usize| Installed::Except((0..n).map(|n| format!("s{n}")).collect());
        assert!(streams(2).words("p").contains("but for s0, s1: what"));
        assert!(
            streams(5)
                .words("p")
                .contains("but for s0, s1, s2 and 2 more: what")
        );
    }
}
