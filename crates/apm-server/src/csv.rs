//! Fields of comma-separated values, RFC 4180, that no spreadsheet takes for a formula: they come from telemetry.

use std::borrow::Cow;

/// A text that begins as a formula does, made plain by an apostrophe; a signed figure is none.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let is_figure = |rest: &str| {
        rest.chars()
            .all(|c| c.is_ascii_digit() || " .,%".contains(c))
    };
    let start = text.trim_start();
    let signed = start.strip_prefix(['+', '-']);
    let is_formula = start.starts_with(['=', '@']) || signed.is_some_and(|rest| !is_figure(rest));
    if is_formula {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// A field, quoted where it has to be.
pub(crate) fn field(text: &str) -> Cow<'_, str> {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_becomes_text() {
        for (text, want) in [
            ("=1+1", "'=1+1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-1+1", "'-1+1"),
            ("\t=1", "'\t=1"),
            ("-5 %", "-5 %"),
            ("+1,000.5", "+1,000.5"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), want);
        }
    }

    #[test]
    fn what_would_break_a_line_is_quoted() {
        for (text, want) in [
            ("a,b", "\"a,b\""),
            ("x \"y\"\nz", "\"x \"\"y\"\"\nz\""),
            ("plain", "plain"),
        ] {
            assert_eq!(field(text), want);
        }
    }
}
