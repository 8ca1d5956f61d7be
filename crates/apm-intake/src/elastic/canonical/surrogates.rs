//! Halves of characters: agents in JavaScript cut strings at a length, and may cut an escaped pair in two.

/// A text in which every lone `\ud83d` is `\ufffd`, as Go reads it; `None` where there is none.
pub(super) fn mended(text: &str) -> Option<String> {
    let mut mended = String::new();
    let (mut at, mut done) = (0, 0);
    while let Some(next) = memchr::memchr(b'\\', &text.as_bytes()[at..]) {
        at += next;
        let Some(unit) = unit(text, at) else {
            // The escaped character goes with its backslash; it may be the start of a longer one.
            at += 2;
            if at > text.len() {
                break;
            }
            continue;
        };
        let is_pair = matches!(unit, 0xd800..0xdc00)
            && matches!(self::unit(text, at + 6), Some(0xdc00..0xe000));
        if !is_pair && matches!(unit, 0xd800..0xe000) {
            mended.push_str(&text[done..at]);
            mended.push_str("\\ufffd");
            done = at + 6;
        }
        at += if is_pair { 12 } else { 6 };
    }
    (done > 0).then(|| mended + &text[done..])
}

/// The number of a `\u` escape that begins at `at`.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_halves_are_replaced_and_pairs_stay() {
        for (text, wanted) in [
            (r#""a\ud83d""#, r#""a\ufffd""#),
            (r#""\uDE00é\ud83dx""#, r#""\ufffdé\ufffdx""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\\ud83d\ud83d"#, r#""\\ud83d\ufffd"#),
        ] {
            assert_eq!(mended(text).as_deref(), Some(wanted));
        }
        for text in [
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r"\u",
            r"\ud8",
            r"\",
            r"\é",
            r"\u00é",
            "",
        ] {
            assert_eq!(mended(text), None, "{text}");
        }
    }
}
