//! Writes `docs/configuration.md` from the table, and keeps it current.

use std::fmt::Write;
use std::path::Path;

use super::options::OPTIONS;

const PREFACE: &str = "\
# Configuration of the agent

<!-- Generated from crates/apm-agent/src/config/options.rs by `UPDATE_DOCS=1 cargo test -p apm-agent configuration`. -->

Every option can be set by an environment variable, in code by the builder's method of its name
(`Agent::builder().api_request_time(Duration::from_secs(1))`), and in a file (`config_file`). Options marked *live* can
also be changed by the server's central configuration while the service runs. The strongest source that holds a valid
value wins: central configuration, environment, code, file, default. An invalid value is reported in the log and
skipped; it never stops the service.

Durations and sizes need their unit: `500ms`, `10s`, `1m`; `768kb`, `1mb` (1 kb is 1024 bytes). Lists are separated by
commas. In a wildcard pattern `*` stands for any run of characters; case is ignored unless the pattern begins with
`(?-i)`.
";

/// Options that readers of Elastic's documentation may look for.
const MISSING: &str = "
## Options of other agents that this one does not have

| | |
|---|---|
| `agent_background_overhead_metrics` | The agent has one thread, named `apm-agent`: the system shows what it costs. |
| `baggage_to_attach` | `baggage` headers are neither read nor made; those of the service pass untouched. |
| `collect_local_variables`, `local_var_…` | A Rust program does not know the values of its variables when it runs. |
| `custom_metrics_histogram_boundaries` | There are gauges and counters, and no histograms. |
| `log_file`, `log_file_size` | The agent logs through the `log` crate, to wherever the service's logger writes. |
| `metrics_buffer_size` | Metrics wait beside the other events in `api_buffer_size`; what does not fit is counted. |
| `opentelemetry_bridge_enabled` | The feature `tracing` takes spans from code of others. |
| `transactions_ignore_patterns` | `transaction_ignore_urls` decides before, `CurrentTransaction::discard` after. |
| `use_elastic_traceparent_header` | W3C's `traceparent` is sent and read, and nothing else. |

`HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are honoured, unless every server is on this machine.
";

/// The text as code, in lines that are not too long.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::from("`")];
    for word in text.split_inclusive(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.len() <= 100 => line.push_str(word),
            _ => lines.push(word.to_owned()),
        }
    }
    let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n") + "`"
}

fn page() -> String {
    let mut page = PREFACE.to_owned();
    let mut group = "";
    for option in OPTIONS {
        if option.group != group {
            group = option.group;
            let _ = write!(page, "\n## {group}\n");
        }
        let doc: Vec<&str> = option.doc.iter().map(|line| line.trim()).collect();
        let default = if option.default.is_empty() {
            "none".to_owned()
        } else {
            wrapped(option.default)
        };
        let live = if option.dynamic { " · live" } else { "" };
        let mut facts = format!(
            "`ELASTIC_APM_{env}` · {kind} · default {default}{live}",
            env = option.key.to_ascii_uppercase(),
            kind = option.kind,
        );
        if facts.lines().any(|line| line.chars().count() > 120) {
            facts = facts.replacen(" · default ", " ·\ndefault ", 1);
        }
        let (key, doc) = (option.key, doc.join("\n"));
        let _ = write!(page, "\n### `{key}`\n\n{doc}\n\n{facts}\n");
    }
    page.push_str(MISSING);
    page
}

#[test]
fn the_configuration_page_is_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/configuration.md is not what the table says; run: UPDATE_DOCS=1 cargo test -p apm-agent configuration"
    );
}
