//! In which data stream Elastic would keep a document.

use super::fields::Fields;
use super::metrics::is_known;
use crate::event::Kind;
use crate::json::Json;

/// Bytes that the name of a dataset may have.
const LONGEST: usize = 100;

/// Sets `data_stream.*`, and `event.dataset` where it follows from it.
pub(super) fn data_stream(out: &mut Fields<'_>, kind: Kind, rest: &Json<'_>, namespace: &str) {
    let (stream, dataset) = match kind {
        Kind::Transaction | Kind::Span => {
            let is_rum = matches!(out.text("agent.name"), "rum-js" | "js-base" | "iOS/swift");
            ("traces", if is_rum { "apm.rum" } else { "apm" }.to_owned())
        }
        Kind::Error => ("logs", "apm.error".to_owned()),
        Kind::Log if out.get("error").is_some() => ("logs", "apm.error".to_owned()),
        Kind::Log => ("logs", app(out)),
        Kind::Metricset => {
            let names = rest["samples"].as_object();
            let is_internal = rest["transaction"].is_object()
                || rest["span"].is_object()
                || names.is_some_and(|names| names.keys().all(|name| is_known(name)));
            (
                "metrics",
                if is_internal {
                    "apm.internal".to_owned()
                } else {
                    app(out)
                },
            )
        }
    };
    if stream == "logs" && out.text("event.dataset").is_empty() {
        out.set("event.dataset", dataset.clone());
    }
    out.set("data_stream.type", stream);
    out.set("data_stream.dataset", dataset);
    out.set("data_stream.namespace", namespace.to_owned());
}

fn app(out: &Fields<'_>) -> String {
    let service = match out.text("service.name") {
        "" => "unknown",
        service => service,
    };
    // Engines refuse a name with a capital letter of any script. A log line names its service in any signs.
    let legal = |c: char| match c {
        '\\' | '/' | '*' | '?' | '"' | '<' | '>' | '|' | ' ' | ',' | '#' | ':' | '-' => '_',
        c => c,
    };
    let small = service.chars().map(legal).flat_map(char::to_lowercase);
    let mut dataset: String = "apm.app.".chars().chain(small).collect();
    dataset.truncate(dataset.floor_char_boundary(LONGEST));
    dataset
}
