//! A report as people and CI systems read it.

mod github;
mod markdown;
mod sarif;

use super::{Report, Verdict};
use crate::terminal::{plain, plain_lines};

impl Report {
    /// Lines for a terminal. Names and statements are shown as they are, and not obeyed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{} requests since {}\n", self.requests, self.since);
        for outcome in &self.outcomes {
            let word = match outcome.verdict {
                Verdict::Passed => "ok      ",
                Verdict::Failed => "FAILED  ",
                Verdict::NotJudged => "NOT JUDGED  ",
            };
            out.push_str(&format!("{word}{}\n", plain(&outcome.check)));
            for failure in &outcome.failures {
                out.push_str(&format!("        {}\n", plain(failure)));
            }
            for why in &outcome.not_judged {
                out.push_str(&format!("        not judged: {}\n", plain(why)));
            }
        }
        out
    }

    /// The XML of `JUnit`, a test case for each bound.
    #[must_use]
    pub fn junit(&self) -> String {
        let count = |verdict| {
            self.outcomes
                .iter()
                .filter(|outcome| outcome.verdict == verdict)
                .count()
        };
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"pocket-apm check\" \
             tests=\"{}\" failures=\"{}\" errors=\"{}\">\n",
            self.outcomes.len(),
            count(Verdict::Failed),
            count(Verdict::NotJudged),
        );
        for outcome in &self.outcomes {
            out.push_str(&format!(
                "    <testcase classname=\"pocket-apm\" name=\"{}\">",
                escape(&outcome.check)
            ));
            let (element, words) = match outcome.verdict {
                Verdict::Passed => ("", &outcome.failures),
                Verdict::Failed => ("failure", &outcome.failures),
                // A bound that was not judged is an error of the test: CI systems count a skipped one as good.
                Verdict::NotJudged => ("error", &outcome.not_judged),
            };
            if let Some(first) = words.first() {
                let all = escape(&words.join("\n"));
                let message = match outcome.verdict {
                    Verdict::NotJudged => format!("not judged: {first}"),
                    _ => first.clone(),
                };
                out.push_str(&format!(
                    "<{element} message=\"{}\">{all}</{element}>",
                    escape(&message)
                ));
            }
            out.push_str("</testcase>\n");
        }
        out.push_str("  </testsuite>\n</testsuites>\n");
        out
    }
}

/// Text for XML 1.0, which has no place for most control characters and for two others.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain_lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A line break within an attribute would be read as a blank.
            '\n' => out.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
