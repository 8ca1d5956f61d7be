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
mod tests {
    use super::super::Outcome;
    use super::*;

    fn report() -> Report {
        let outcomes = vec![
            Outcome::new(
                "no-growth",
                1,
                Vec::new(),
                vec!["SELECT 1: too few calls".to_owned()],
            ),
            Outcome::new(
                "p95 GET /a",
                1,
                vec!["a < \"b\" & \u{1}c\u{ffff}".to_owned()],
                Vec::new(),
            ),
            Outcome::new(
                "no-repeats",
                0,
                Vec::new(),
                vec!["no request was seen".to_owned()],
            ),
        ];
        Report::new("2026-01-01T00:00:00Z".to_owned(), 7, outcomes)
    }

    #[test]
    fn text_names_each_bound_what_broke_it_and_what_was_not_judged() {
        assert_eq!(
            report().text(),
            "7 requests since 2026-01-01T00:00:00Z\n\
             ok      no-growth\n        not judged: SELECT 1: too few calls\n\
             FAILED  p95 GET /a\n        a < \"b\" & \u{fffd}c\u{ffff}\n\
             NOT JUDGED  no-repeats\n        not judged: no request was seen\n"
        );
    }

    #[test]
    fn junit_is_escaped_and_counts_what_was_not_judged_as_an_error() {
        let xml = report().junit();
        assert!(
            xml.contains("tests=\"3\" failures=\"1\" errors=\"1\""),
            "{xml}"
        );
        assert!(
            xml.contains("<failure message=\"a &lt; &quot;b&quot; &amp; \u{fffd}c\u{fffd}\">"),
            "{xml}"
        );
        assert!(
            xml.contains(
                "<error message=\"not judged: no request was seen\">no request was seen</error>"
            ),
            "{xml}"
        );
    }

    #[test]
    fn a_report_fails_before_it_is_not_judged() {
        assert_eq!(report().verdict, Verdict::Failed);
        let judged = Outcome::new("a", 1, Vec::new(), Vec::new());
        let not = Outcome::new("b", 0, Vec::new(), Vec::new());
        let of = |outcomes| Report::new(String::new(), 1, outcomes);
        assert_eq!(of(vec![judged.clone(), not]).verdict, Verdict::NotJudged);
        assert!(of(vec![judged]).passed);
    }
}
