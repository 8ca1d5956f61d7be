//! The regular form of a line: no key doubled, escaped or in another case, nothing nested too deep.
//!
//! Field names are matched without regard to case, and of two members with the same name the last one wins;
//! agents never need either. So the rare line that does is rewritten here. Objects whose keys are the user's
//! (labels, headers …) are left alone; so are the names of samples.

mod lowered;
mod surrogates;

use serde::de::DeserializeSeed as _;

use lowered::Lowered;

/// The deepest nesting of arrays and objects. `serde_json` reads 128 levels.
pub(crate) const MAX_DEPTH: usize = 100;

/// Times that a line is read again in another form: without lone surrogates, then with regular keys.
pub(super) const OTHER_FORMS: u8 = 2;

/// Another form of a text that could not be read as it is: without lone surrogates, and with regular keys if
/// those it has are not. Of a line, only the member `kind` stays. `None`: there is no other form.
///
/// # Errors
/// What the parser says of a text that is no JSON.
pub(super) fn other_form(
    text: &str,
    is_irregular: bool,
    kind: Option<&str>,
) -> Result<Option<String>, serde_json::Error> {
    let mended = surrogates::mended(text);
    if !is_irregular {
        return Ok(mended);
    }
    let mut reader = serde_json::Deserializer::from_str(mended.as_deref().unwrap_or(text));
    let mut value = Lowered::Fields.deserialize(&mut reader)?;
    Ok(Some(match kind {
        Some(kind) => format!("{{\"{kind}\":{}}}", value[kind].take()),
        None => value.to_string(),
    }))
}

/// A text without halves of characters; `None` where it has none.
pub(crate) fn mended(text: &str) -> Option<String> {
    surrogates::mended(text)
}

/// Whether a line nests deeper than [`MAX_DEPTH`].
pub(super) fn is_too_deep(line: &str) -> bool {
    // A byte per lane, so that the compiler counts many at once; the two brackets differ in one bit.
    let count =
        |part: &[u8]| -> u8 { part.iter().map(|byte| u8::from(byte & !0x20 == b'[')).sum() };
    let opens: usize = line
        .as_bytes()
        .chunks(255)
        .map(|part| usize::from(count(part)))
        .sum();
    // Brackets within strings were counted too: only a line with many of them is looked at more closely.
    opens > MAX_DEPTH && depth(line) > MAX_DEPTH
}

fn depth(line: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in line.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => {
                depth = depth.saturating_sub(1);
                // The text behind the value is ignored.
                if depth == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(text: &str) -> Result<String, serde_json::Error> {
        Ok(other_form(text, true, None)?.unwrap())
    }

    #[test]
    fn keys_are_lowered_but_not_those_of_users() {
        let line = r#"{"Span":{"ID":"1","id":"2","context":{"TAGS":{"Ab":1},"tr\u0061ce":0}}} x"#;
        assert_eq!(
            rewrite(line).unwrap(),
            r#"{"span":{"context":{"tags":{"Ab":1},"trace":0},"id":"2"}}"#
        );
        assert!(rewrite("{").is_err());
    }

    #[test]
    fn of_keys_that_differ_in_case_the_last_one_wins() {
        let line = r#"{"id":"1","ID":"2","Name":"a","name":"b"}"#;
        assert_eq!(rewrite(line).unwrap(), r#"{"id":"2","name":"b"}"#);
    }

    #[test]
    fn the_names_of_samples_stay_and_their_fields_are_lowered() {
        let line = r#"{"samples":{"Ab":{"Value":1},"a\"b":{"value":1,"value":2}}}"#;
        assert_eq!(
            rewrite(line).unwrap(),
            r#"{"samples":{"Ab":{"value":1},"a\"b":{"value":2}}}"#
        );
    }

    #[test]
    fn of_a_line_only_the_wanted_member_stays() {
        let line = r#"{"a":1,"Span":{},"span":{"id":"1"},"z":1}"#;
        let form = other_form(line, true, Some("span")).unwrap();
        assert_eq!(form.as_deref(), Some(r#"{"span":{"id":"1"}}"#));
    }

    #[test]
    fn brackets_in_strings_nest_nothing() {
        let flat = format!("[{}]", vec![r#""[{\"[""#; 200].join(","));
        assert!(!is_too_deep(&flat));
        assert!(is_too_deep(&"[".repeat(MAX_DEPTH + 1)));
        assert!(!is_too_deep(&"[".repeat(MAX_DEPTH)));
        assert!(!is_too_deep(&("{}".to_owned() + &"[".repeat(200))));
    }
}
