//! JSON values, appended to a byte buffer.
//!
//! Only what the templates need. Invalid UTF-8 becomes U+FFFD; field limits count characters, as the intake schema
//! does.

/// Characters in a keyword field (intake schema).
pub(crate) const KEYWORD: usize = 1024;
/// Characters in a long field: statements, bodies, messages.
pub(crate) const LONG: usize = 10_000;

/// The form of a byte inside a JSON string: 0 itself, `u` a `\u00XX`, anything else a backslash and that byte.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// `"text"`, whole.
#[inline]
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// `"text"` of at most `max` characters; what is longer ends in `…` and has exactly `max`.
#[inline]
pub(crate) fn limited(out: &mut Vec<u8>, text: &str, max: usize) {
    match cut(text, max) {
        None => string(out, text),
        Some(kept) => {
            out.push(b'"');
            escaped(out, kept);
            out.extend_from_slice("…\"".as_bytes());
        }
    }
}

/// `"text"` as a keyword field.
#[inline]
pub(crate) fn keyword(out: &mut Vec<u8>, text: &str) {
    limited(out, text, KEYWORD);
}

/// `"text"` of bytes that should be UTF-8 and need not be, as a keyword field.
pub(crate) fn keyword_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    // Nearly all of them; ASCII is also the quickest to recognise.
    if bytes.len() <= KEYWORD && bytes.is_ascii() {
        out.push(b'"');
        escaped_bytes(out, bytes);
        out.push(b'"');
        return;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => keyword(out, text),
        Err(_) => keyword(out, &String::from_utf8_lossy(bytes)),
    }
}

/// The place at which `text` has to be cut so that it and an ellipsis are `max` characters: `None` when it is short
/// enough.
pub(crate) fn cut(text: &str, max: usize) -> Option<&str> {
    if text.len() <= max {
        return None;
    }
    let mut ends = text
        .char_indices()
        .map(|(index, _)| index)
        .skip(max.saturating_sub(1));
    // The text is too long if one more character follows the last that there is room for.
    let end = ends.next()?;
    ends.next().map(|_| text.get(..end).unwrap_or_default())
}

/// `text` without quotes around it.
#[inline]
pub(crate) fn escaped(out: &mut Vec<u8>, text: &str) {
    escaped_bytes(out, text.as_bytes());
}

/// `text`, in UTF-8, without quotes around it.
fn escaped_bytes(out: &mut Vec<u8>, text: &[u8]) {
    if is_plain(text) {
        return out.extend_from_slice(text);
    }
    let mut plain = 0;
    for (index, &byte) in text.iter().enumerate() {
        let escape = ESCAPES[usize::from(byte)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&text[plain..index]);
        plain = index + 1;
        out.push(b'\\');
        out.push(escape);
        if escape == b'u' {
            out.extend_from_slice(b"00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
    }
    out.extend_from_slice(&text[plain..]);
}

/// Whether a text needs no escape. That is the rule, and is found out eight bytes at a time and to the end of the text.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let Some(last) = text.last_chunk::<8>() else {
        let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) else {
            return rest.iter().all(|byte| ESCAPES[usize::from(*byte)] == 0);
        };
        let halves = [*first, *last].map(|half| u64::from(u32::from_le_bytes(half)));
        return special(halves[0] | halves[1] << 32) == 0;
    };
    // The last eight bytes may be looked at twice in part.
    let mut found = special(u64::from_le_bytes(*last));
    for word in words {
        found |= special(u64::from_le_bytes(*word));
    }
    found == 0
}

/// Not 0 if one of the eight bytes is a control character, a quote or a backslash.
///
/// After "Determine if a word has a byte less than n" in Sean Eron Anderson's Bit Twiddling Hacks; exact for the
/// question whether there is any.
const fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(limit * ONES) & !word & HIGH
    }
    // This exchanges quote and blank, and leaves control characters below both.
    let quote_and_control = word ^ (2 * ONES);
    let backslash = word ^ (b'\\' as u64 * ONES);
    below(quote_and_control, 0x21) | below(backslash, 1)
}

/// A whole number.
pub(crate) fn uint(out: &mut Vec<u8>, mut value: u64) {
    // Most numbers are small, and are written without a buffer.
    match value {
        0..10 => return out.push(digit(value)),
        10..100 => return out.extend_from_slice(pair(value)),
        100..1000 => {
            let [tens, ones] = *pair(value % 100);
            return out.extend_from_slice(&[digit(value / 100), tens, ones]);
        }
        _ => {}
    }
    let mut digits = [0; 20];
    let mut at = digits.len();
    while value >= 100 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(pair(value % 100));
        value /= 100;
    }
    if value >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(pair(value));
    } else {
        at -= 1;
        digits[at] = digit(value);
    }
    out.extend_from_slice(&digits[at..]);
}

/// The two digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [digit(value as u64 / 10), digit(value as u64)];
        value += 1;
    }
    pairs
};

/// The digits of a number below 100.
const fn pair(value: u64) -> &'static [u8; 2] {
    &PAIRS[(value % 100) as usize]
}

/// Microseconds in milliseconds, with three decimals.
#[inline]
pub(crate) fn millis(out: &mut Vec<u8>, micros: u64) {
    if let Some(digits) = short_millis(micros) {
        return out.extend_from_slice(&digits);
    }
    uint(out, micros / 1000);
    let rest = micros % 1000;
    let [tens, ones] = *pair(rest % 100);
    out.extend_from_slice(&[b'.', digit(rest / 100), tens, ones]);
}

/// The same for less than ten milliseconds, as most spans have: the text has one length, for a hole of fixed size.
#[inline]
pub(crate) fn short_millis(micros: u64) -> Option<[u8; 5]> {
    if micros >= 10_000 {
        return None;
    }
    let micros = micros as u32;
    let [tens, ones] = *pair(u64::from(micros % 100));
    let hundreds = micros / 100;
    let (whole, tenths) = (hundreds / 10, hundreds % 10);
    Some([b'0' + whole as u8, b'.', b'0' + tenths as u8, tens, ones])
}

/// The last decimal digit of `value`.
const fn digit(value: u64) -> u8 {
    b'0' + (value % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_character_survives_a_json_reader() {
        let mut text: String = (0u8..128).map(char::from).collect();
        text.push_str("éñ漢𝄞\u{7f}\u{2028}");
        let json = written(|out| string(out, &text));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn an_escape_is_found_at_every_place_of_a_word() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                for others in [b'a', 0x20, 0x21, 0x7f, 0x80, 0xff] {
                    let mut word = [others; 8];
                    word[place] = byte;
                    let expected = ESCAPES[usize::from(byte)] != 0;
                    assert_eq!(special(u64::from_le_bytes(word)) != 0, expected, "{word:?}");
                }
            }
        }
    }

    #[test]
    fn an_escape_is_found_at_every_place_of_a_text_of_any_length() {
        for length in 0..20 {
            let plain = "a".repeat(length);
            assert!(is_plain(plain.as_bytes()));
            for place in 0..length {
                for special in ["\"", "\\", "\n"] {
                    let mut text = plain.clone();
                    text.replace_range(place..=place, special);
                    assert!(!is_plain(text.as_bytes()), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn a_limit_counts_characters_and_ends_in_an_ellipsis() {
        assert_eq!(written(|out| limited(out, "héllo", 5)), "\"héllo\"");
        assert_eq!(written(|out| limited(out, "hélloo", 5)), "\"héll…\"");
        assert_eq!(written(|out| limited(out, "漢漢漢", 3)), "\"漢漢漢\"");
        assert_eq!(written(|out| limited(out, "漢漢漢漢", 3)), "\"漢漢…\"");
    }

    #[test]
    fn numbers_are_as_the_standard_library_writes_them() {
        let wide = (0..20).flat_map(|power| {
            let ten = 10_u64.pow(power);
            [ten - 1, ten, ten + 1, ten.saturating_mul(7)]
        });
        for value in (0..12_345).chain(wide).chain([u64::MAX]) {
            assert_eq!(written(|out| uint(out, value)), value.to_string());
        }
    }

    #[test]
    fn milliseconds_keep_their_microseconds() {
        assert_eq!(
            written(|out| millis(out, 1_234_567_999 / 1_000)),
            "1234.567"
        );
        for nanos in [1_000, 99_999, 123_456, 9_999_999, 10_000_000, 54_321_000] {
            let expected = format!("{}.{:03}", nanos / 1_000_000, nanos / 1_000 % 1_000);
            assert_eq!(written(|out| millis(out, nanos / 1_000)), expected);
            let short = short_millis(nanos / 1_000).map(|digits| digits.to_vec());
            let expected = (nanos < 10_000_000).then(|| expected.into_bytes());
            assert_eq!(short, expected);
        }
        assert_eq!(written(|out| millis(out, 0)), "0.000");
    }
}
