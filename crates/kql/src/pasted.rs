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
mod tests;
