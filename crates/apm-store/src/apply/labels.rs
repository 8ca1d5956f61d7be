//! Labels whose names are beyond the limit. They are no fields, but texts in the event's document:
//! `"overflow": {"labels": ["key=value"]}`.

use std::collections::{BTreeMap, HashSet};

use serde_json::value::{RawValue, to_raw_value};

/// The members of an object, with their values as they stand.
type Members = BTreeMap<String, Box<RawValue>>;

/// The places of an event's labels: of transactions, spans and errors, of metricsets, of log lines.
const PLACES: [&[&str]; 3] = [&["context", "tags"], &["tags"], &["labels"]];

/// The document of an event without the labels of these names, and these as texts; nothing where it has none of them.
pub(super) fn take_out(document: &str, names: &HashSet<&str>) -> Option<(String, Vec<String>)> {
    if names.is_empty() {
        return None;
    }
    let mut event: Members = serde_json::from_str(document).ok()?;
    let mut taken = Vec::new();
    for place in PLACES {
        take_at(&mut event, place, names, &mut taken);
    }
    if taken.is_empty() {
        return None;
    }
    let document = serde_json::to_string(&event).ok()?;
    Some((document, taken))
}

fn take_at(object: &mut Members, place: &[&str], names: &HashSet<&str>, taken: &mut Vec<String>) {
    let Some((first, rest)) = place.split_first() else {
        object.retain(|name, value| {
            let is_kept = !names.contains(name.as_str());
            if !is_kept {
                taken.push(format!("{name}={}", text(value)));
            }
            is_kept
        });
        return;
    };
    let Some(value) = object.get_mut(*first) else {
        return;
    };
    let Ok(mut inner) = serde_json::from_str::<Members>(value.get()) else {
        return;
    };
    let before = taken.len();
    take_at(&mut inner, rest, names, taken);
    // An object of which nothing was taken keeps its bytes as they were sent.
    if taken.len() > before
        && let Ok(without) = to_raw_value(&inner)
    {
        *value = without;
    }
}

/// A value as people see it.
fn text(value: &RawValue) -> String {
    let text = serde_json::from_str::<String>(value.get());
    text.unwrap_or_else(|_| value.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_taken_out_and_the_rest_stays_as_it_was() {
        let names = HashSet::from(["a", "c"]);
        for (document, want) in [
            (
                r#"{"context":{"tags":{"a":"x\"","b":1e2,"c":true},"z":1.50},"y":12345678901234567890123}"#,
                Some((
                    r#"{"context":{"tags":{"b":1e2},"z":1.50},"y":12345678901234567890123}"#,
                    vec!["a=x\"", "c=true"],
                )),
            ),
            (r#"{"tags":{"a":7}}"#, Some((r#"{"tags":{}}"#, vec!["a=7"]))),
            (
                r#"{"labels":{"b":"","c":""},"message":"a"}"#,
                Some((r#"{"labels":{"b":""},"message":"a"}"#, vec!["c="])),
            ),
            (r#"{"context":{"tags":{"b":1}},"a":1}"#, None),
            (r#"{"context":null,"tags":[1],"labels":"a"}"#, None),
            ("", None),
        ] {
            let found = take_out(document, &names);
            let found = found.as_ref().map(|(document, taken)| {
                (
                    document.as_str(),
                    taken.iter().map(String::as_str).collect(),
                )
            });
            assert_eq!(found, want, "{document}");
        }
    }
}
