//! The lists: which question each is, and which of its columns a terminal shows.

/// A list of the API.
#[derive(Debug)]
pub(super) struct List {
    /// Its path below `/api/v1`; `{service}` stands for the name of the service.
    pub(super) path: &'static str,
    /// Whether the question has a parameter `service`. The others take it as a part of the query.
    pub(super) takes_service: bool,
    /// Whether the question has a time range.
    pub(super) takes_time: bool,
    /// Heads of the columns on a terminal, and their names in CSV.
    pub(super) columns: &'static [(&'static str, &'static str)],
    /// The line that is printed when there is no row.
    pub(super) none: &'static str,
}

/// Services with their throughput, latency and failures.
pub(super) const SERVICES: List = List {
    path: "services",
    takes_service: false,
    takes_time: true,
    columns: &[
        ("Service", "service"),
        ("Environment", "environments"),
        ("Requests", "transactions"),
        ("Per minute", "throughput_per_minute"),
        ("Average", "latency_avg_us"),
        ("p95", "latency_p95_us"),
        ("Failed", "failed_rate"),
        ("Errors", "errors"),
        ("In SQL", "db_share"),
    ],
    none: "No service sent a transaction in this time.",
};

/// Transactions of a service, by name.
pub(super) const TRANSACTIONS: List = List {
    path: "services/{service}/transactions",
    takes_service: true,
    takes_time: true,
    columns: &[
        ("Transaction", "transaction"),
        ("Requests", "transactions"),
        ("Per minute", "throughput_per_minute"),
        ("Average", "latency_avg_us"),
        ("p95", "latency_p95_us"),
        ("Failed", "failed_rate"),
        ("Statements", "statements_per_request"),
        ("In SQL", "sql_share"),
        ("Impact", "impact"),
    ],
    none: "No transaction in this time.",
};

/// Statements, the most expensive first.
pub(super) const QUERIES: List = List {
    path: "queries",
    takes_service: true,
    takes_time: true,
    columns: &[
        ("Service", "service"),
        ("Statement", "statement"),
        ("Calls", "calls"),
        ("Total", "total_us"),
        ("Share", "share"),
        ("Average", "latency_avg_us"),
        ("p95", "latency_p95_us"),
        ("Per request", "calls_per_request"),
        ("Fingerprint", "fingerprint"),
    ],
    none: "No statement in this time.",
};

/// Groups of errors, the latest first.
pub(super) const ERRORS: List = List {
    path: "errors",
    takes_service: false,
    takes_time: true,
    columns: &[
        ("Service", "service"),
        ("Type", "type"),
        ("Message", "message"),
        ("Raised in", "culprit"),
        ("Times", "occurrences"),
        ("Last", "last_seen_utc"),
    ],
    none: "No error in this time.",
};

/// Traces, the latest first.
pub(super) const TRACES: List = List {
    path: "traces",
    takes_service: false,
    takes_time: true,
    columns: &[
        ("Started", "started_utc"),
        ("Service", "service"),
        ("Request", "entry"),
        ("Result", "result"),
        ("Duration", "duration_us"),
        ("Spans", "spans"),
        ("Trace", "trace_id"),
    ],
    none: "No trace in this time.",
};

/// Other services, databases and caches that services called.
pub(super) const DEPENDENCIES: List = List {
    path: "dependencies",
    takes_service: false,
    takes_time: true,
    columns: &[
        ("Dependency", "dependency"),
        ("Type", "subtype"),
        ("Calls", "calls"),
        ("Per minute", "throughput_per_minute"),
        ("Average", "latency_avg_us"),
        ("p95", "latency_p95_us"),
        ("Failed", "failed_rate"),
        ("Impact", "impact"),
    ],
    none: "No call of a dependency in this time.",
};

/// Findings that hold now.
pub(super) const INSIGHTS: List = List {
    path: "insights",
    takes_service: true,
    takes_time: false,
    columns: &[
        ("Service", "service"),
        ("Finding", "title"),
        ("Remedy", "remedy"),
        ("Saves per minute", "saving_us_per_minute"),
        ("Since", "first_seen_utc"),
    ],
    none: "No issues found.",
};
