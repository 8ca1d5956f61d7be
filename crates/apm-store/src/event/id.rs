//! Identifiers, as short as they can be kept.

use super::text::Text;

/// An identifier. 16 lower-case hex digits and 32 of them are kept as numbers; any other string is as legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    /// 16 lower-case hex digits: a span or transaction. Stored as a 64-bit INTEGER (two's complement).
    Short(u64),
    /// 32 lower-case hex digits: a trace or an error. Stored as a BLOB of 16 bytes.
    Long([u8; 16]),
    /// Anything else up to 1024 characters. Stored as TEXT.
    Other(Text),
}

/// The compact form of an identifier of 16 or 32 lower-case hex digits.
pub fn compact(value: &str) -> Option<Id> {
    let (first, rest) = value.as_bytes().split_first_chunk::<16>()?;
    if rest.is_empty() {
        return Some(Id::Short(hex(first)?));
    }
    let rest: &[u8; 16] = rest.try_into().ok()?;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&hex(first)?.to_be_bytes());
    id[8..].copy_from_slice(&hex(rest)?.to_be_bytes());
    Some(Id::Long(id))
}

/// 16 lower-case hex digits, read.
fn hex(digits: &[u8; 16]) -> Option<u64> {
    let ([first, last], []) = digits.as_chunks::<8>() else {
        return None;
    };
    Some(u64::from(half(*first)?) << 32 | u64::from(half(*last)?))
}

/// 8 lower-case hex digits, read together: each event has some eighty.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what is above the half is left over"
)]
fn half(digits: [u8; 8]) -> Option<u32> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let digits = u64::from_be_bytes(digits);
    let low = digits & (ONES * 0x0f);
    // A letter is 0x61 to 0x66, a number 0x30 to 0x39.
    let letters = digits >> 6 & ONES;
    let is_above = digits & (ONES * 0xf0) != (ONES + letters) * 0x30;
    // The fifth bit of a sum tells whether the lower half of the digit is so large.
    let wrong = (low + ONES * 6) & !(letters << 4)
        | ((low + ONES * 9) | !(low + ONES * 15)) & (letters << 4);
    if is_above || wrong & (ONES << 4) != 0 {
        return None;
    }
    let values = low + letters * 9;
    let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let quarters = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    Some((quarters | quarters >> 16) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_hex_of_16_or_32_digits_is_compact() {
        assert_eq!(compact("00000000000000ff"), Some(Id::Short(255)));
        let mut long = [0; 16];
        long[15] = 10;
        assert_eq!(
            compact("0000000000000000000000000000000a"),
            Some(Id::Long(long))
        );
        for other in [
            "",
            "ff",
            "00000000000000FF",
            "0000000000000000ff",
            "g000000000000000",
        ] {
            assert_eq!(compact(other), None, "{other}");
        }
    }

    #[test]
    fn each_byte_at_each_place_is_read_as_the_digit_that_it_is() {
        for place in 0..16 {
            for byte in 0..=u8::MAX {
                let mut digits = *b"0123456789abcdef";
                digits[place] = byte;
                let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                let wanted = std::str::from_utf8(&digits)
                    .ok()
                    .filter(|_| is_digit)
                    .and_then(|digits| u64::from_str_radix(digits, 16).ok());
                assert_eq!(hex(&digits), wanted, "{byte} at {place}");
            }
        }
    }
}
