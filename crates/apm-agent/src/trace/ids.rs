//! Identifiers of traces, transactions, spans and errors.
//!
//! An id is never zero: W3C Trace Context and Elastic's intake both call an all-zero id invalid, so a parsed
//! or a drawn id is always one that may be sent. Ids are random, not secret: a fast generator is enough.

use std::fmt;
use std::str::FromStr;

/// Spreads the 32 bits of `word` over eight bytes and turns each nibble into its lower-case hex digit.
///
/// All eight digits are computed at once in one register; a table look-up per digit costs several times as much.
#[inline]
pub(crate) fn hex_word(word: u32) -> [u8; 8] {
    let mut nibbles = u64::from(word);
    nibbles = (nibbles | (nibbles << 16)) & 0x0000_ffff_0000_ffff;
    nibbles = (nibbles | (nibbles << 8)) & 0x00ff_00ff_00ff_00ff;
    nibbles = (nibbles | (nibbles << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    // Adding 6 carries into bit 4 exactly for the digits a to f.
    let letters = ((nibbles + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    let ascii = nibbles + 0x3030_3030_3030_3030 + letters * (b'a' - b'0' - 10) as u64;
    ascii.to_be_bytes()
}

/// The value of a lower-case hex digit; upper case is not allowed in W3C headers.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// Parses a hex byte such as the flags of a `traceparent`.
pub(crate) fn parse_hex_byte(text: &[u8]) -> Option<u8> {
    match text {
        &[high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}

/// Characters of a text that an error repeats.
const SHOWN: usize = 64;

/// The error of a text that was read as an id and is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no id: expected {digits} hex digits in lower case, not all of them zero")]
pub struct ParseIdError {
    text: String,
    digits: usize,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $int:ty, $rng:ident, $bytes:literal, $hex:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name($int);

        impl $name {
            /// The number of hex digits that the id has on the wire.
            pub const HEX_LEN: usize = $hex;

            /// Draws a random id.
            #[inline]
            pub fn random() -> Self {
                loop {
                    let value: $int = fastrand::$rng(..);
                    if value != 0 {
                        return Self(value);
                    }
                }
            }

            /// Makes an id of its big-endian bytes; `None` if all are zero.
            pub fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                match <$int>::from_be_bytes(bytes) {
                    0 => None,
                    value => Some(Self(value)),
                }
            }

            /// The id's big-endian bytes.
            pub fn to_bytes(self) -> [u8; $bytes] {
                self.0.to_be_bytes()
            }

            /// Reads exactly
            #[doc = concat!(stringify!($hex), " lower-case hex digits; `None` if `text` is anything else or all zero.")]
            pub fn parse_hex(text: &[u8]) -> Option<Self> {
                if text.len() != Self::HEX_LEN {
                    return None;
                }
                let mut value: $int = 0;
                for &byte in text {
                    value = value << 4 | <$int>::from(digit(byte)?);
                }
                (value != 0).then_some(Self(value))
            }

            /// Writes the id as lower-case hex digits.
            #[inline]
            pub fn write_hex(self, out: &mut [u8; $hex]) {
                // The lengths are known, so that the loop is unrolled without checks.
                let (digits, _) = out.as_chunks_mut::<8>();
                for (at, digits) in digits.iter_mut().enumerate() {
                    *digits = hex_word((self.0 >> (8 * $bytes - 32 * (at + 1))) as u32);
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut hex = [0; $hex];
                self.write_hex(&mut hex);
                f.pad(std::str::from_utf8(&hex).unwrap_or_default())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            /// Reads what [`Display`](fmt::Display) writes.
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Self::parse_hex(text.as_bytes()).ok_or_else(|| ParseIdError {
                    text: text.chars().take(SHOWN).collect(),
                    digits: Self::HEX_LEN,
                })
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

id! {
    /// The 128-bit id that all events of one trace share.
    TraceId, u128, u128, 16, 32
}

id! {
    /// The 64-bit id of a transaction or a span.
    SpanId, u64, u64, 8, 16
}

id! {
    /// The 128-bit id of an error.
    ErrorId, u128, u128, 16, 32
}

impl SpanId {
    /// Draws a random id by a generator.
    #[inline]
    pub(crate) fn draw(generator: &mut fastrand::Rng) -> Self {
        loop {
            let value = generator.u64(..);
            if value != 0 {
                return Self(value);
            }
        }
    }
}

impl TraceId {
    /// Half of the id's bits, uniformly distributed if the id was drawn by [`TraceId::random`].
    pub(crate) fn low_bits(self) -> u64 {
        self.0 as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_written_and_read_back() {
        let id = SpanId::parse_hex(b"0123456789abcdef").unwrap();
        assert_eq!(
            id.to_bytes(),
            [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]
        );
        assert_eq!(id.to_string(), "0123456789abcdef");
        assert_eq!(SpanId::from_bytes(id.to_bytes()), Some(id));
        let trace = TraceId::parse_hex(b"fedcba98765432100123456789abcdef").unwrap();
        assert_eq!(trace.to_string(), "fedcba98765432100123456789abcdef");
        assert_eq!(trace.low_bits(), 0x0123_4567_89ab_cdef);
    }

    #[test]
    fn random_ids_agree_with_the_standard_formatter() {
        for _ in 0..1_000 {
            let id = TraceId::random();
            assert_eq!(
                id.to_string(),
                format!("{:032x}", u128::from_be_bytes(id.to_bytes()))
            );
            assert_eq!(TraceId::parse_hex(id.to_string().as_bytes()), Some(id));
        }
    }

    #[test]
    fn an_id_is_read_from_its_text_and_an_error_says_what_is_wrong() {
        let id: TraceId = "fedcba98765432100123456789abcdef".parse().unwrap();
        assert_eq!(id.to_string().parse(), Ok(id));
        let error = "0123456789ABCDEF".parse::<SpanId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`0123456789ABCDEF` is no id: expected 16 hex digits in lower case, not all of them zero"
        );
        let long = "x".repeat(100_000).parse::<ErrorId>().unwrap_err();
        assert!(long.to_string().len() < 200);
    }

    #[test]
    fn zero_upper_case_and_wrong_lengths_are_refused() {
        for bad in [
            "0000000000000000",
            "0123456789ABCDEF",
            "0123456789abcde",
            "0123456789abcdef0",
            "",
            "0123456789abcdeg",
        ] {
            assert_eq!(SpanId::parse_hex(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(ErrorId::from_bytes([0; 16]), None);
    }
}
