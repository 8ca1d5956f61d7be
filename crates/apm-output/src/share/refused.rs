//! Documents that other servers share and that are not taken here: each is counted once, and passed over from then on.

use std::collections::{BTreeMap, HashSet};

use crate::engine::plain;

/// Documents that are remembered, at most: several times as many as there are in an index of servers that agree.
const MOST: usize = 100_000;

/// Why a document is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// It is none of those that servers share.
    Unreadable,
    /// Its key and its body have too many bytes.
    TooLarge,
    /// The module of its kind does not know what to do with it: it is damaged, or of a newer version.
    NotUnderstood,
}

impl Reason {
    const ALL: [Self; 3] = [Self::Unreadable, Self::TooLarge, Self::NotUnderstood];

    /// The word for it in metrics.
    fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::NotUnderstood => "not_understood",
        }
    }
}

/// The documents that were refused since the start.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// Hashes of their texts: a newer version is another text, and is looked at.
    known: HashSet<u64>,
    counts: BTreeMap<Reason, u64>,
}

impl Refused {
    pub(super) fn has(&self, hash: u64) -> bool {
        self.known.contains(&hash)
    }

    /// Counts a document, once. `id`: its name in the engine.
    pub(super) fn add(&mut self, hash: u64, reason: Reason, id: &str) {
        if self.known.len() >= MOST {
            // They are counted a second time, which is better than no bound.
            self.known.clear();
        }
        if !self.known.insert(hash) {
            return;
        }
        let count = self.counts.entry(reason).or_default();
        *count += 1;
        if *count == 1 {
            let id = plain(&id.chars().take(100).collect::<String>());
            log::warn!(
                "a document that another server shared is not taken ({}): {id}; further ones are counted only",
                reason.as_str()
            );
        }
    }

    /// The counts by the words of all reasons: a series in metrics is there before its first event.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let count = |reason| self.counts.get(&reason).copied().unwrap_or_default();
        Reason::ALL
            .map(|reason| (reason.as_str(), count(reason)))
            .to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_counted_once_and_the_memory_has_a_bound() {
        let mut refused = Refused::default();
        for _ in 0..3 {
            refused.add(1, Reason::TooLarge, "setting-1");
            refused.add(2, Reason::NotUnderstood, "marker-2");
            refused.add(3, Reason::NotUnderstood, "marker-3");
        }
        assert!(refused.has(1) && !refused.has(4));
        let counts = [("unreadable", 0), ("too_large", 1), ("not_understood", 2)];
        assert_eq!(refused.counts(), counts);
        for hash in 10..10 + MOST as u64 * 2 {
            refused.add(hash, Reason::Unreadable, "x");
            assert!(refused.known.len() <= MOST && refused.has(hash));
        }
        assert_eq!(refused.counts()[0], ("unreadable", MOST as u64 * 2));
    }
}
