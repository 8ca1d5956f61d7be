//! Correlations of a service whose requests go to two servers.

use serde_json::{Value, json};

use super::joined::{RANGE, percent};
use super::server::Server;
use super::together::{send, wait};
use crate::support::now;

/// Requests that each server gets, and those of them that fail.
const EACH: usize = 200;
const FAILED: usize = 20;

/// Both servers find what all failed requests have, and what all slow ones have; each only got a half of them.
pub(super) fn correlate(servers: &[Server; 2]) {
    for (at, server) in servers.iter().enumerate() {
        let head = json!({"metadata": {"service": {"name": "till", "agent": {"name": "java", "version": "1"}}}});
        let mut body = head.to_string();
        for n in 0..EACH {
            let (is_failed, number) = (n < FAILED, at * EACH + n);
            let request = json!({"transaction": {
                "id": format!("f{number:015x}"), "trace_id": format!("f{number:031x}"), "name": "POST /pay",
                "type": "request", "timestamp": now() - n as i64 * 1000, "span_count": {"started": 0},
                "duration": if n % 10 == 9 { 900 } else { 5 + n % 3 },
                "outcome": if is_failed { "failure" } else { "success" },
                "context": {"tags": {
                    // Nothing on one server alone stands out by it: all failed ones there have it.
                    "till": format!("till {at}"),
                    "coupon": if is_failed { "summer" } else { "none" },
                    "card": if is_failed { "blue" } else { ["red", "green"][n % 2] },
                    "basket": if n % 10 == 9 { "full" } else { "small" },
                }},
            }});
            body += &format!("\n{request}");
        }
        assert!(send(server, &body));
        server.wait_until_sent();
    }
    for server in servers {
        let asked = |query: &str| {
            server.get(&format!(
                "/api/v1/services/till/transactions/correlations?{RANGE}&{query}"
            ))
        };
        let mut answer = Value::Null;
        wait("the requests of both are compared", || {
            answer = asked("of=failed");
            answer["requests"] == 2 * EACH
        });
        assert_eq!(answer["elsewhere"]["trouble"], Value::Null);
        assert_eq!(answer["selected"], 2 * FAILED, "{answer}");
        let first = &answer["correlations"][0];
        assert_eq!(
            (&first["field"], &first["value"]),
            (&"labels.card".into(), &"blue".into())
        );
        assert_eq!(first["same"], json!(["labels.coupon: summer"]), "{answer}");
        assert_eq!(
            (&first["count"], &first["others"]),
            (&(2 * FAILED).into(), &0.into())
        );
        assert_eq!(
            answer["correlations"].as_array().map(Vec::len),
            Some(1),
            "{answer}"
        );
        let slow = asked("min_us=500000&max_us=1000000");
        assert_eq!(slow["selected"], 2 * EACH / 10, "{slow}");
        let first = &slow["correlations"][0];
        assert_eq!(
            (&first["field"], &first["count"]),
            (&"labels.basket".into(), &(2 * EACH / 10).into())
        );
        let narrowed = asked(&format!(
            "of=failed&q={}",
            percent("labels.till: \"till 1\"")
        ));
        assert_eq!(narrowed["requests"], EACH, "{narrowed}");
        let slowest = asked("");
        assert!(
            slowest["min"].as_i64().is_some_and(|min| min > 8_000),
            "{slowest}"
        );
        // A sample under a query of any field, from the server that has it.
        for till in 0..servers.len() {
            let path = format!(
                "/api/v1/services/till/transactions/view?{RANGE}&name={}&type=request&q={}",
                percent("POST /pay"),
                percent(&format!(
                    "labels.till: \"till {till}\" and labels.card: blue"
                ))
            );
            let view = server.get(&path);
            let samples = view["samples"].as_array().expect("samples");
            assert_eq!(samples.len(), FAILED, "{view}");
        }
    }
}
