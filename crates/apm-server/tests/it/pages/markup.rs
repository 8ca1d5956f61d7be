//! Text of senders that would be markup: it is shown as text on every page.
//!
//! `POCKET_APM_MARKUP_TEXTS` sets how many of the texts are tried (default 5, at most all).

use serde_json::{Value, json};

use crate::support::events::now;
use crate::support::server::TestServer;

const PAYLOADS: [&str; 27] = [
    "<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "\tjava\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "<iframe srcdoc=\"<script>alert(1)</script>\">",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<base href=\"//evil.example/\">",
    "<details open ontoggle=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "{{constructor.constructor('alert(1)')()}}${alert(1)}<%= 7*7 %>",
];

/// A trace, errors, metrics and a log line with one text in every field that takes any.
fn events(number: usize, text: &str, at: i64) -> String {
    let id = |kind: usize| format!("{kind:02x}{number:014x}");
    let trace = format!("{number:032x}");
    let labels = json!({ "k": text, text: text });
    let frames = json!([
        {"filename": text, "abs_path": text, "function": text, "module": text, "classname": text, "lineno": 3,
         "context_line": text, "pre_context": [text], "post_context": [text], "vars": {"v": text}},
        {"filename": text, "function": text, "lineno": 9, "library_frame": true},
    ]);
    let context = json!({
        "request": {"method": text, "body": text, "headers": {"Host": text, "user-agent": text}, "cookies": labels,
                    "url": {"full": text, "raw": text, "pathname": text, "hostname": text, "search": text}},
        "response": {"status_code": 500, "headers": {"h": text}},
        "user": {"id": text, "username": text, "email": text}, "tags": labels, "custom": {"c": {"d": text}},
        "page": {"url": text, "referer": text},
        "service": {"version": text, "framework": {"name": text, "version": text}, "node": {"configured_name": text}},
    });
    let of = json!({"trace_id": trace, "transaction_id": id(1), "parent_id": id(1)});
    let with = |base: &Value, more: Value| {
        let mut all = base.clone();
        let more = more.as_object().expect("an object").clone();
        all.as_object_mut().expect("an object").extend(more);
        all
    };
    let span = |kind: usize, more: Value| {
        let own = json!({"id": id(kind), "timestamp": at + 1000, "duration": 2, "name": text, "subtype": text,
                         "action": text,
                         "stacktrace": frames});
        json!({ "span": with(&with(&of, own), more) })
    };
    let thrown = json!({"message": text, "type": text, "module": text, "code": text, "stacktrace": frames,
                        "cause": [{"message": text, "type": text}]});
    let lines = [
        json!({"metadata": {
            "service": {"name": format!("payload {number}"), "version": text, "environment": text,
                        "agent": {"name": text, "version": text}, "language": {"name": text},
                        "runtime": {"name": text, "version": text}},
            "system": {"hostname": text, "platform": text, "container": {"id": text}},
            "process": {"pid": 1, "title": text, "argv": [text]}, "labels": labels, "user": {"username": text},
            "cloud": {"provider": text, "region": text},
        }}),
        json!({"transaction": {
            "id": id(1), "trace_id": trace, "timestamp": at, "duration": 40, "name": text, "type": text, "result": text,
            "outcome": "failure", "span_count": {"started": 2}, "context": context, "marks": {"m": {"n": 2.5}},
        }}),
        span(
            2,
            json!({"type": "db", "context": {
                "db": {"statement": format!("SELECT '{text}' FROM \"{text}\" -- {text}"), "type": "sql", "user": text,
                       "instance": text},
                "destination": {"address": text, "service": {"resource": text, "type": text, "name": text}},
                "tags": labels,
            }}),
        ),
        span(
            3,
            json!({"type": "external", "context": {
                "http": {"url": text, "method": text, "status_code": 500}, "tags": labels,
            }}),
        ),
        json!({ "error": with(&of, json!({
            "id": format!("{:032x}", number + 1000), "timestamp": at + 2000, "culprit": text,
            "exception": thrown, "context": context, "transaction": {"name": text, "type": text, "sampled": true}})) }),
        json!({ "error": with(&of, json!({
            "id": format!("{:032x}", number + 2000), "timestamp": at + 3000, "culprit": text,
            "log": {"message": text, "level": text, "logger_name": text, "param_message": text}})) }),
        json!({"metricset": {"timestamp": at, "samples": {"rows": {"value": 3, "unit": text}}, "tags": labels}}),
        json!({"log": {"@timestamp": at, "message": text, "log.level": text, "log.logger": text, "trace.id": trace,
                       "error.message": text, "error.stack_trace": text, "labels": {"l": text}}}),
    ];
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A tag: its name, and its attributes with their values.
type Tag<'a> = (&'a str, Vec<(&'a str, &'a str)>);

/// The tags of a page. A quotation mark or an angle bracket that is not where markup has
/// it is an error.
fn tags(page: &str) -> Result<Vec<Tag<'_>>, String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if rest.starts_with('!') || rest.starts_with('/') {
            continue;
        }
        let wrong = |rest: &str| rest.chars().take(120).collect::<String>();
        let end = rest.find([' ', '>', '/']).ok_or_else(|| wrong(rest))?;
        let name = &rest[..end];
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(wrong(rest));
        }
        rest = &rest[end..];
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start_matches([' ', '/', '\n']);
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            let end = rest.find(['=', ' ', '>']).ok_or_else(|| wrong(rest))?;
            let attribute = &rest[..end];
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-:".contains(&byte);
            if attribute.is_empty() || !attribute.bytes().all(is_name) {
                return Err(wrong(rest));
            }
            rest = &rest[end..];
            let mut value = "";
            if let Some(after) = rest.strip_prefix("=\"") {
                let end = after.find('"').ok_or_else(|| wrong(after))?;
                value = &after[..end];
                rest = &after[end + 1..];
            }
            attributes.push((attribute, value));
        }
        tags.push((name, attributes));
    }
    Ok(tags)
}

/// Parts of a page that could run or load something, or leave this server for something that runs.
fn dangers(page: &str) -> Result<(), String> {
    for (name, attributes) in tags(page)? {
        let all = format!("<{name} {attributes:?}>");
        let value = |wanted| {
            attributes
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| *value)
        };
        if matches!(
            name,
            "img"
                | "iframe"
                | "object"
                | "embed"
                | "base"
                | "style"
                | "math"
                | "frame"
                | "applet"
                | "plaintext"
        ) {
            return Err(all);
        }
        if name == "script" && !value("src").is_some_and(|from| from.starts_with("/assets/")) {
            return Err(all);
        }
        for (attribute, value) in &attributes {
            let plain: String = value
                .chars()
                .filter(|c| !c.is_control() && *c != ' ')
                .collect();
            let scheme = plain
                .split(':')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let is_address = matches!(
                *attribute,
                "href" | "src" | "action" | "formaction" | "xlink:href"
            );
            let runs = matches!(scheme.as_str(), "javascript" | "data" | "vbscript")
                && plain.contains(':');
            if attribute.starts_with("on")
                || *attribute == "srcdoc"
                || *attribute == "style"
                || is_address && runs
            {
                return Err(all);
            }
        }
    }
    Ok(())
}

#[test]
fn the_check_finds_what_it_looks_for() {
    for harmless in [
        "<a href=\"/x\">&lt;script&gt;</a>",
        "<input value=\"javascript:alert(1)\" disabled><br/>",
        "<script type=\"module\" src=\"/assets/v/app.js\"></script>",
    ] {
        assert_eq!(dangers(harmless), Ok(()), "{harmless}");
    }
    for payload in &PAYLOADS[..12] {
        assert!(
            dangers(&format!("<p title=\"a\">{payload}</p>")).is_err(),
            "{payload}"
        );
    }
    for payload in [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "\tjava\nscript:alert(1)",
        "data:text/html,x",
    ] {
        assert!(
            dangers(&format!("<a href=\"{payload}\">")).is_err(),
            "{payload}"
        );
    }
    assert!(dangers("<p title=\"\" onmouseover=\"alert(1)\">").is_err());
}

#[actix_web::test]
async fn no_text_of_a_sender_becomes_markup() {
    let server = TestServer::start();
    let at = now() - 60_000_000;
    let most =
        std::env::var("POCKET_APM_MARKUP_TEXTS").map_or(5, |most| most.parse().expect("a number"));
    let step = PAYLOADS.len().div_ceil(most);
    let texts = || PAYLOADS.iter().enumerate().step_by(step);
    for (number, text) in texts() {
        let sent = server.intake(events(number, text, at)).await;
        assert_eq!(sent.status, 202, "{text}: {sent:?}");
    }
    let encoded =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let html = [("Accept", "text/html")];
    let mut pages = 0;
    for (number, text) in texts() {
        let service = format!("/services/payload%20{number}");
        let (trace, name) = (format!("/traces/{number:032x}"), encoded(text));
        let errors = server.get(&format!("/api/v1{service}/errors")).await.json();
        let keys = errors["errors"].as_array().expect("errors").iter();
        let mut paths: Vec<String> = keys
            .filter_map(|error| error["key"].as_str())
            .flat_map(|key| {
                ["", "?tab=log", "?tab=metadata", "?tab=json"]
                    .map(|tab| format!("{service}/errors/{key}{tab}"))
            })
            .collect();
        assert!(paths.len() >= 4, "{text}: {errors}");
        for path in [
            "",
            "/transactions",
            "/errors",
            "/metrics",
            "/dependencies",
            "/map",
            "/logs",
        ] {
            paths.push(format!("{service}{path}"));
        }
        paths.push(format!(
            "{service}/transactions/view?type={name}&name={name}"
        ));
        for tab in [
            "flame",
            "statistics",
            "sql",
            "metadata",
            "logs",
            "errors",
            "json",
        ] {
            paths.push(format!("{trace}?tab={tab}"));
        }
        for kind in 1..=3 {
            paths.push(format!("{trace}?item={kind:02x}{number:014x}"));
        }
        let query = encoded(&format!("trace.id: {number:032x}"));
        for more in [
            "",
            "&open=1",
            "&open=1&as=json",
            "&group=transaction.name",
            "&field=transaction.name",
        ] {
            paths.push(format!("/discover?q={query}{more}"));
        }
        for path in ["/queries", "/insights", "/compare"] {
            paths.push(format!("{path}?env={name}"));
        }
        paths.push(format!("/services?q={name}&env={name}&from={name}"));
        paths.push(format!("/sql?sql={name}"));
        paths.push(format!(
            "/suggest?on=%2Fservices&text={}{name}",
            encoded("service.environment: ")
        ));
        let mut shown = 0;
        for path in paths {
            let page = server.send("GET", &path, &html, "").await;
            assert!(page.status < 500, "{path}: {page:?}");
            assert_eq!(dangers(&page.text), Ok(()), "{text} at {path}");
            // It is not merely gone.
            let written = text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;");
            shown += usize::from(page.text.contains(&written));
            pages += 1;
        }
        assert!(
            shown >= 5 || text.contains('\n'),
            "{text}: on {shown} pages"
        );
    }
    assert!(pages > 25 * texts().count(), "{pages}");
    server.stop().await;
}
