//! A hash for tables whose keys are compared, of words that nobody outside chooses.

/// Multiplies and folds.
pub(super) fn fold(hash: u64, word: u64) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let product = u128::from(hash ^ word) * u128::from(MULTIPLIER);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Hashes keys that are made of addresses.
#[cfg(feature = "sqlite-meter")]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Folding(u64);

#[cfg(feature = "sqlite-meter")]
impl std::hash::Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = fold(self.0, u64::from(*byte));
        }
    }

    fn write_usize(&mut self, word: usize) {
        self.0 = fold(self.0, word as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
