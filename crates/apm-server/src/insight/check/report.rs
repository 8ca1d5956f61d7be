//! A report as people and CI systems read it.

use super::Report;

impl Report {
    /// Lines for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{} requests since {}\n", self.requests, self.since);
        for outcome in &self.outcomes {
            let word = if outcome.failures.is_empty() {
                "ok    "
            } else {
                "FAILED"
            };
            out.push_str(&format!("{word}  {}\n", outcome.check));
            for failure in &outcome.failures {
                out.push_str(&format!("        {failure}\n"));
            }
        }
        out
    }

    /// The XML of `JUnit`, a test case for each bound.
    #[must_use]
    pub fn junit(&self) -> String {
        let failed = self
            .outcomes
            .iter()
            .filter(|outcome| !outcome.failures.is_empty())
            .count();
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"pocket-apm check\" tests=\"{}\" failures=\"{failed}\">\n",
            self.outcomes.len()
        );
        for outcome in &self.outcomes {
            out.push_str(&format!(
                "    <testcase classname=\"pocket-apm\" name=\"{}\">",
                escape(&outcome.check)
            ));
            if let Some(first) = outcome.failures.first() {
                let all = escape(&outcome.failures.join("\n"));
                out.push_str(&format!(
                    "<failure message=\"{}\">{all}</failure>",
                    escape(first)
                ));
            }
            out.push_str("</testcase>\n");
        }
        out.push_str("  </testsuite>\n</testsuites>\n");
        out
    }
}

/// Text for XML 1.0, which has no place for most control characters.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if c.is_control() => out.push('\u{fffd}'),
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
        Report {
            passed: false,
            since: "2026-01-01T00:00:00Z".to_owned(),
            requests: 7,
            outcomes: vec![
                Outcome {
                    check: "no-growth".to_owned(),
                    failures: Vec::new(),
                },
                Outcome {
                    check: "p95 GET /a".to_owned(),
                    failures: vec!["a < \"b\" & \u{1}c".to_owned()],
                },
            ],
        }
    }

    #[test]
    fn text_names_each_bound_and_what_broke_it() {
        assert_eq!(
            report().text(),
            "7 requests since 2026-01-01T00:00:00Z\nok      no-growth\nFAILED  p95 GET /a\n        a < \"b\" & \u{1}c\n"
        );
    }

    #[test]
    fn junit_is_escaped() {
        let xml = report().junit();
        assert!(xml.contains("tests=\"2\" failures=\"1\""), "{xml}");
        assert!(
            xml.contains("<failure message=\"a &lt; &quot;b&quot; &amp; \u{fffd}c\">"),
            "{xml}"
        );
    }
}
