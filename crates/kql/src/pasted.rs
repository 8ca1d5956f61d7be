//! Ids as people paste them: in upper case, between blanks or quotes, with dashes, without the zeros that they begin
//! with or with more of them, and within a whole `traceparent`.

/// Most digits of an id.
const MOST: usize = 32;
/// Digits from which on a bare word may be an id.
const LEAST_BARE: usize = 13;

/// The part of a `traceparent` that is meant: one of its two ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The trace.
    Trace,
    /// The span or transaction that made the request.
    Span,
}

/// The ids that a text may mean, each as it may be stored; what it says literally comes first.
#[must_use]
pub fn readings(text: &str, part: Part) -> Vec<String> {
    let mut readings = vec![text.to_owned()];
    let mut add = |reading: String| {
        if !reading.is_empty() && !readings.contains(&reading) {
            readings.push(reading);
        }
    };
    let bare = bare(text);
    add(bare.to_owned());
    add(bare.to_lowercase());
    let digits = match traceparent(bare) {
        Some((trace, span)) => match part {
            Part::Trace => trace,
            Part::Span => span,
        },
        None => match digits(bare) {
            Some(digits) => digits,
            None => return readings,
        },
    };
    let significant = digits.trim_start_matches('0');
    add(digits.clone());
    // Ids are stored with 16 or 32 digits, their zeros in front included.
    for length in [16, MOST] {
        if significant.len() <= length {
            add(format!("{significant:0>length$}"));
        }
    }
    add(significant.to_owned());
    readings
}

/// A number of up to 16 hexadecimal digits: a hash, as it stands in addresses.
#[must_use]
pub fn hash(text: &str) -> Option<u64> {
    let digits = digits(bare(text))?;
    u64::from_str_radix(&digits, 16).ok()
}

/// Digits that each form of an id holds, to look for in texts where a bare word looks like an id.
#[must_use]
pub(crate) fn core(text: &str) -> Option<String> {
    let bare = bare(text);
    let digits = traceparent(bare)
        .map(|(trace, _)| trace)
        .or_else(|| digits(bare))?;
    let significant = digits.trim_start_matches('0');
    // An id of this length has a decimal digit; letters alone are a word.
    let is_id =
        significant.len() >= LEAST_BARE && significant.bytes().any(|byte| byte.is_ascii_digit());
    is_id.then(|| significant.to_owned())
}

/// Without the blanks, quotes and signs around an id, and the header's name before it.
fn bare(text: &str) -> &str {
    let around = |c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | ',' | ';')
    };
    let text = text.trim_matches(around);
    const HEADER: &str = "traceparent";
    match text.get(..HEADER.len()) {
        Some(start) if start.eq_ignore_ascii_case(HEADER) => {
            text[HEADER.len()..].trim_start_matches(|c| around(c) || matches!(c, ':' | '='))
        }
        _ => text,
    }
}

/// The ids of a trace and a span in `00-4bf9…-00f0…-01`.
fn traceparent(text: &str) -> Option<(String, String)> {
    let mut parts = text.split('-');
    let mut part = |length: usize| {
        let part = parts.next()?;
        let is_hex = part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| part.to_ascii_lowercase())
    };
    part(2)?;
    let ids = (part(32)?, part(16)?);
    part(2).map(|_| ids)
}

/// The hexadecimal digits of an id, in lower case.
fn digits(text: &str) -> Option<String> {
    let text = text
        .strip_prefix("0x")
        .or(text.strip_prefix("0X"))
        .unwrap_or(text);
    let digits: String = text
        .chars()
        .filter(|c| !(c.is_whitespace() || *c == '-'))
        // One digit more tells that it is too long.
        .take(MOST + 1)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let is_id = !digits.is_empty()
        && digits.len() <= MOST
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SHORT: &str = "00f067aa0ba902b7";

    #[test]
    fn each_way_to_paste_an_id_leads_to_the_stored_one() {
        for text in [
            TRACE,
            "4BF92F3577B34DA6A3CE929D0E0E4736",
            " 4bf92f3577b34da6a3ce929d0e0e4736\n",
            "\"4bf92f3577b34da6a3ce929d0e0e4736\",",
            "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
            "4bf92f35 77b34da6 a3ce929d 0e0e4736",
            "0x4BF92F3577B34DA6A3CE929D0E0E4736",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-00",
            "TRACEPARENT=\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"",
        ] {
            assert!(
                readings(text, Part::Trace).contains(&TRACE.to_owned()),
                "{text}"
            );
            assert_eq!(readings(text, Part::Trace)[0], text);
            assert_eq!(core(text).as_deref(), Some(TRACE), "{text}");
        }
        for text in [
            SHORT,
            "f067aa0ba902b7",
            "0000000000000000 00F067AA0BA902B7",
            "000000000000000000f067aa0ba902b7",
        ] {
            let readings = readings(text, Part::Span);
            assert!(readings.contains(&SHORT.to_owned()), "{text}: {readings:?}");
            assert!(
                readings.contains(&format!("{SHORT:0>32}")),
                "{text}: {readings:?}"
            );
            assert_eq!(core(text).as_deref(), Some("f067aa0ba902b7"), "{text}");
        }
        let both = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(readings(both, Part::Span).contains(&SHORT.to_owned()));
        assert!(!readings(both, Part::Span).contains(&TRACE.to_owned()));
    }

    #[test]
    fn a_hash_is_read_with_and_without_its_zeros() {
        for text in [
            "00000000000000ff",
            "FF",
            " ff\n",
            "0xff",
            "00000000000000000000000000ff",
        ] {
            assert_eq!(hash(text), Some(255), "{text}");
        }
        for text in ["", "x", "10000000000000000", "ff g"] {
            assert_eq!(hash(text), None, "{text}");
        }
    }

    #[test]
    fn other_texts_mean_themselves_only() {
        for text in [
            "",
            "order-17",
            "žluťoučký",
            "4bf92f3577b34da6a3ce929d0e0e47361",
            "00-xyz-01",
        ] {
            assert_eq!(readings(text, Part::Trace), [text]);
        }
        for text in [
            "",
            "facade",
            "deadbeef",
            "1234567",
            "accede-decade-facade",
            "a word",
        ] {
            assert_eq!(core(text), None, "{text}");
        }
    }
}
