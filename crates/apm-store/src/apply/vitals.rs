//! The web vitals that a browser's transaction tells.

use serde_json::Value;

use super::{Pass, Sender};
use crate::error::StoreError;
use crate::event::Transaction;
use crate::rollup::{Vital, weight};

/// The longest time that counts, ms: an hour. A page in the background measures nothing.
const LONGEST: f64 = 3_600_000.0;

impl<'a> Pass<'_, 'a> {
    /// Counts the vitals of a page load, and how a page answered to clicks, which is told when it is left.
    pub(super) fn vitals(
        &mut self,
        sender: Sender<'a>,
        (service, group): (i64, i64),
        event: &Transaction,
    ) -> Result<(), StoreError> {
        let batch = sender.batch;
        let kind = batch.text(event.kind);
        if batch.visitor.is_none() || !matches!(kind, "page-load" | "page-exit") {
            return Ok(());
        }
        let rest: Value = serde_json::from_str(batch.text(event.rest)).unwrap_or_default();
        let count = weight(event.sample_rate);
        if kind == "page-load" {
            for (vital, value) in of_load(&rest) {
                self.rollup
                    .vitals
                    .add(group, event.timestamp, vital, value, count);
            }
        } else if let Some(value) = time(&rest["context"]["tags"]["inp_value"]) {
            // The page's own name is that of its load.
            let page = rest["context"]["page"]["url"].as_str().unwrap_or_default();
            let group = self
                .tx_group(sender, service, "page-load", &page_name(page))?
                .id;
            self.rollup
                .vitals
                .add(group, event.timestamp, Vital::Inp, value, count);
        }
        Ok(())
    }
}

fn of_load(rest: &Value) -> Vec<(Vital, i64)> {
    let (marks, experience) = (&rest["marks"]["agent"], &rest["experience"]);
    let told = [
        (Vital::Lcp, time(&marks["largestContentfulPaint"])),
        (Vital::Fcp, time(&marks["firstContentfulPaint"])),
        (Vital::Ttfb, time(&marks["timeToFirstByte"])),
        (Vital::Fid, time(&experience["fid"])),
        (Vital::Tbt, time(&experience["tbt"])),
        (Vital::Cls, shift(&experience["cls"])),
    ];
    let told = told.into_iter();
    told.filter_map(|(vital, value)| Some((vital, value?)))
        .collect()
}

/// Milliseconds as microseconds.
#[expect(clippy::cast_possible_truncation, reason = "it is within an hour")]
fn time(value: &Value) -> Option<i64> {
    let value = value
        .as_f64()
        .filter(|value| (0.0..=LONGEST).contains(value));
    value.map(|value| (value * 1000.0) as i64)
}

/// A shift of the layout as millionths.
#[expect(clippy::cast_possible_truncation, reason = "it is below a thousand")]
fn shift(value: &Value) -> Option<i64> {
    let value = value
        .as_f64()
        .filter(|value| (0.0..=1000.0).contains(value));
    value.map(|value| (value * 1e6).round() as i64)
}

/// The name that the agent gives to a load of the page at an address: its path, and that it had a query.
fn page_name(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find(['/', '?', '#']).map_or("/", |at| &rest[at..]);
    let path = path.split('#').next().unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = if path.is_empty() { "/" } else { path };
    let mut name: String = path.chars().take(1000).collect();
    if !query.is_empty() {
        name.push_str("?{query}");
    }
    name
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_is_named_as_the_agent_names_its_load() {
        for (url, name) in [
            (
                "http://shop.example:8080/page.html?v=3",
                "/page.html?{query}",
            ),
            ("https://shop.example", "/"),
            ("https://shop.example?x", "/?{query}"),
            ("https://shop.example/#/cart", "/"),
            ("https://shop.example/a/b?", "/a/b"),
            ("", "/"),
        ] {
            assert_eq!(page_name(url), name, "{url}");
        }
    }

    #[test]
    fn what_cannot_have_been_measured_does_not_count() {
        let rest = json!({
            "marks": {"agent": {"largestContentfulPaint": 1234.5, "firstContentfulPaint": -1, "timeToFirstByte": 1e9}},
            "experience": {"cls": 0.123_456_7, "fid": "x", "tbt": 0},
        });
        let wanted = [
            (Vital::Lcp, 1_234_500),
            (Vital::Tbt, 0),
            (Vital::Cls, 123_457),
        ];
        assert_eq!(of_load(&rest), wanted);
        assert!(of_load(&Value::Null).is_empty());
    }
}
