//! The pages over the wire: what they weigh, what they take and give, what arrives while one is open.

mod big;
mod clocks;
mod data;
mod filtered;
mod live;
mod markup;
mod names;
mod pasted;
mod text;
mod weight;

/// Metadata of a service.
fn metadata(service: &str) -> String {
    format!(
        r#"{{"metadata":{{"service":{{"name":"{service}","environment":"test","agent":{{"name":"rust","version":"1"}}}}}}}}"#
    )
}

/// A transaction at a time in µs.
fn transaction(number: u64, name: &str, at: i64) -> String {
    format!(
        r#"{{"transaction":{{"id":"{number:016x}","trace_id":"{number:032x}","name":"{name}","type":"request","duration":12.345,"timestamp":{at},"result":"HTTP 2xx","outcome":"success","span_count":{{"started":2,"dropped":1}},"context":{{"request":{{"method":"GET","url":{{"full":"http://a/b"}},"headers":{{"Host":"a"}}}},"tags":{{"k":"v"}}}}}}}}"#
    )
}
