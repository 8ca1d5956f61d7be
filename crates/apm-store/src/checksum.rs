//! The checksum of a row, made of the values of its columns.

use xxhash_rust::xxh3::xxh3_64;

/// Bytes that the values of most rows take, so that memory for them is asked for once.
const ROOM: usize = 256;

/// The values of a row, one after the other, of which its checksum is made. NULLs at the end add nothing: a column that
/// a later version adds is NULL in the rows of before, and their checksums hold.
#[derive(Debug, Default)]
pub(super) struct Checksum {
    bytes: Vec<u8>,
    /// NULLs since the last value.
    nulls: usize,
}

impl Checksum {
    /// The checksum of what is added.
    pub(super) fn compute(&mut self, add: impl FnOnce(&mut Self)) -> u32 {
        self.bytes.clear();
        self.bytes.reserve(ROOM);
        self.nulls = 0;
        add(self);
        self.finish()
    }

    #[inline]
    pub(super) fn null(&mut self) {
        self.nulls += 1;
    }

    /// Writes the NULLs before a value.
    #[inline]
    fn begin(&mut self) {
        if self.nulls > 0 {
            self.bytes.resize(self.bytes.len() + self.nulls, 0);
            self.nulls = 0;
        }
    }

    /// A number with its kind, in one piece: most columns are numbers, and each event has some ten of them.
    #[inline]
    fn number(&mut self, kind: u8, value: [u8; 8]) {
        self.begin();
        let mut piece = [kind; 9];
        piece[1..].copy_from_slice(&value);
        self.bytes.extend_from_slice(&piece);
    }

    #[inline]
    pub(super) fn int(&mut self, value: i64) {
        self.number(1, value.to_le_bytes());
    }

    #[inline]
    pub(super) fn real(&mut self, value: f64) {
        // SQLite gives −0 back as 0.
        let value = value + 0.0;
        self.number(2, value.to_bits().to_le_bytes());
    }

    pub(super) fn text(&mut self, value: &str) {
        self.bytes(3, value.as_bytes());
    }

    #[inline]
    pub(super) fn blob(&mut self, value: &[u8]) {
        self.bytes(4, value);
    }

    pub(super) fn optional<T>(&mut self, value: Option<T>, add: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => add(self, value),
            None => self.null(),
        }
    }

    #[inline]
    fn bytes(&mut self, kind: u8, value: &[u8]) {
        self.begin();
        self.bytes.push(kind);
        self.bytes
            .extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(value);
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "half of the hash is enough to find damage"
    )]
    pub(super) fn finish(&self) -> u32 {
        xxh3_64(&self.bytes) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_is_added_later_keeps_the_checksums_of_before_and_a_value_in_it_does_not() {
        let of = |values: &[Option<i64>]| {
            Checksum::default().compute(|sum| {
                for value in values {
                    sum.optional(*value, Checksum::int);
                }
            })
        };
        let before = of(&[Some(1), None, Some(2), None]);
        assert_eq!(of(&[Some(1), None, Some(2), None, None, None]), before);
        assert_eq!(of(&[Some(1), None, Some(2)]), before);
        for other in [
            [Some(1), None, Some(2), Some(0)],
            [Some(1), Some(2), None, None],
            [None, Some(1), None, Some(2)],
        ] {
            assert_ne!(of(&other), before, "{other:?}");
        }
    }
}
