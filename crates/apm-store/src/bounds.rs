//! Sizes of the write-ahead log, for files of a size.

/// Bytes per page: larger ones win little time and cost space (measured).
pub(super) const PAGE: u64 = 4096;

/// Sizes of the log, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// From here on every commit copies what it can into the file.
    pub(super) checkpoint: u64,
    /// From here on readers are kept out for a moment.
    pub(super) brief: u64,
    /// It becomes no larger.
    pub(super) hard: u64,
}

impl Bounds {
    /// Bounds for files of at most `max_size` bytes together. The database gets what is left beside
    /// [`Self::checkpoint`]; up to [`Self::hard`] both take at most a sixteenth more than they may.
    pub(super) fn for_max_size(max_size: Option<u64>) -> Self {
        /// Longer logs win nothing (measured).
        const CHECKPOINT: u64 = 4000 * PAGE;
        const HARD: u64 = 256 << 20;
        let max = max_size.unwrap_or(u64::MAX);
        let checkpoint = (max / 8).clamp(100 * PAGE, CHECKPOINT);
        // The first commit of an empty database must fit, however small the limit is.
        let hard = checkpoint.saturating_add((max / 16).max(1 << 20)).min(HARD);
        Self {
            checkpoint,
            // Without readers a commit does not get there: the log begins anew before.
            brief: checkpoint + (hard - checkpoint) / 2,
            hard,
        }
    }

    /// [`Self::checkpoint`] in pages.
    pub(super) fn pages(self) -> u64 {
        self.checkpoint / PAGE
    }

    /// Bytes that the log's file may keep of the disk after a burst: cutting and extending it again takes time.
    pub(super) fn retained(self) -> u64 {
        (2 * self.checkpoint).min(self.brief)
    }

    /// Bytes of events that one commit may take.
    pub(super) fn commit(self) -> usize {
        usize::try_from(self.hard / 8).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_and_log_together_stay_below_the_limit_and_a_tenth() {
        const MIB: u64 = 1 << 20;
        for max in [16 * MIB, 17 * MIB, 100 * MIB, 1 << 30, 1 << 40] {
            let bounds = Bounds::for_max_size(Some(max));
            let Bounds {
                checkpoint,
                brief,
                hard,
            } = bounds;
            assert!(
                checkpoint < brief && brief < hard,
                "{max}: in steps: {bounds:?}"
            );
            assert!(
                max - checkpoint + hard <= max / 16 * 17,
                "{max}: {bounds:?}"
            );
            assert!(hard <= 256 * MIB, "{max}: a start reads it");
        }
        assert_eq!(
            Bounds::for_max_size(None),
            Bounds::for_max_size(Some(u64::MAX))
        );
    }
}
