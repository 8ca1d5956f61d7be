//! A comment in Markdown.

use crate::insight::check::{Report, Verdict};
use crate::terminal::plain;

/// Sentences of a bound.
const MOST: usize = 20;

impl Report {
    /// A table of the bounds, and what broke them below it.
    #[must_use]
    pub fn markdown(&self) -> String {
        let title = match self.verdict {
            Verdict::Passed => "every bound is kept",
            Verdict::Failed => "a bound is broken",
            Verdict::NotJudged => "a bound could not be judged",
        };
        let mut out = format!("### pocket-apm check: {title}\n\n");
        out.push_str(&format!(
            "{} requests since {}\n\n| bound | result |\n|---|---|\n",
            self.requests,
            code(&self.since)
        ));
        for outcome in &self.outcomes {
            let word = match outcome.verdict {
                Verdict::Passed => "ok",
                Verdict::Failed => "**failed**",
                Verdict::NotJudged => "**not judged**",
            };
            out.push_str(&format!("| {} | {word} |\n", code(&outcome.check)));
        }
        for outcome in &self.outcomes {
            let not_judged = outcome
                .not_judged
                .iter()
                .map(|why| format!("not judged: {why}"));
            let sentences: Vec<String> =
                outcome.failures.iter().cloned().chain(not_judged).collect();
            if sentences.is_empty() {
                continue;
            }
            out.push_str(&format!("\n{}\n\n", code(&outcome.check)));
            for sentence in sentences.iter().take(MOST) {
                out.push_str(&format!("- {}\n", code(sentence)));
            }
            if sentences.len() > MOST {
                out.push_str(&format!("- and {} more\n", sentences.len() - MOST));
            }
        }
        out
    }
}

/// Text that is shown as it is: within more backticks than it has itself, on one line, and without what divides the
/// cells of a table.
fn code(text: &str) -> String {
    let line = plain(text).replace('|', "\u{2502}");
    let longest = line
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("{fence}{line}{fence}"),
        // A backtick at an end needs a blank between it and the fence.
        _ => format!("{fence} {line} {fence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::check::Outcome;

    #[test]
    fn text_of_telemetry_is_code_and_ends_no_cell() {
        let failures = vec!["SELECT `a` | <b>\n# x\u{202e}".to_owned()];
        let outcomes = vec![Outcome::new("no-repeats", 1, failures, Vec::new())];
        let text = Report::new("now".to_owned(), 7, outcomes).markdown();
        assert!(text.contains("| `no-repeats` | **failed** |\n"), "{text}");
        assert!(
            text.contains("- `` SELECT `a` \u{2502} <b> # x\u{fffd} ``\n"),
            "{text}"
        );
        assert!(
            text.starts_with("### pocket-apm check: a bound is broken\n\n7 requests since `now`\n"),
            "{text}"
        );
    }
}
