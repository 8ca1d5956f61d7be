//! Lines of browsers in the third version of their intake: short names, and spans within their transaction.
//!
//! A line is written out as lines of the second version, whose rules it then has to keep: one for the transaction, and
//! one for each of its spans and metricsets.

mod names;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use self::names::{GROUPS, MOMENTS, Names, Within};
use super::canonical;
use super::decode::{check_depth, first_quoted, text};
use crate::refused::{Reason, Refused};

/// Most bytes that a line may have once it is written out: each span repeats the ids of its transaction.
const LONGEST: usize = 2 << 20;

/// Whether a line is the metadata of a browser in the third version.
pub(crate) fn is_metadata(line: &[u8]) -> bool {
    first_quoted(&text(line)) == Some("m")
}

/// The metadata line written out; `None`: it is one of the second version.
///
/// # Errors
/// It is no JSON.
pub(crate) fn metadata(line: &[u8]) -> Result<Option<String>, Refused> {
    let line = text(line);
    if first_quoted(&line) != Some("m") {
        return Ok(None);
    }
    let sent = member(&line, "m")?;
    let metadata = json!({ "metadata": long(sent, &names::METADATA) });
    Ok(Some(metadata.to_string()))
}

/// The lines of a line of events. `None`: it is one of the second version.
///
/// # Errors
/// It is no JSON, or too long once it is written out.
pub(crate) fn events(line: &[u8]) -> Result<Option<Vec<String>>, Refused> {
    let line = text(line);
    let lines = match first_quoted(&line) {
        Some("x") => transaction(member(&line, "x")?),
        Some("e") => {
            let error = long(member(&line, "e")?, &names::ERROR);
            vec![json!({ "error": error }).to_string()]
        }
        _ => return Ok(None),
    };
    match lines.iter().map(String::len).sum::<usize>() <= LONGEST {
        true => Ok(Some(lines)),
        false => Err(Refused {
            reason: Reason::Oversized,
            message: "event exceeded the permitted size.".to_owned(),
        }),
    }
}

/// Reads the one member of a line. A line without it gives null, which the rules of the second version refuse.
fn member(line: &str, name: &'static str) -> Result<Value, Refused> {
    check_depth(line, name)?;
    let read = |line: &str| {
        let mut values = serde_json::Deserializer::from_str(line).into_iter::<Value>();
        values.next().unwrap_or(Ok(Value::Null))
    };
    let value = match read(line) {
        Ok(value) => Ok(value),
        // Halves of characters, which browsers send where a text was cut.
        Err(error) => match canonical::mended(line) {
            Some(line) => read(&line),
            None => Err(error),
        },
    };
    let mut value = value.map_err(|error| {
        let at = format!("v3.{name}Root");
        Refused::malformed(&at, &error.to_string())
    })?;
    Ok(value.get_mut(name).map(Value::take).unwrap_or_default())
}

/// A transaction, its spans and its metricsets, a line each.
fn transaction(mut sent: Value) -> Vec<String> {
    let mut apart = |name: &str| match sent.get_mut(name).map(Value::take) {
        Some(Value::Array(elements)) => elements,
        _ => Vec::new(),
    };
    let (spans, metricsets) = (apart("y"), apart("me"));
    let transaction = long(sent, &names::TRANSACTION);
    let ids: Vec<_> = spans.iter().map(|span| span["id"].clone()).collect();
    let (id, trace) = (transaction["id"].clone(), transaction["trace_id"].clone());
    let named = json!({ "name": transaction["name"], "type": transaction["type"] });
    let rate = transaction["sample_rate"].clone();
    let mut lines = vec![json!({ "transaction": transaction }).to_string()];
    lines.extend(spans.into_iter().map(|sent| {
        // `pi` is the parent's place among the spans; spans without it belong to the transaction itself.
        let parent = sent["pi"]
            .as_u64()
            .and_then(|index| usize::try_from(index).ok());
        let parent = parent.and_then(|index| ids.get(index)).unwrap_or(&id);
        let parent = parent.clone();
        let mut span = long(sent, &names::SPAN);
        if let Value::Object(members) = &mut span {
            members.insert("transaction_id".to_owned(), id.clone());
            members.insert("trace_id".to_owned(), trace.clone());
            members.insert("parent_id".to_owned(), parent);
            // Browsers send the rate with the transaction, and it holds for its spans.
            if !rate.is_null() {
                members.entry("sample_rate").or_insert_with(|| rate.clone());
            }
        }
        json!({ "span": span }).to_string()
    }));
    lines.extend(metricsets.into_iter().filter_map(|sent| {
        let mut metricset = long(sent, &names::METRICSET);
        let samples = metricset["samples"].as_object();
        if samples.is_none_or(Map::is_empty) {
            return None;
        }
        metricset["transaction"] = named.clone();
        Some(json!({ "metricset": metricset }).to_string())
    }));
    lines
}

/// A value with long names. Fields without a long name are left out, and so is null.
fn long(sent: Value, names: &Names) -> Value {
    match sent {
        Value::Array(elements) => {
            let written = elements.into_iter().map(|element| long(element, names));
            written.collect()
        }
        Value::Object(members) => {
            let mut written = Map::new();
            for (short, value) in members {
                let known = names.0.iter().find(|(name, ..)| *name == short);
                let Some((_, name, within)) = known.filter(|_| !value.is_null()) else {
                    continue;
                };
                let value = match within {
                    Within::Value => value,
                    Within::Short(names) => long(value, names),
                    Within::Marks => marks(value),
                    Within::Apart => continue,
                };
                written.insert((*name).to_owned(), value);
            }
            written.into()
        }
        // Of a wrong type: the rules say so.
        other => other,
    }
}

/// Marks with the names that the browser's own interfaces have. Others stay as they are.
fn marks(sent: Value) -> Value {
    let Value::Object(groups) = sent else {
        return sent;
    };
    let named = |name: String, known: &[(&str, &str)]| {
        let long = known.iter().find(|(short, _)| *short == name);
        long.map_or(name, |(_, long)| (*long).to_owned())
    };
    let written = groups.into_iter().filter(|(_, moments)| !moments.is_null());
    let written = written.map(|(group, moments)| {
        let moments = match moments {
            Value::Object(moments) => {
                let told = moments.into_iter().filter(|(_, moment)| !moment.is_null());
                let told = told.map(|(name, moment)| (named(name, &MOMENTS), moment));
                told.collect()
            }
            other => other,
        };
        (named(group, &GROUPS), moments)
    });
    written.collect()
}
