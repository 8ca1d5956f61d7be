//! OpenTelemetry's protocol: one body, many items, each of which becomes an event.
//!
//! `protobuf` and `json` read a body item by item into the structures of `model`, and hand each on to a `sink`.
//! `translate` is that sink: by the names of `conventions` it makes events of them as Elastic's server would. A field
//! that no column holds is written in the shape of intake v2, and under `ecs` where that has no place for it, so that
//! documents, queries and rollups know one form only.
//!
//! Memory is bounded by the body: it is never held as a whole in another form, and an item has a limit of its own.

mod bounds;
mod id;
mod json;
mod lenient;
mod malformed;
mod model;
mod protobuf;
mod sink;
mod translate;

use std::borrow::Cow;

use apm_store::event::Batch;

use crate::elastic::mended;
pub use malformed::Malformed;
use translate::Translator;

/// The kind of telemetry in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Points of metrics.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// The name of one of its items, for messages.
    fn item(self) -> &'static str {
        match self {
            Self::Traces => "span",
            Self::Metrics => "metric",
            Self::Logs => "log record",
        }
    }
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The wire format of Protocol Buffers.
    Protobuf,
    /// The same messages as JSON.
    Json,
}

/// The events of a body.
#[derive(Debug)]
pub struct Export {
    /// The events, by resource; none is empty.
    pub batches: Vec<Batch>,
    /// Items of which no event was made: spans, data points or log records.
    pub rejected: u64,
    /// Why the first of them was not, and which it is.
    pub reason: Option<String>,
}

/// Decodes the body of an export request. `received`: when it came, µs since the epoch.
///
/// # Errors
/// The body is not what its encoding says. Nothing of it is to be stored.
pub fn decode(
    signal: Signal,
    encoding: Encoding,
    body: &[u8],
    received: i64,
) -> Result<Export, Malformed> {
    let new = || Translator::new(signal, received, bounds::memory(body.len()));
    let mut translator = new();
    match encoding {
        Encoding::Protobuf => protobuf::read(signal, body, &mut translator)?,
        Encoding::Json => {
            let text = text(body);
            if let Err(error) = json::read(signal, &text, &mut translator) {
                // Clients in JavaScript may cut a character in two. The body is read again from its start.
                let mended = mended(&text).ok_or(error)?;
                translator = new();
                json::read(signal, &mended, &mut translator)?;
            }
        }
    }
    Ok(translator.finish())
}

/// A body as text. Bytes that are no UTF-8 are replaced.
fn text(body: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

/// The beginning of a name, for a message.
fn shown(name: &str) -> &str {
    &name[..name.floor_char_boundary(256)]
}

#[cfg(test)]
mod tests;
