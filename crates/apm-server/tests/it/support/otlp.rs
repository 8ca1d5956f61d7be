//! Bodies of OTLP, made by hand.

use std::time::{SystemTime, UNIX_EPOCH};

/// A field of a message: its number, and its bytes.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = value.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(value);
    bytes
}

fn fixed64(number: u8, value: u64) -> Vec<u8> {
    [&[number << 3 | 1][..], &value.to_le_bytes()].concat()
}

fn attribute(name: &str, value: &str) -> Vec<u8> {
    let value = field(1, value.as_bytes());
    [field(1, name.as_bytes()), field(2, &value)].concat()
}

/// A resource with a name, as the first field of a message.
fn resource(service: &str) -> Vec<u8> {
    field(1, &field(1, &attribute("service.name", service)))
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(now.expect("after 1970").as_nanos()).expect("before 2554")
}

/// A span. `kind`: 2 is a server, 3 a client.
pub(crate) struct Span {
    pub(crate) trace: u128,
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) kind: u8,
    pub(crate) name: &'static str,
    pub(crate) attributes: &'static [(&'static str, &'static str)],
}

impl Span {
    /// The first span of a trace.
    pub(crate) fn root(trace: u128, name: &'static str) -> Self {
        Self {
            trace,
            id: trace as u64,
            parent: 0,
            kind: 2,
            name,
            attributes: &[],
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = field(1, &self.trace.to_be_bytes());
        bytes.extend(field(2, &self.id.to_be_bytes()));
        if self.parent != 0 {
            bytes.extend(field(4, &self.parent.to_be_bytes()));
        }
        bytes.extend(field(5, self.name.as_bytes()));
        bytes.extend([6 << 3, self.kind]);
        bytes.extend(fixed64(7, now() - 2_000_000));
        bytes.extend(fixed64(8, now()));
        for (name, value) in self.attributes {
            bytes.extend(field(9, &attribute(name, value)));
        }
        bytes
    }
}

/// A request to store spans of a service.
pub(crate) fn traces(service: &str, spans: &[Span]) -> Vec<u8> {
    let spans: Vec<u8> = spans
        .iter()
        .flat_map(|span| field(2, &span.encode()))
        .collect();
    field(1, &[resource(service), field(2, &spans)].concat())
}

/// A request to store a log record of a service.
pub(crate) fn log(service: &str, text: &str) -> Vec<u8> {
    let body = field(5, &field(1, text.as_bytes()));
    let record = [fixed64(1, now()), body].concat();
    field(
        1,
        &[resource(service), field(2, &field(2, &record))].concat(),
    )
}

/// A request to store a gauge of a service.
pub(crate) fn gauge(service: &str, name: &str, value: f64) -> Vec<u8> {
    let point = [fixed64(3, now()), fixed64(4, value.to_bits())].concat();
    let gauge = field(5, &field(1, &point));
    let metric = [field(1, name.as_bytes()), gauge].concat();
    field(
        1,
        &[resource(service), field(2, &field(2, &metric))].concat(),
    )
}
