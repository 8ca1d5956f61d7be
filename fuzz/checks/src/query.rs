//! KQL.

use serde_json::json;

/// When the queries are asked, microseconds since the epoch.
const NOW: i64 = 1_795_953_600_000_000;

/// Longer queries are refused, bytes.
const LONGEST: usize = 4096;

/// A query is refused with a reason, or can be asked of a document.
pub fn query(text: &str) {
    match kql::parse(text, NOW) {
        Ok(query) => {
            let document = json!({
                "@timestamp": "2026-11-29T12:00:00.000Z",
                "message": text,
                "transaction": { "name": "GET /people", "duration": { "us": 1200 }, "sampled": true },
                "labels": { "empty": "", "list": [1, "two", null, { "deep": [] }] },
                "client": { "ip": "192.0.2.1" },
            });
            let first = kql::matches(&query, &document);
            assert_eq!(first, kql::matches(&query, &document), "{query:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // A text that is made into a filter is understood as one, unless it is too long.
    let filter = kql::filter("message", text);
    assert!(
        filter.len() > LONGEST || kql::parse(&filter, NOW).is_ok(),
        "{filter}"
    );
}
