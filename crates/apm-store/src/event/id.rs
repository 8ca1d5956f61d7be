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
    let mut number = 0;
    let mut legal = true;
    for byte in digits {
        let (decimal, letter) = (byte.wrapping_sub(b'0'), byte.wrapping_sub(b'a'));
        legal &= decimal < 10 || letter < 6;
        let digit = if decimal < 10 {
            decimal
        } else {
            letter.wrapping_add(10)
        };
        number = number << 4 | u64::from(digit & 15);
    }
    legal.then_some(number)
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
}
