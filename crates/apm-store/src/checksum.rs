//! The checksum of a row, made of the values of its columns.

use xxhash_rust::xxh3::xxh3_64;

/// Values of a row, one after the other: what a checksum is made of.
#[derive(Debug, Default)]
pub(super) struct Sum(Vec<u8>);

impl Sum {
    /// The checksum of what is added.
    pub(super) fn of(&mut self, add: impl FnOnce(&mut Self)) -> u32 {
        self.0.clear();
        add(self);
        self.finish()
    }

    pub(super) fn null(&mut self) {
        self.0.push(0);
    }

    pub(super) fn int(&mut self, value: i64) {
        self.0.push(1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn real(&mut self, value: f64) {
        self.0.push(2);
        // SQLite gives −0 back as 0.
        let value = value + 0.0;
        self.0.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    pub(super) fn text(&mut self, value: &str) {
        self.bytes(3, value.as_bytes());
    }

    pub(super) fn blob(&mut self, value: &[u8]) {
        self.bytes(4, value);
    }

    pub(super) fn optional<T>(&mut self, value: Option<T>, add: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => add(self, value),
            None => self.null(),
        }
    }

    fn bytes(&mut self, kind: u8, value: &[u8]) {
        self.0.push(kind);
        self.0
            .extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.0.extend_from_slice(value);
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "half of the hash is enough to find damage"
    )]
    pub(super) fn finish(&self) -> u32 {
        xxh3_64(&self.0) as u32
    }
}
