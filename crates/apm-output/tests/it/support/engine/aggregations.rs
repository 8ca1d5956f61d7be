//! Aggregations of the kinds that are asked, over documents.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::query::{matches, number, value};

/// The answer to the aggregations of a question.
pub(super) fn aggregations(question: &Value, sources: &[&Value]) -> Value {
    let numbers = sources
        .iter()
        .filter_map(|source| source["number"].as_i64());
    let (first, last) = (numbers.clone().min(), numbers.max());
    let mut answer = json!({"first": {"value": first}, "last": {"value": last}});
    let asked = &question["aggs"];
    if let Some(field) = asked["traces"]["cardinality"]["field"].as_str() {
        let different: BTreeSet<String> = sources
            .iter()
            .map(|source| value(source, field).to_string())
            .collect();
        answer["traces"]["value"] = different.len().into();
    }
    if asked["durations"].is_object() {
        answer["durations"]["buckets"] = durations(&asked["durations"], sources);
    }
    if asked["times"].is_object() {
        answer["times"]["buckets"] = times(&asked["times"], sources);
    }
    if let Some(field) = asked["values"]["terms"]["field"].as_str() {
        let size = asked["values"]["terms"]["size"].as_u64().expect("a size");
        let (with, without): (Vec<&Value>, Vec<&Value>) = sources
            .iter()
            .partition(|source| !value(source, field).is_null());
        let mut groups = BTreeMap::<String, Vec<&Value>>::new();
        for source in with {
            let key = value(source, field).to_string();
            groups.entry(key).or_default().push(source);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, sources)| std::cmp::Reverse(sources.len()));
        let rest = groups.split_off(groups.len().min(size as usize));
        let rest: usize = rest.iter().map(|(_, sources)| sources.len()).sum();
        let buckets = groups.into_iter().map(|(key, sources)| {
            let mut bucket = stats(&asked["values"]["aggs"], &sources);
            bucket["key"] = serde_json::from_str(&key).expect("JSON");
            bucket
        });
        answer["values"] =
            json!({"buckets": buckets.collect::<Vec<_>>(), "sum_other_doc_count": rest});
        answer["none"] = stats(&asked["none"]["aggs"], &without);
    }
    answer
}

/// Ranges of a number, by another number.
fn durations(asked: &Value, sources: &[&Value]) -> Value {
    let field = asked["range"]["field"].as_str().expect("a field");
    let histogram = &asked["aggs"]["times"]["histogram"];
    let by = histogram["field"].as_str().expect("a field");
    let width = histogram["interval"].as_f64().expect("an interval");
    let offset = histogram["offset"].as_f64().expect("an offset");
    let ranges = asked["range"]["ranges"].as_array().expect("ranges").iter();
    let rows = ranges.map(|range| {
        let (from, to) = (range["from"].as_f64(), range["to"].as_f64());
        let mut times = BTreeMap::<i64, (u64, u64)>::new();
        for source in sources {
            let number_of = |field| number(source, field);
            let is_in = number_of(field).is_some_and(|number| {
                from.is_none_or(|from| number >= from) && to.is_none_or(|to| number < to)
            });
            if let Some(time) = number_of(by).filter(|_| is_in) {
                let place = ((time - offset) / width).floor() as i64;
                let cell = times.entry(place).or_default();
                cell.0 += 1;
                let filter = &asked["aggs"]["times"]["aggs"]["failed"]["filter"];
                cell.1 += u64::from(matches(filter, source));
            }
        }
        let buckets = times.into_iter().map(|(place, (count, failed))| {
            json!({"key": place as f64 * width + offset, "doc_count": count, "failed": {"doc_count": failed}})
        });
        json!({"from": from, "to": to, "times": {"buckets": buckets.collect::<Vec<_>>()}})
    });
    rows.collect()
}

/// The number of some documents, and of numbers in them.
fn stats(asked: &Value, sources: &[&Value]) -> Value {
    let mut answer = json!({"doc_count": sources.len()});
    for (name, asked) in asked.as_object().into_iter().flatten() {
        let field = asked["stats"]["field"].as_str().expect("a field");
        let numbers: Vec<f64> = sources
            .iter()
            .filter_map(|source| number(source, field))
            .collect();
        let max = numbers.iter().copied().reduce(f64::max);
        answer[name] =
            json!({"count": numbers.len(), "sum": numbers.iter().sum::<f64>(), "max": max});
    }
    answer
}

/// Buckets of time, by the values of a field where one is named.
fn times(asked: &Value, sources: &[&Value]) -> Value {
    let interval = asked["date_histogram"]["fixed_interval"]
        .as_str()
        .expect("an interval");
    let interval: i64 = interval.trim_end_matches('s').parse().expect("seconds");
    let width = interval * 1000;
    let by = asked["aggs"]["values"]["terms"]["field"].as_str();
    let mut buckets = BTreeMap::<i64, (u64, BTreeMap<String, u64>)>::new();
    for source in sources {
        let Some(time) = number(source, "@timestamp") else {
            continue;
        };
        let (count, values) = buckets.entry(time as i64 / width * width).or_default();
        *count += 1;
        if let Some(field) = by {
            let value = value(source, field).as_str().unwrap_or_default();
            *values.entry(value.to_owned()).or_default() += 1;
        }
    }
    let buckets = buckets.into_iter().map(|(key, (count, values))| {
        let values = values.iter();
        let values = values.map(|(key, count)| json!({"key": key, "doc_count": count}));
        json!({"key": key, "doc_count": count, "values": {"buckets": values.collect::<Vec<_>>()}})
    });
    buckets.collect()
}
