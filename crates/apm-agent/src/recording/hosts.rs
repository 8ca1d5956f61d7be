//! The bound on the hosts that give names to outgoing requests.
//!
//! A service that calls addresses which its users give (a crawler, webhooks) would make a span name and a destination
//! of each. So many hosts keep their names; the calls to others share one name until an hour has passed. The address of
//! each call is still in its span.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::util::own_log;
use crate::util::{Mutex, lock};

/// Hosts with their ports that have names, per [`PERIOD`].
pub(crate) const MAX_HOSTS: usize = 1_000;
const PERIOD: Duration = Duration::from_secs(3600);

#[derive(Debug, Default)]
pub(crate) struct Hosts {
    seen: Mutex<Seen>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Seen {
    /// The hashes of the hosts.
    hosts: HashSet<u64>,
    since: Option<Instant>,
    told: bool,
}

impl Hosts {
    /// Whether this host, with its port, has a name of its own.
    pub(crate) fn have_a_name_for(&self, peer: &str, now: Instant) -> bool {
        let hash = self.hasher.hash_one(peer);
        let mut seen = lock(&self.seen);
        if seen.hosts.contains(&hash) {
            return true;
        }
        let is_over = seen
            .since
            .is_none_or(|since| now.saturating_duration_since(since) >= PERIOD);
        if is_over {
            seen.hosts.clear();
            seen.since = Some(now);
        }
        if seen.hosts.len() < MAX_HOSTS {
            seen.hosts.insert(hash);
            return true;
        }
        let told = std::mem::replace(&mut seen.told, true);
        drop(seen);
        if !told {
            own_log::warn(format_args!(
                "the service calls more than {MAX_HOSTS} hosts in an hour: spans to further ones are named {}; \
                 their addresses are still recorded",
                crate::util::methods::OTHER
            ));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_names_for_a_thousand_hosts() {
        let (hosts, begin) = (Hosts::default(), Instant::now());
        for number in 0..MAX_HOSTS {
            assert!(hosts.have_a_name_for(&format!("h{number}:80"), begin));
        }
        assert!(!hosts.have_a_name_for("another:80", begin));
        assert!(hosts.have_a_name_for("h7:80", begin));
        assert!(hosts.have_a_name_for("another:80", begin + PERIOD));
        assert_eq!(lock(&hosts.seen).hosts.len(), 1);
    }
}
