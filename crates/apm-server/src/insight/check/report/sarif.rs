//! SARIF 2.1.0, as code scanning reads it.

use serde_json::{Value, json};

use crate::insight::check::{Report, Verdict};
use crate::terminal::plain_lines;

impl Report {
    /// A run with a rule for each bound, and a result for each sentence. `file`: what the results are about, such as
    /// the baseline, relative to the repository; code scanning wants a place for each.
    #[must_use]
    pub fn sarif(&self, file: &str) -> String {
        let rules: Vec<Value> = self
            .outcomes
            .iter()
            .map(|outcome| json!({ "id": plain_lines(&outcome.check) }))
            .collect();
        let mut results = Vec::new();
        for (rule, outcome) in self.outcomes.iter().enumerate() {
            let failures = outcome.failures.iter().map(|text| ("error", text.clone()));
            let not_judged = outcome
                .not_judged
                .iter()
                .map(|why| ("warning", format!("not judged: {why}")));
            results.extend(failures.chain(not_judged).map(|(level, text)| {
                json!({
                    "ruleId": plain_lines(&outcome.check),
                    "ruleIndex": rule,
                    "level": level,
                    "message": { "text": plain_lines(&text) },
                    "locations": [{
                        "physicalLocation": { "artifactLocation": { "uri": file }, "region": { "startLine": 1 } }
                    }],
                })
            }));
        }
        let report = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "pocket-apm check", "version": env!("CARGO_PKG_VERSION"),
                "rules": rules } },
                "invocations": [{ "executionSuccessful": self.verdict != Verdict::NotJudged }],
                "results": results,
            }],
        });
        // JSON of texts and numbers always has a form.
        serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::check::Outcome;

    #[test]
    fn each_sentence_is_a_result_of_its_bound() {
        let outcomes = vec![
            Outcome::new("no-growth", 1, Vec::new(), Vec::new()),
            Outcome::new(
                "max-steps \u{202e}",
                1,
                vec!["too \"many\" \u{2066}\u{1b}".to_owned()],
                vec!["unknown".to_owned()],
            ),
        ];
        let report: Value =
            serde_json::from_str(&Report::new("now".to_owned(), 1, outcomes).sarif("sql.json"))
                .unwrap();
        let run = &report["runs"][0];
        assert_eq!(
            run["tool"]["driver"]["rules"][1]["id"],
            "max-steps \u{fffd}"
        );
        assert_eq!(run["results"][0]["ruleId"], "max-steps \u{fffd}");
        assert_eq!(run["results"].as_array().unwrap().len(), 2);
        let first = &run["results"][0];
        assert_eq!(
            (&first["level"], &first["ruleIndex"]),
            (&json!("error"), &json!(1))
        );
        assert_eq!(first["message"]["text"], "too \"many\" \u{fffd}\u{fffd}");
        assert_eq!(run["results"][1]["message"]["text"], "not judged: unknown");
    }
}
