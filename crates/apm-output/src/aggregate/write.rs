//! Documents of counts.

use std::io::Write;

use apm_time::{SECOND, rfc3339_millis};

use super::count::Count;
use super::histogram::whole;
use super::key::{Key, Metric};

/// The dataset and the JSON of what is counted by a key; none where it comes to nothing.
pub(super) fn document(
    key: &Key,
    count: &Count,
    width: i64,
    namespace: &str,
    observer: &[u8],
) -> Option<(String, Vec<u8>)> {
    let (name, interval) = (key.metric.as_str(), format!("{}m", width / 60));
    let dataset = format!("apm.{name}.{interval}");
    let time = rfc3339_millis(key.bucket * SECOND);
    let mut out = Vec::with_capacity(1024);
    add(&mut out, &format!("{{\"@timestamp\":\"{time}\","));
    match key.metric {
        Metric::Transaction | Metric::ServiceTransaction => transactions(&mut out, key, count)?,
        Metric::Destination => responses(&mut out, key, count)?,
        Metric::Summary => add(&mut out, "\"event\":{},"),
    }
    out.extend_from_slice(&key.shared);
    add(
        &mut out,
        &format!(
            ",\"data_stream\":{{\"dataset\":\"{dataset}\",\"namespace\":\"{namespace}\",\"type\":\"metrics\"}},\
             \"metricset\":{{\"interval\":\"{interval}\",\"name\":\"{name}\"}},\
             \"processor\":{{\"event\":\"metric\"}},\"observer\":"
        ),
    );
    out.extend_from_slice(observer);
    out.push(b'}');
    Some((dataset, out))
}

fn transactions(out: &mut Vec<u8>, key: &Key, count: &Count) -> Option<()> {
    let (mut values, mut counts) = (Vec::new(), Vec::new());
    let (mut sum, mut n) = (0_u64, 0_u64);
    for (duration, count) in count.durations.counts() {
        let comma = if values.is_empty() { "" } else { "," };
        let _ = write!(values, "{comma}{duration}");
        let _ = write!(counts, "{comma}{count}");
        sum = sum.saturating_add(duration.saturating_mul(count));
        n += count;
    }
    if n == 0 {
        return None;
    }
    add(out, &format!("\"_doc_count\":{n},\"event\":{{"));
    let outcomes = whole(count.outcomes);
    if !key.outcome.is_empty() {
        add(out, "\"outcome\":");
        out.extend_from_slice(&key.outcome);
        if outcomes > 0 {
            out.push(b',');
        }
    }
    if outcomes > 0 {
        let successes = whole(count.successes);
        add(
            out,
            &format!("\"success_count\":{{\"sum\":{successes},\"value_count\":{outcomes}}}"),
        );
    }
    add(out, "},\"transaction\":{");
    out.extend_from_slice(&key.own);
    if !key.own.is_empty() {
        out.push(b',');
    }
    add(out, "\"duration.histogram\":{\"counts\":[");
    out.extend_from_slice(&counts);
    add(out, "],\"values\":[");
    out.extend_from_slice(&values);
    add(
        out,
        &format!("]}},\"duration.summary\":{{\"sum\":{sum},\"value_count\":{n}}}}},"),
    );
    Some(())
}

fn responses(out: &mut Vec<u8>, key: &Key, count: &Count) -> Option<()> {
    let (n, sum) = (whole(count.responses), whole(count.response_time));
    if n == 0 {
        return None;
    }
    add(out, &format!("\"_doc_count\":{n},\"event\":{{\"outcome\":"));
    out.extend_from_slice(&key.outcome);
    add(out, "},\"span\":{\"destination\":{\"service\":{");
    if !key.resource.is_empty() {
        add(out, "\"resource\":");
        out.extend_from_slice(&key.resource);
        out.push(b',');
    }
    add(
        out,
        &format!("\"response_time\":{{\"count\":{n},\"sum.us\":{sum}}}}}}}"),
    );
    if !key.own.is_empty() {
        add(out, ",\"name\":");
        out.extend_from_slice(&key.own);
    }
    add(out, "},");
    Some(())
}

fn add(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
