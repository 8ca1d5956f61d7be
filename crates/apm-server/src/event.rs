//! What one intake line means, decoded and ready to be stored.
//!
//! A [`Batch`] is what the intake hands to the writer: one text arena, and events that point into it by
//! [`Text`] ranges. Nothing borrows, so a batch crosses threads, and a decoded event costs no allocation
//! of its own.
//!
//! Each field of the wire event is in exactly one of two places:
//!
//! * **promoted**: a field here that becomes a column, resolved as APM Server resolves it (span type split
//!   at dots, outcome from the status, receive time where no timestamp was sent);
//! * **rest**: a JSON object (raw text, starts with `{`) with every other member of the event as it came.
//!   What a promoted field is *derived* from stays here when it lives in `context` (status, destination,
//!   target, statement): the columns are for queries, `rest` is for the document.
//!
//! | kind | members taken out of `rest` |
//! |---|---|
//! | transaction | `id trace_id parent_id timestamp duration name type result outcome sampled sample_rate span_count` |
//! | span | `id trace_id parent_id transaction_id timestamp start duration name type subtype action outcome sample_rate stacktrace` |
//! | error | `id trace_id parent_id transaction_id timestamp`, and `exception.stacktrace`, or `log.stacktrace` where there is no exception |
//! | metricset | `timestamp` |
//! | log | `@timestamp trace.id transaction.id span.id`; flat keys (`"log.level"`) are nested |
//!
//! What it does not do: read JSON (`intake::decode`), write rows (`store`), build documents (`document`).

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

/// A range of a [`Batch`]'s arena, in bytes, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    start: u32,
    len: u32,
}

impl Text {
    /// Length in bytes.
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Whether this is the empty string.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// An identifier. 16 lower-case hex digits and 32 of them are kept as numbers; any other string is as legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    /// 16 lower-case hex digits: a span or transaction. Stored as a 64-bit INTEGER (two's complement).
    Short(u64),
    /// 32 lower-case hex digits: a trace or an error. Stored as a BLOB of 16 bytes.
    Long([u8; 16]),
    /// Anything else up to 1024 characters. Stored as TEXT.
    Other(Text),
}

/// Whether the work succeeded, after the defaults of the protocol are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Cannot be told.
    #[default]
    Unknown,
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
}

impl Outcome {
    /// The word of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }

    /// The word of the protocol, read.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "unknown" => Some(Self::Unknown),
            "success" => Some(Self::Success),
            "failure" => Some(Self::Failure),
            _ => None,
        }
    }
}

/// The kinds of event that intake v2 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A unit of work that a service did for a caller.
    Transaction,
    /// A part of a transaction.
    Span,
    /// An exception or an error that was logged.
    Error,
    /// Samples of metrics at one time.
    Metricset,
    /// A log line in ECS form.
    Log,
}

impl Kind {
    /// All kinds, in the order of the protocol.
    pub const ALL: [Self; 5] = [
        Self::Transaction,
        Self::Span,
        Self::Error,
        Self::Metricset,
        Self::Log,
    ];

    /// The key that carries the event on its line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Span => "span",
            Self::Error => "error",
            Self::Metricset => "metricset",
            Self::Log => "log",
        }
    }
}

/// A service that an event names for itself, instead of the one of its metadata.
///
/// Absent fields fall back to the [`Resource`]'s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceOverride {
    /// `service.name`
    pub name: Option<Text>,
    /// `service.environment`
    pub environment: Option<Text>,
}

/// A stack trace as its raw JSON array, and the hash that content-addresses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The JSON array, `[` to `]`, never empty of frames.
    pub json: Text,
    /// XXH3-128 of that text. Equal hashes are to be checked against the text where it matters.
    pub hash: u128,
}

/// A unit of work that a service did for a caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    /// Its own id.
    pub id: Id,
    /// The trace that it belongs to.
    pub trace_id: Id,
    /// The span or transaction that caused it; none for a root.
    pub parent_id: Option<Id>,
    /// Service named by the event itself.
    pub service: ServiceOverride,
    /// Start, µs since the epoch.
    pub timestamp: i64,
    /// Duration, µs, cut to a whole number.
    pub duration: i64,
    /// Name, such as `GET /people/{id}`.
    pub name: Option<Text>,
    /// Type, such as `request`; `unknown` where it was empty.
    pub kind: Text,
    /// Result, such as `HTTP 2xx`.
    pub result: Option<Text>,
    /// Outcome, from the response's status where it was not sent.
    pub outcome: Outcome,
    /// Whether its spans and context were recorded.
    pub sampled: bool,
    /// Sample rate as sent, 0 to 1.
    pub sample_rate: Option<f64>,
    /// `context.response.status_code`
    pub status: Option<i64>,
    /// Spans started.
    pub spans_started: i64,
    /// Spans that the agent dropped.
    pub spans_dropped: Option<i64>,
    /// Its `dropped_spans_stats`: a range of [`Batch::dropped`].
    pub dropped: Range<u32>,
    /// Everything else, a JSON object.
    pub rest: Text,
}

/// A part of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its own id.
    pub id: Id,
    /// The trace that it belongs to.
    pub trace_id: Id,
    /// The transaction in which it happened, where it was sent.
    pub transaction_id: Option<Id>,
    /// The span or transaction that caused it.
    pub parent_id: Id,
    /// Service named by the event itself.
    pub service: ServiceOverride,
    /// Start, µs since the epoch.
    pub timestamp: i64,
    /// Duration, µs, cut to a whole number.
    pub duration: i64,
    /// Name, such as `SELECT FROM people`.
    pub name: Text,
    /// Type, such as `db`, split at dots where neither subtype nor action was sent.
    pub kind: Text,
    /// Subtype, such as `sqlite`.
    pub subtype: Option<Text>,
    /// Action, such as `query`.
    pub action: Option<Text>,
    /// Outcome, from `context.http.status_code` where it was not sent.
    pub outcome: Outcome,
    /// Sample rate as sent, 0 to 1.
    pub sample_rate: Option<f64>,
    /// `context.http.status_code`
    pub status: Option<i64>,
    /// `context.destination.service.resource`
    pub resource: Option<Text>,
    /// `context.service.target.type`, inferred from the resource where it was not sent.
    pub target_type: Option<Text>,
    /// `context.service.target.name`, likewise.
    pub target_name: Option<Text>,
    /// `context.db.instance`
    pub db_instance: Option<Text>,
    /// `context.db.statement`, as sent, any length up to a line's.
    pub db_statement: Option<Text>,
    /// Set where the agent folded several spans into this one.
    pub composite: Option<Composite>,
    /// Its stack trace.
    pub stack: Option<Stack>,
    /// Everything else, a JSON object.
    pub rest: Text,
}

/// Several spans folded into one by the agent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Composite {
    /// How many, at least 2.
    pub count: i64,
    /// The sum of their durations, µs.
    pub sum: i64,
}

/// An exception or an error that was logged.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorEvent {
    /// Its own id.
    pub id: Id,
    /// The trace that it belongs to.
    pub trace_id: Option<Id>,
    /// The transaction in which it happened.
    pub transaction_id: Option<Id>,
    /// The span or transaction in which it happened.
    pub parent_id: Option<Id>,
    /// Service named by the event itself.
    pub service: ServiceOverride,
    /// When, µs since the epoch.
    pub timestamp: i64,
    /// What names its group: see `intake::grouping`.
    pub grouping_key: u64,
    /// `exception.type`
    pub kind: Option<Text>,
    /// `log.message`, else `exception.message`.
    pub message: Option<Text>,
    /// Where, in the agent's words.
    pub culprit: Option<Text>,
    /// `exception.handled`
    pub handled: Option<bool>,
    /// `transaction.name`, as the agent knew it.
    pub transaction_name: Option<Text>,
    /// `transaction.type`, as the agent knew it.
    pub transaction_kind: Option<Text>,
    /// The stack trace of its exception, or of its log message where there is no exception.
    pub stack: Option<Stack>,
    /// Everything else, a JSON object.
    pub rest: Text,
}

/// Samples of metrics at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Metricset {
    /// Service named by the event itself.
    pub service: ServiceOverride,
    /// When, µs since the epoch.
    pub timestamp: i64,
    /// Set where this is a breakdown of a transaction group's time.
    pub breakdown: Option<Breakdown>,
    /// Its plain samples: a range of [`Batch::samples`]. Histograms are in `rest` alone.
    pub samples: Range<u32>,
    /// Everything else (the samples too), a JSON object.
    pub rest: Text,
}

/// What a breakdown metricset says: how long a transaction group's spans of one type ran by themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breakdown {
    /// `transaction.name`
    pub transaction_name: Option<Text>,
    /// `transaction.type`
    pub transaction_kind: Option<Text>,
    /// `span.type`
    pub span_kind: Option<Text>,
    /// `span.subtype`
    pub span_subtype: Option<Text>,
    /// `span.self_time.count`
    pub count: f64,
    /// `span.self_time.sum.us`
    pub sum: f64,
}

/// A log line in ECS form.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The trace in which it was written.
    pub trace_id: Option<Id>,
    /// The transaction in which it was written.
    pub transaction_id: Option<Id>,
    /// The span in which it was written.
    pub span_id: Option<Id>,
    /// Service named by the event itself.
    pub service: ServiceOverride,
    /// When, µs since the epoch.
    pub timestamp: i64,
    /// `log.level`
    pub level: Option<Text>,
    /// `log.logger`
    pub logger: Option<Text>,
    /// The message (also in `rest`).
    pub message: Option<Text>,
    /// Whether it carries `error.*`.
    pub has_error: bool,
    /// Everything else, a JSON object.
    pub rest: Text,
}

/// One decoded event.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A unit of work that a service did for a caller.
    Transaction(Transaction),
    /// A part of a transaction.
    Span(Span),
    /// An exception or an error that was logged.
    Error(ErrorEvent),
    /// Samples of metrics at one time.
    Metricset(Metricset),
    /// A log line.
    Log(Log),
}

impl Event {
    /// What kind of event it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Transaction(_) => Kind::Transaction,
            Self::Span(_) => Kind::Span,
            Self::Error(_) => Kind::Error,
            Self::Metricset(_) => Kind::Metricset,
            Self::Log(_) => Kind::Log,
        }
    }

    /// When it happened, µs since the epoch.
    pub fn timestamp(&self) -> i64 {
        match self {
            Self::Transaction(event) => event.timestamp,
            Self::Span(event) => event.timestamp,
            Self::Error(event) => event.timestamp,
            Self::Metricset(event) => event.timestamp,
            Self::Log(event) => event.timestamp,
        }
    }

    /// What is not promoted: a JSON object.
    pub fn rest(&self) -> Text {
        match self {
            Self::Transaction(event) => event.rest,
            Self::Span(event) => event.rest,
            Self::Error(event) => event.rest,
            Self::Metricset(event) => event.rest,
            Self::Log(event) => event.rest,
        }
    }
}

/// One plain sample of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Name, such as `system.memory.total`.
    pub name: Text,
    /// Value.
    pub value: f64,
}

/// Spans that the agent counted instead of sending, by destination and outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DroppedSpans {
    /// `destination_service_resource`
    pub resource: Option<Text>,
    /// `service_target_type`
    pub target_type: Option<Text>,
    /// `service_target_name`
    pub target_name: Option<Text>,
    /// Their outcome.
    pub outcome: Outcome,
    /// How many.
    pub count: i64,
    /// The sum of their durations, µs.
    pub sum: i64,
}

/// Who sent a batch: the metadata line, and the peer's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// `service.name`
    pub service_name: String,
    /// `service.environment`
    pub environment: Option<String>,
    /// `service.version`
    pub service_version: Option<String>,
    /// `service.agent.name`, such as `python`.
    pub agent_name: String,
    /// `service.agent.version`
    pub agent_version: String,
    /// `service.language.name`
    pub language: Option<String>,
    /// Where the request came from.
    pub client: Option<IpAddr>,
    /// The identity that is stored once: `{"metadata":{…},"client":"127.0.0.1"}`.
    pub document: String,
}

/// What is handed to the writer in one piece: decoded events of one request, in the order of their lines.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Who sent it.
    pub resource: Arc<Resource>,
    /// When its first line was read, µs since the epoch.
    pub received: i64,
    /// The events.
    pub events: Vec<Event>,
    /// The samples of its metricsets.
    pub samples: Vec<Sample>,
    /// The `dropped_spans_stats` of its transactions.
    pub dropped: Vec<DroppedSpans>,
    text: String,
}

impl Batch {
    /// An empty batch. `received`: µs since the epoch.
    pub fn new(resource: Arc<Resource>, received: i64) -> Self {
        Self {
            resource,
            received,
            events: Vec::new(),
            samples: Vec::new(),
            dropped: Vec::new(),
            text: String::new(),
        }
    }

    /// What a range stands for.
    ///
    /// # Panics
    /// With a range of another batch that does not fit this one.
    pub fn text(&self, text: Text) -> &str {
        &self.text[text.start as usize..(text.start + text.len) as usize]
    }

    /// What an optional range stands for.
    pub fn opt(&self, text: Option<Text>) -> Option<&str> {
        text.map(|text| self.text(text))
    }

    /// Keeps a copy of `value`.
    ///
    /// # Panics
    /// Beyond 4 GiB; the intake hands a batch over long before that.
    pub fn keep(&mut self, value: &str) -> Text {
        let start = self.mark();
        self.text.push_str(value);
        self.since(start)
    }

    /// Reads an identifier, and keeps it if it is not hex.
    pub fn keep_id(&mut self, value: &str) -> Id {
        if let Some(id) = compact(value) {
            id
        } else {
            Id::Other(self.keep(value))
        }
    }

    /// An identifier as it was sent.
    pub fn id(&self, id: Id) -> String {
        match id {
            Id::Short(id) => format!("{id:016x}"),
            Id::Long(id) => format!("{:032x}", u128::from_be_bytes(id)),
            Id::Other(text) => self.text(text).to_owned(),
        }
    }

    /// The end of the arena, for a text that is written piece by piece: [`Self::push`], then [`Self::since`].
    pub fn mark(&self) -> u32 {
        u32::try_from(self.text.len()).expect("a batch is far below 4 GiB")
    }

    /// Appends a piece.
    pub fn push(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    /// The range from a mark to the end.
    pub fn since(&self, start: u32) -> Text {
        Text {
            start,
            len: self.mark() - start,
        }
    }

    /// A range of a kept text.
    pub fn part(&self, text: Text, range: Range<usize>) -> Text {
        debug_assert!(range.end <= text.len());
        let offset = |at: usize| u32::try_from(at).expect("a part is shorter than its text");
        Text {
            start: text.start + offset(range.start),
            len: offset(range.end - range.start),
        }
    }

    /// Takes back what a line that turned out invalid had left in the arena.
    pub fn truncate(&mut self, mark: u32) {
        self.text.truncate(mark as usize);
    }

    /// Memory that it holds, bytes, roughly.
    pub fn size(&self) -> usize {
        self.text.capacity()
            + self.events.capacity() * size_of::<Event>()
            + self.samples.capacity() * size_of::<Sample>()
            + self.dropped.capacity() * size_of::<DroppedSpans>()
    }
}

/// The compact form of an identifier of 16 or 32 lower-case hex digits.
pub fn compact(value: &str) -> Option<Id> {
    let (first, rest) = value.as_bytes().split_first_chunk::<16>()?;
    if rest.is_empty() {
        return Some(Id::Short(hex(first)?));
    }
    let rest: &[u8; 16] = rest.try_into().ok()?;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&hex(first)?.to_be_bytes());
    id[8..].copy_from_slice(&hex(rest)?.to_be_bytes());
    Some(Id::Long(id))
}

/// 16 lower-case hex digits, read.
fn hex(digits: &[u8; 16]) -> Option<u64> {
    let mut number = 0;
    let mut legal = true;
    for byte in digits {
        let (decimal, letter) = (byte.wrapping_sub(b'0'), byte.wrapping_sub(b'a'));
        legal &= decimal < 10 || letter < 6;
        let digit = if decimal < 10 {
            decimal
        } else {
            letter.wrapping_add(10)
        };
        number = number << 4 | u64::from(digit & 15);
    }
    legal.then_some(number)
}

/// For how many like it an event stands: 1 / sample rate, 0 where the rate is 0, 1 where none was sent.
pub fn weight(sample_rate: Option<f64>) -> f64 {
    match sample_rate {
        None => 1.0,
        Some(rate) if rate > 0.0 => 1.0 / rate,
        Some(_) => 0.0,
    }
}

/// An event as it comes back from the store: columns, `rest`, stack and resource put together again.
///
/// Fields that a kind does not have are `None`. Ids are in the form in which they were sent.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Its number in the order of arrival.
    pub seq: i64,
    /// Which kind.
    pub kind: Kind,
    /// [`Resource::document`]
    pub resource: Arc<str>,
    /// Transaction, span, error: its own id. Log: the span's.
    pub id: Option<String>,
    /// The trace.
    pub trace_id: Option<String>,
    /// Span, error, log: the transaction.
    pub transaction_id: Option<String>,
    /// Transaction, span, error: the parent.
    pub parent_id: Option<String>,
    /// µs since the epoch.
    pub timestamp: i64,
    /// Transaction, span: µs.
    pub duration: Option<i64>,
    /// Transaction, span.
    pub name: Option<String>,
    /// Transaction, span: `type`.
    pub event_type: Option<String>,
    /// Span.
    pub subtype: Option<String>,
    /// Span.
    pub action: Option<String>,
    /// Transaction.
    pub result: Option<String>,
    /// Transaction, span.
    pub outcome: Option<Outcome>,
    /// Transaction.
    pub sampled: Option<bool>,
    /// Transaction, span, where it was sent.
    pub sample_rate: Option<f64>,
    /// Transaction.
    pub spans_started: Option<i64>,
    /// Transaction, where it was sent.
    pub spans_dropped: Option<i64>,
    /// Error.
    pub grouping_key: Option<u64>,
    /// Everything else, a JSON object.
    pub rest: String,
    /// Span, error: the stack trace, a JSON array.
    pub stack: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_hex_of_16_or_32_digits_is_compact() {
        assert_eq!(compact("00000000000000ff"), Some(Id::Short(255)));
        let mut long = [0; 16];
        long[15] = 10;
        assert_eq!(
            compact("0000000000000000000000000000000a"),
            Some(Id::Long(long))
        );
        for other in [
            "",
            "ff",
            "00000000000000FF",
            "0000000000000000ff",
            "g000000000000000",
        ] {
            assert_eq!(compact(other), None, "{other}");
        }
    }

    #[test]
    fn a_weight_is_the_inverse_of_the_sample_rate() {
        assert_eq!(
            [weight(None), weight(Some(0.25)), weight(Some(0.0))],
            [1.0, 4.0, 0.0]
        );
    }
}
