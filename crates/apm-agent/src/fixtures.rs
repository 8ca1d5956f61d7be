//! Data that other projects published, read by tests; where it is missing, a test says so.

use serde::de::DeserializeOwned;

/// The text of `fixtures/agent/<name>` of the shared data, or `None` after a line that says what was skipped.
pub(crate) fn text(name: &str) -> Option<String> {
    let path = test_support::shared(&format!("agent/{name}"))?;
    Some(std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// The same, parsed; lines that begin with `//` are no part of the JSON.
pub(crate) fn json<T: DeserializeOwned>(name: &str) -> Option<T> {
    let text = text(name)?;
    let json: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    Some(serde_json::from_str(&json).unwrap_or_else(|error| panic!("{name}: {error}")))
}
