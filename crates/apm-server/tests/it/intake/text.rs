//! Lines whose bytes are not quite JSON.

use apm_server::event::Batch;
use apm_server::import::batches;

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;
const TRANSACTION: &str = r#"{"transaction":{"id":"1","trace_id":"2","type":"request","duration":1,"span_count":{"started":0}}}"#;

fn read(metadata: &str, line: &str) -> Batch {
    let mut batches = batches([metadata, line, ""].join("\n").as_bytes());
    batches.pop().unwrap_or_else(|| panic!("{line} is refused"))
}

#[test]
fn brackets_after_the_value_are_ignored() {
    let brackets = "[".repeat(200);
    read(METADATA, &(TRANSACTION.to_owned() + &brackets));
    read(&(METADATA.to_owned() + &brackets), TRANSACTION);
}
