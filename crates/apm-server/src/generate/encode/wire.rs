//! The documents of intake v2 that a made-up service sends, with the fields that it fills.

use std::collections::BTreeMap;
use std::fmt::LowerHex;

use serde::{Serialize, Serializer};

/// An id as hexadecimal digits: 32 of a `u128`, 16 of a `u64`.
#[derive(Clone, Copy)]
pub(super) struct Hex<T>(pub(super) T);

impl<T: LowerHex> Serialize for Hex<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let width = size_of::<T>() * 2;
        to.collect_str(&format_args!("{:0width$x}", self.0))
    }
}

/// A document within an object that tells its kind: `{"transaction": {…}}`.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line<'a> {
    Metadata(Metadata<'a>),
    Transaction(Transaction<'a>),
    Span(Span<'a>),
    Error(Error<'a>),
    Log(Log<'a>),
    Metricset(Metricset<'a>),
}

/// A name with a version, such as a runtime's.
#[derive(Serialize)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'static str,
}

#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    pub(super) service: Service<'a>,
    pub(super) process: Process<'a>,
    pub(super) system: System,
}

#[derive(Serialize)]
pub(super) struct Service<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'static str,
    pub(super) environment: &'a str,
    pub(super) language: Named<'a>,
    pub(super) runtime: Named<'a>,
    pub(super) framework: Named<'a>,
    pub(super) agent: Named<'a>,
}

#[derive(Serialize)]
pub(super) struct Process<'a> {
    pub(super) pid: u32,
    pub(super) title: &'a str,
}

#[derive(Serialize)]
pub(super) struct System {
    pub(super) hostname: String,
    pub(super) architecture: &'static str,
    pub(super) platform: &'static str,
}

#[derive(Serialize)]
pub(super) struct Transaction<'a> {
    pub(super) id: Hex<u64>,
    pub(super) trace_id: Hex<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent_id: Option<Hex<u64>>,
    pub(super) name: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) duration: f64,
    pub(super) timestamp: i64,
    pub(super) result: String,
    pub(super) outcome: &'static str,
    pub(super) sampled: bool,
    pub(super) sample_rate: u8,
    pub(super) span_count: SpanCount,
    pub(super) context: RequestContext<'a>,
}

#[derive(Serialize)]
pub(super) struct SpanCount {
    pub(super) started: u32,
    pub(super) dropped: u32,
}

#[derive(Serialize)]
pub(super) struct RequestContext<'a> {
    pub(super) request: Request<'a>,
    pub(super) response: Response,
    pub(super) user: User,
}

#[derive(Serialize)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) http_version: &'static str,
    pub(super) url: Url<'a>,
    pub(super) headers: RequestHeaders,
    pub(super) socket: Socket,
}

#[derive(Serialize)]
pub(super) struct Url<'a> {
    pub(super) full: String,
    pub(super) protocol: &'static str,
    pub(super) hostname: &'a str,
    pub(super) port: &'static str,
    pub(super) pathname: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RequestHeaders {
    pub(super) host: String,
    pub(super) user_agent: &'static str,
    pub(super) accept: &'static str,
    pub(super) x_request_id: Hex<u128>,
}

#[derive(Serialize)]
pub(super) struct Socket {
    pub(super) remote_address: String,
}

#[derive(Serialize)]
pub(super) struct Response {
    pub(super) status_code: u16,
    pub(super) headers: ResponseHeaders,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ResponseHeaders {
    pub(super) content_type: &'static str,
}

#[derive(Serialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) username: String,
}

#[derive(Serialize)]
pub(super) struct Span<'a> {
    pub(super) id: Hex<u64>,
    pub(super) trace_id: Hex<u128>,
    pub(super) transaction_id: Hex<u64>,
    pub(super) parent_id: Hex<u64>,
    pub(super) name: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) subtype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<&'static str>,
    pub(super) timestamp: i64,
    pub(super) duration: f64,
    pub(super) outcome: &'static str,
    pub(super) sample_rate: u8,
    pub(super) context: SpanContext<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) stacktrace: &'static [Frame],
}

#[derive(Serialize)]
pub(super) struct SpanContext<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) db: Option<Database<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http: Option<Http>,
    pub(super) destination: Destination<'a>,
    pub(super) service: TargetService<'a>,
}

#[derive(Serialize)]
pub(super) struct Database<'a> {
    pub(super) instance: &'static str,
    pub(super) statement: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

#[derive(Serialize)]
pub(super) struct Http {
    pub(super) url: String,
    pub(super) method: &'static str,
    pub(super) status_code: u16,
}

#[derive(Serialize)]
pub(super) struct Destination<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
    pub(super) service: DestinationService<'a>,
}

#[derive(Serialize)]
pub(super) struct DestinationService<'a> {
    pub(super) resource: &'a str,
    pub(super) name: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

#[derive(Serialize)]
pub(super) struct TargetService<'a> {
    pub(super) target: ServiceTarget<'a>,
}

#[derive(Serialize)]
pub(super) struct ServiceTarget<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Frame {
    pub(super) function: &'static str,
    pub(super) module: &'static str,
    pub(super) filename: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) abs_path: Option<&'static str>,
    pub(super) lineno: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context_line: Option<&'static str>,
    pub(super) library_frame: bool,
}

#[derive(Serialize)]
pub(super) struct Error<'a> {
    pub(super) id: Hex<u128>,
    pub(super) trace_id: Hex<u128>,
    pub(super) transaction_id: Hex<u64>,
    pub(super) parent_id: Hex<u64>,
    pub(super) timestamp: i64,
    pub(super) culprit: String,
    pub(super) transaction: TransactionRef<'a>,
    pub(super) exception: Exception,
}

/// The transaction that an error or a metric belongs to.
#[derive(Serialize)]
pub(super) struct TransactionRef<'a> {
    pub(super) name: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sampled: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct Exception {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) message: &'static str,
    pub(super) handled: bool,
    pub(super) stacktrace: [Frame; 2],
}

#[derive(Serialize)]
pub(super) struct Log<'a> {
    #[serde(rename = "@timestamp")]
    pub(super) timestamp: i64,
    pub(super) message: &'a str,
    #[serde(rename = "log.level")]
    pub(super) level: &'static str,
    #[serde(rename = "log.logger")]
    pub(super) logger: String,
    #[serde(rename = "trace.id")]
    pub(super) trace_id: Hex<u128>,
    #[serde(rename = "transaction.id")]
    pub(super) transaction_id: Hex<u64>,
}

#[derive(Serialize)]
pub(super) struct Metricset<'a> {
    pub(super) timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transaction: Option<TransactionRef<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) span: Option<SpanRef>,
    pub(super) samples: BTreeMap<&'static str, Sample>,
}

/// The kind of span that a breakdown is about.
#[derive(Serialize)]
pub(super) struct SpanRef {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subtype: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Sample {
    pub(super) value: f64,
}
