//! A delta as it is sent: rows of the rollups by minute, which name what they count by places in lists of names.

use serde::{Deserialize, Serialize};

use super::exact::Exact;

/// The format. One that a server does not know is passed over, and counted.
const FORMAT: u32 = 1;

/// Counts to be added to the rollups of another server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    format: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) services: Vec<Service>,
    /// Service, type, name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) transactions: Vec<(usize, String, String)>,
    /// Service, value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) results: Vec<(usize, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) destinations: Vec<Destination>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) statements: Vec<Statement>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<ErrorGroup>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tx: Vec<Cell>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tx_bins: Vec<Bin>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) statement: Vec<Cell>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) statement_bins: Vec<Bin>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) destination: Vec<Cell>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) destination_bins: Vec<Bin>,
    /// Statement, minute, most steps, sums.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) cost: Vec<(usize, i64, i64, Vec<f64>)>,
    /// Statement, minute, bin, count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) cost_bins: Vec<(usize, i64, i32, f64)>,
    /// Destination, service that was called, the rest as in a cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) calls: Vec<Call>,
    /// Transaction, minute, vital, rating, bin, count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) vitals: Vec<(usize, i64, i32, i32, i32, f64)>,
    /// Error, minute, number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) error: Vec<(usize, i64, i64)>,
    /// Transaction, minute, type and subtype of spans, count, sum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) breakdown: Vec<(usize, i64, String, String, f64, f64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) callers: Vec<Caller>,
    /// Of metrics. A server of an earlier version passes over these lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) series: Vec<Series>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) metric: Vec<MetricCell>,
    /// Series, minute, bin, count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) metric_bins: Vec<(usize, i64, i32, f64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) readings: Vec<Reading>,
    /// Of instances, and of versions in which errors occurred. A server of an earlier version passes over these, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) instances: Vec<Instance>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) instance: Vec<InstanceCell>,
    /// Instance, minute, bin, count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) instance_bins: Vec<(usize, i64, i32, f64)>,
    /// Error, version, times of the first and the last occurrence in µs, number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) error_versions: Vec<(usize, String, i64, i64, i64)>,
}

/// Instance, minute, sums and behind them the longest duration in µs, the least and the greatest share of memory in
/// use. Earlier versions send no duration, and pass over it.
pub(super) type InstanceCell = (usize, i64, Vec<f64>, Option<(f64, f64)>);

/// A process, container or machine that runs a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Instance {
    pub(super) service: usize,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) node: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) host: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) pod: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) runtime: String,
}

/// Series, minute, samples, count, sum, the least and the greatest value.
pub(super) type MetricCell = (usize, i64, i64, f64, f64, Option<f64>, Option<f64>);

/// Series, process, start and time in µs, count, sum, bins.
pub(super) type Reading = (usize, i64, i64, i64, Exact, Exact, Vec<(i32, f64)>);

/// The values of a metric with the same labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Series {
    pub(super) service: usize,
    /// Of the metric.
    pub(super) name: String,
    /// As the column has it.
    pub(super) kind: i32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) unit: String,
    /// A JSON object.
    pub(super) labels: String,
}

/// Destination, service that was called, minute, outcome, count, number of events, sum, and the longest.
pub(super) type Call = (usize, usize, i64, i32, f64, i64, f64, i64);

/// A service in an environment, and the last agent that was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Service {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) environment: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) agent: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) agent_version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) language: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) version: String,
}

/// A database or service that a service calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Destination {
    pub(super) service: usize,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) resource: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) target_type: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) target_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) span_type: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) span_subtype: String,
}

/// A statement. Its fingerprint follows from the text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Statement {
    pub(super) service: usize,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) instance: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) subtype: String,
    pub(super) normalized: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) sample: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) verb: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) table: String,
    pub(super) seen: i64,
}

/// Errors of one grouping key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ErrorGroup {
    pub(super) service: usize,
    /// As the column has it.
    pub(super) key: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) culprit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) handled: Option<bool>,
    pub(super) seen: i64,
}

/// The name, the minute, the result (a place + 1; 0 is none), the outcome, the weighted count, rows, the sum, the
/// longest.
pub(super) type Cell = (usize, i64, usize, i32, f64, i64, f64, i64);

/// The name, the minute, the outcome, the bin, the weighted count.
pub(super) type Bin = (usize, i64, i32, i32, f64);

/// Requests of a transaction that ran a statement. `statement`: a place + 1; 0 are all statements.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Caller {
    pub(super) transaction: usize,
    pub(super) statement: usize,
    pub(super) minute: i64,
    pub(super) requests: i64,
    pub(super) follows: i64,
    /// Calls, most of one request, sum, sum of the requests, calls of loops.
    pub(super) sums: [f64; 5],
    pub(super) trace: String,
}

impl Delta {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self {
            format: FORMAT,
            ..Self::default()
        }
    }

    /// Reads one; `None` where it is none that this version knows.
    #[must_use]
    pub fn read(json: &[u8]) -> Option<Self> {
        let delta: Self = serde_json::from_slice(json).ok()?;
        (delta.format == FORMAT).then_some(delta)
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::new()
    }
}
