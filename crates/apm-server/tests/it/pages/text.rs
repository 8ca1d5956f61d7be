//! Names that would break out of their place: letters from right to left, characters that turn the direction, codes of
//! terminals.

use serde_json::json;

use super::metadata;
use crate::support::events::now;
use crate::support::server::TestServer;

const RTL: &str = "שלום עולם";
const TURNED: &str = "invoice\u{202e}fdp.exe";
const COLOURED: &str = "\u{1b}[31mred\u{1b}[0m \u{1b}[2J\u{7}";

/// Characters that may not be in a page: they would act on what follows them.
fn acts(c: char) -> bool {
    matches!(
        c,
        '\u{202a}'..='\u{202e}' | '\u{2066}' | '\u{2067}' | '\u{200e}' | '\u{200f}'
    ) || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

#[actix_web::test]
async fn no_page_has_a_character_that_acts_and_letters_from_right_to_left_are_isolated() {
    let server = TestServer::start();
    let at = now();
    let mut body = metadata("text") + "\n";
    for (number, name) in (1u64..).zip([RTL, TURNED, COLOURED]) {
        let ids = (format!("{number:032x}"), format!("{number:016x}"));
        let lines = [
            json!({"transaction": {"id": ids.1, "trace_id": ids.0, "name": name, "type": "request", "result": name,
                "duration": 40, "timestamp": at, "span_count": {"started": 1},
                "context": {"tags": {"label": name}, "user": {"id": name},
                    "request": {"method": "GET", "url": {"full": format!("http://a/{name}")}}}}}),
            json!({"span": {"id": format!("{:016x}", 50 + number), "trace_id": ids.0, "transaction_id": ids.1,
                "parent_id": ids.1, "name": name, "type": "db", "subtype": name, "timestamp": at + 10, "duration": 4,
                "context": {"db": {"statement": format!("SELECT '{name}'"), "type": "sql"},
                    "destination": {"service": {"resource": name}}}}}),
            json!({"error": {"id": format!("{:032x}", 70 + number), "trace_id": ids.0, "transaction_id": ids.1,
                "parent_id": ids.1, "timestamp": at, "culprit": name, "exception": {"type": name, "message": name,
                "stacktrace": [{"filename": name, "function": name, "lineno": 1, "context_line": name}]}}}),
            json!({"log": {"@timestamp": at, "message": name, "log.level": "info", "trace.id": ids.0,
                "transaction.id": ids.1}}),
        ];
        for line in lines {
            body += &format!("{line}\n");
        }
    }
    let answer = server.intake(body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let errors = server.get("/api/v1/services/text/errors").await.json();
    let errors = errors["errors"].as_array().expect("errors");
    let mut paths: Vec<String> = [
        "/services",
        "/services/text",
        "/services/text/transactions",
        "/services/text/errors",
        "/services/text/dependencies",
        "/services/text/map",
        "/map",
        "/logs",
        "/services/text/logs",
        "/errors",
        "/traces",
        "/queries",
        "/discover",
        "/discover?group=transaction.name",
        "/discover?open=1",
        "/live",
        "/insights",
        "/alerts",
        "/dependencies",
        "/settings",
    ]
    .iter()
    .map(|path| (*path).to_owned())
    .collect();
    paths.extend(errors.iter().map(|error| {
        format!(
            "/services/text/errors/{}",
            error["key"].as_str().expect("a key")
        )
    }));
    for number in 1u64..=3 {
        let trace = format!("/traces/{number:032x}");
        paths.push(format!("{trace}?item={number:016x}"));
        paths.push(format!("{trace}?item={:016x}", 50 + number));
        paths.extend(
            ["statistics", "sql", "metadata", "logs", "errors", "json"]
                .map(|tab| format!("{trace}?tab={tab}")),
        );
    }
    let (mut isolated, mut shown) = (0, 0);
    for path in paths {
        let page = server.get(&path).await.text;
        // The values of fields are sent back as they are.
        let seen: String = page
            .split(" value=\"")
            .enumerate()
            .map(|(i, part)| match i {
                0 => part,
                _ => part.split_once('"').map_or("", |(_, rest)| rest),
            })
            .collect();
        let wrong: Vec<char> = seen.chars().filter(|c| acts(*c)).collect();
        assert!(wrong.is_empty(), "{path}: {wrong:?}");
        isolated += seen.matches(&format!("<bdi>{RTL}</bdi>")).count();
        shown += seen.matches("⟨RLO⟩").count();
        assert!(!seen.replace("\\u001b[31m", "").contains("[31m"), "{path}");
        // In text, no such letters stand without an isolate.
        let bare = seen.split(RTL).zip(seen.split(RTL).skip(1));
        for (before, _) in bare {
            // Text that follows in the same run is in the same isolate.
            let within = !before.contains(['<', '"', '\u{2069}']);
            assert!(
                within
                    || before.ends_with("<bdi>")
                    || before.ends_with('\u{2068}')
                    || before.ends_with("http://a/"),
                "{path}: {}",
                &before[before.len().saturating_sub(80)..]
            );
        }
    }
    assert!(isolated > 20 && shown > 20, "{isolated} {shown}");
    server.stop().await;
}
