//! Lists of traces, of which each server has a half.

use std::collections::BTreeSet;

use serde_json::Value;

use super::joined::{RANGE, percent};
use super::server::Server;
use super::together::wait;

/// Both servers list the same traces, which begin on the first one: by any event, by their entries and by durations.
pub(super) fn look_at_traces(servers: &[Server; 2], traces: usize) {
    for server in servers {
        let list = |query: &str| {
            let answer = server.get(&format!("/api/v1/traces?{RANGE}&{query}"));
            assert_eq!(answer["elsewhere"]["trouble"], Value::Null, "{query}");
            answer
        };
        for (query, wanted) in [
            ("", traces),
            ("sort=-duration", traces),
            ("sort=duration&min_us=20ms", traces),
            ("min_us=21ms", 0),
            // The calls are on the other server.
            ("service=stock", traces),
            ("q=span.db.statement%3A+item", traces),
            ("q=service.name%3A+stock&sort=-duration", traces),
            ("q=service.name%3A+stock&match=entry", 0),
            ("q=service.name%3A+shop&match=entry&sort=duration", traces),
        ] {
            let asked = format!("size=1000&{query}");
            let mut answer = Value::Null;
            wait(&format!("{wanted} traces: {query}"), || {
                answer = list(&asked);
                answer["total"] == wanted && rows(&answer).len() == wanted
            });
            let different: BTreeSet<String> = rows(&answer).into_iter().map(|(id, _)| id).collect();
            assert_eq!(different.len(), wanted, "{query}");
            let begins = rows(&answer).iter().all(|(_, name)| name == "GET /shop");
            assert!(begins, "{query}: {answer}");
            // The engine has statements cut, so it cannot tell all that match.
            let is_remarked = answer["elsewhere"]["remark"].is_string();
            assert_eq!(is_remarked, query.contains("statement"), "{query}");
            // Durations over time are of all that match, and not of those that are selected.
            let drawn = if query.contains("match=entry") {
                wanted
            } else {
                traces
            };
            assert_eq!(answer["density"]["count"], drawn, "{query}: {answer}");
            let names = &answer["names"]["groups"][0];
            let counted = names["count"].as_u64().unwrap_or_default();
            assert_eq!(counted, wanted as u64, "{query}: {names}");
        }
        // The engine cannot tell several words from parts of them.
        let phrase = list(&format!(
            "size=1000&q={}",
            percent("span.db.statement: \"item WHERE\"")
        ));
        assert!(phrase["elsewhere"]["remark"].is_string(), "{phrase}");
        assert_eq!(rows(&phrase).len(), traces);
        // Page by page each comes once.
        for query in ["", "service=stock"] {
            let mut seen = BTreeSet::new();
            let mut after = String::new();
            loop {
                let answer = list(&format!("size=7&{query}{after}"));
                assert_eq!(answer["total"], traces, "{query}");
                for (id, _) in rows(&answer) {
                    assert!(seen.insert(id.clone()), "{id} comes twice: {query}");
                }
                match answer["next"].as_str() {
                    Some(next) => after = format!("&after={next}"),
                    None => break,
                }
            }
            assert_eq!(seen.len(), traces, "{query}");
        }
        let two = format!("/api/v1/traces/{:032x}/compare/{:032x}", 1, 2);
        let compared = server.get(&two);
        assert_eq!(compared["first"]["items"], 4, "{compared}");
        assert_eq!(compared["second"]["elsewhere"]["events"], 2, "{compared}");
    }
}

/// The traces of a list, with the names of their entries.
fn rows(answer: &Value) -> Vec<(String, String)> {
    let rows = answer["traces"].as_array().expect("traces").iter();
    rows.map(|row| {
        let text = |name: &str| row[name].as_str().expect("a text").to_owned();
        (text("trace"), text("name"))
    })
    .collect()
}
