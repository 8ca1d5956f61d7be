use serde_json::json;

use super::*;

fn request(number: u64, host: &str, failed: bool) -> Json {
    json!({
        "@timestamp": number,
        "trace": {"id": format!("{number}")},
        "host": {"name": host},
        "labels": {"zone": format!("zone of {host}"), "all": "same", "lists": [host, host]},
        "transaction": {"duration": {"us": number}},
        "event": {"outcome": if failed { "failure" } else { "success" }},
    })
}

#[test]
fn values_are_counted_in_and_outside_of_the_set_and_those_of_the_same_requests_once() {
    let mut counts = Counts::default();
    for number in 0..10 {
        let host = if number < 4 { "a" } else { "b" };
        counts.add(&request(number, host, number < 3), 99);
    }
    let found = counts.compare(&OUTCOMES, |request| request.failed);
    assert_eq!(found.selected, 3);
    let all: Vec<_> = found
        .values
        .iter()
        .map(|of| (&*of.field, &*of.value, of.inside, of.outside))
        .collect();
    assert_eq!(
        all,
        [("host.name", "a", 3, 1), ("host.name", "b", 0, 6)],
        "{found:?}"
    );
    assert_eq!(
        found.values[0].same,
        ["labels.lists: a", "labels.zone: zone of a"]
    );
    let slow = counts.compare(&[], |request| request.duration >= 9);
    assert_eq!(slow.selected, 1);
}

#[test]
fn memory_is_bounded_by_fields_values_and_requests() {
    let mut counts = Counts::default();
    for number in 0..MOST_VALUES as u64 + 50 {
        counts.add(&request(number, &format!("host {number}"), false), 1_020);
    }
    assert_eq!(counts.requests().count(), 1_020);
    assert_eq!(counts.beyond(), 30);
    let found = counts.compare(&[], |_| true);
    assert_eq!(found.varied, ["host.name", "labels.lists", "labels.zone"]);
    assert!(
        counts
            .values
            .iter()
            .all(|values| values.len() <= MOST_VALUES)
    );
    let mut many = Counts::default();
    let labels: serde_json::Map<String, Json> = (0..3_000)
        .map(|number| (format!("l{number}"), "x".repeat(300).into()))
        .collect();
    many.add(&json!({"labels": labels}), 9);
    assert_eq!(many.fields.len(), 0, "long values are not compared");
}
