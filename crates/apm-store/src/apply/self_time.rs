//! Which kinds of spans a service has in the breakdown of its time.
//!
//! They have no dictionary: their texts stand in the rollup rows. So they are counted in memory, and the count begins
//! anew with the process and when everything was forgotten.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::limits::NameLimit;

/// The kinds of spans that were seen, by service.
#[derive(Debug)]
pub(crate) struct SelfTimes {
    limit: Option<NameLimit>,
    /// Hashes with a secret start, so that nobody can choose types that collide.
    hasher: RandomState,
    seen: HashMap<i64, HashSet<u64>>,
    all: usize,
}

impl SelfTimes {
    pub(super) fn new(limit: Option<NameLimit>) -> Self {
        Self {
            limit,
            hasher: RandomState::new(),
            seen: HashMap::new(),
            all: 0,
        }
    }

    /// Whether a kind of span is kept apart.
    pub(super) fn takes(&mut self, service: i64, span_type: &str, subtype: &str) -> bool {
        let Some(limit) = self.limit else {
            return true;
        };
        let hash = self.hasher.hash_one((span_type, subtype));
        let own = self.seen.get(&service);
        if own.is_some_and(|own| own.contains(&hash)) {
            return true;
        }
        let own = own.map_or(0, HashSet::len);
        if own >= limit.of_service || self.all >= limit.in_all {
            return false;
        }
        self.seen.entry(service).or_default().insert(hash);
        self.all += 1;
        true
    }
}
