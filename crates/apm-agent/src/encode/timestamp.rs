//! Time stamps as digits.

/// The first number that half of a time stamp has no room for.
const HALF: u64 = 100_000_000;

/// A time stamp in microseconds as sixteen digits, for itself and for others that come soon after it: these mostly have
/// its first half. Sixteen digits reach until the year 2286.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamp {
    micros: u64,
    /// The digits of the first half, and the number that the second half is.
    first: [u8; 8],
    second: u64,
}

impl Timestamp {
    pub(crate) fn new(micros: u64) -> Self {
        Self {
            micros,
            first: eight_digits(micros / HALF),
            second: micros % HALF,
        }
    }

    /// Writes the time stamp of so many microseconds later.
    #[inline]
    pub(crate) fn write(&self, out: &mut [u8; 16], later: u64) {
        let second = self.second.saturating_add(later);
        let halves = if second < HALF {
            [self.first, eight_digits(second)]
        } else {
            let micros = self.micros.saturating_add(later);
            [eight_digits(micros / HALF), eight_digits(micros)]
        };
        out.copy_from_slice(halves.as_flattened());
    }
}

/// The last eight digits of a number. They are worked out side by side in one register: first in two groups of four
/// digits, then in four pairs, then in eight single digits.
#[inline]
const fn eight_digits(value: u64) -> [u8; 8] {
    let value = (value % HALF) as u32;
    // The quotients by 100 and by 10 are products: exact for numbers of four and of two digits.
    let fours = (value / 10_000) as u64 | ((value % 10_000) as u64) << 32;
    let hundreds = ((fours * 5243) >> 19) & 0x0000_007f_0000_007f;
    let pairs = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    let digits = tens | (pairs - tens * 10) << 8;
    (digits + 0x3030_3030_3030_3030).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_stamp_is_written_as_the_standard_library_writes_it() {
        let mut place = [0; 16];
        for (micros, later) in [
            (0, 0),
            (1, 0),
            (99_999_999, 0),
            (99_999_999, 1),
            (100_000_000, 0),
            (1_763_826_000_123_456, 0),
            (1_763_826_000_123_456, 1_999_876_543),
            (1_763_826_099_999_999, 0),
            (1_763_826_099_999_999, 1),
            (0, 9_999_999_999_999_999),
        ] {
            Timestamp::new(micros).write(&mut place, later);
            assert_eq!(place, format!("{:016}", micros + later).as_bytes());
        }
        for four in 0..10_000 {
            let value = four * 10_000 + (9999 - four);
            assert_eq!(eight_digits(value), format!("{value:08}").as_bytes());
        }
    }
}
