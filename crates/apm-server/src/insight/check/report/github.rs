//! Annotations of GitHub's workflows.

use crate::insight::check::{Report, Verdict};
use crate::terminal::plain_lines;

/// Annotations of a report: GitHub shows ten of a kind for a step.
const MOST: usize = 10;

impl Report {
    /// Workflow commands, a line each: an error for what broke a bound, a warning for what was not judged, a notice
    /// where all passed.
    #[must_use]
    pub fn github(&self) -> String {
        let mut out = String::new();
        let (mut errors, mut warnings) = (0, 0);
        for outcome in &self.outcomes {
            for failure in &outcome.failures {
                errors += 1;
                if errors <= MOST {
                    out.push_str(&command("error", &outcome.check, failure));
                }
            }
            for why in &outcome.not_judged {
                warnings += 1;
                if warnings <= MOST {
                    out.push_str(&command(
                        "warning",
                        &outcome.check,
                        &format!("not judged: {why}"),
                    ));
                }
            }
        }
        let left = errors.saturating_sub(MOST) + warnings.saturating_sub(MOST);
        if left > 0 {
            out.push_str(&command(
                "notice",
                "pocket-apm check",
                &format!("and {left} more"),
            ));
        }
        if self.verdict == Verdict::Passed {
            let bounds = self.outcomes.len();
            let kept = format!(
                "{bounds} bounds kept by {} requests since {}",
                self.requests, self.since
            );
            out.push_str(&command("notice", "pocket-apm check", &kept));
        }
        out
    }
}

fn command(kind: &str, title: &str, message: &str) -> String {
    let title = escape(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{kind} title={title}::{}\n", escape(message))
}

/// Text that ends neither the line nor the command.
fn escape(text: &str) -> String {
    plain_lines(text).replace('%', "%25").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use crate::insight::check::{Outcome, Report};

    #[test]
    fn text_of_telemetry_makes_no_command_of_its_own() {
        let failures = vec!["100 %\r\n::error::x\u{202e}".to_owned()];
        let outcomes = vec![Outcome::new("p95 GET /a:b, c", 1, failures, Vec::new())];
        let text = Report::new("now".to_owned(), 1, outcomes).github();
        assert_eq!(
            text,
            "::error title=p95 GET /a%3Ab%2C c::100 %25 %0A::error::x\u{fffd}\n"
        );
    }
}
