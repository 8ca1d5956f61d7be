//! Names of a service that have no dictionary: types of spans in breakdowns, and labels.
//!
//! Their texts stand in rollup rows and in documents. So they are counted in memory, and the count begins anew with the
//! process, when everything was forgotten, and for labels also when old names were deleted.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};

use crate::limits::NameLimit;

/// The names that were seen, by service.
#[derive(Debug)]
pub(crate) struct Seen {
    limit: Option<NameLimit>,
    /// Hashes with a secret start, so that nobody can choose names that collide.
    hasher: RandomState,
    seen: HashMap<i64, HashSet<u64>>,
    all: usize,
}

impl Seen {
    pub(super) fn new(limit: Option<NameLimit>) -> Self {
        Self {
            limit,
            hasher: RandomState::new(),
            seen: HashMap::new(),
            all: 0,
        }
    }

    /// Whether a name is kept apart.
    pub(crate) fn takes(&mut self, service: i64, name: impl Hash) -> bool {
        let Some(limit) = self.limit else {
            return true;
        };
        let hash = self.hasher.hash_one(name);
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

    /// Every name is new again.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
        self.all = 0;
    }
}
