//! Queries of the kinds that are asked, over documents.

use serde_json::Value;

/// A field of a document, named by its path.
pub(super) fn value<'v>(source: &'v Value, field: &str) -> &'v Value {
    field.split('.').fold(source, |value, name| &value[name])
}

/// A number; of a time, milliseconds since the epoch.
pub(super) fn number(source: &Value, field: &str) -> Option<f64> {
    match value(source, field) {
        Value::String(text) if field == "@timestamp" => {
            let micros = apm_time::parse("@timestamp", text, 0, apm_time::Round::Down);
            Some((micros.expect("a time") / 1000) as f64)
        }
        // Digits in a text are a number for an index that has numbers.
        Value::String(text) => text.parse().ok(),
        value => value.as_f64(),
    }
}

/// Whether a document passes a query of the kinds that are asked.
pub(super) fn matches(query: &Value, source: &Value) -> bool {
    let Some((kind, rest)) = query.as_object().and_then(|query| query.iter().next()) else {
        return true;
    };
    let all = |list: &Value, each: &dyn Fn(&Value) -> bool| match list {
        Value::Array(list) => list.iter().all(each),
        Value::Null => true,
        one => each(one),
    };
    match kind.as_str() {
        "match_all" => true,
        "bool" => {
            let any = rest["should"].as_array();
            all(&rest["filter"], &|query| matches(query, source))
                && all(&rest["must_not"], &|query| !matches(query, source))
                && any.is_none_or(|any| any.iter().any(|query| matches(query, source)))
        }
        "term" => {
            let (field, wanted) = rest
                .as_object()
                .and_then(|term| term.iter().next())
                .expect("a term");
            let wanted = if wanted.is_object() {
                &wanted["value"]
            } else {
                wanted
            };
            value(source, field) == wanted
        }
        "terms" => {
            let (field, wanted) = rest
                .as_object()
                .and_then(|term| term.iter().next())
                .expect("terms");
            wanted
                .as_array()
                .expect("terms")
                .contains(value(source, field))
        }
        // Left out by their names, which a document does not have.
        "ids" => false,
        "exists" => !value(source, rest["field"].as_str().expect("a field")).is_null(),
        "range" => {
            let (field, bounds) = rest
                .as_object()
                .and_then(|range| range.iter().next())
                .expect("a range");
            let Some(number) = number(source, field) else {
                return false;
            };
            bounds
                .as_object()
                .expect("bounds")
                .iter()
                .all(|(name, bound)| {
                    let bound = bound.as_f64().unwrap_or_default();
                    match name.as_str() {
                        "gt" => number > bound,
                        "gte" => number >= bound,
                        "lt" => number < bound,
                        "lte" => number <= bound,
                        _ => true,
                    }
                })
        }
        other => panic!("a query of a kind that is not known here: {other}"),
    }
}
