//! The short names of the third version of the browser's intake, and those of the second that they stand for.

/// The members of an object: short name, long name, and the names within.
#[derive(Debug)]
pub(super) struct Names(pub(super) &'static [(&'static str, &'static str, Within)]);

/// The content of a member.
#[derive(Debug)]
pub(super) enum Within {
    /// A value that is taken as it is.
    Value,
    /// An object, or an array of objects, with short names of its own.
    Short(&'static Names),
    /// The marks of a page: groups of moments.
    Marks,
    /// Members that the caller reads.
    Apart,
}

use Within::{Apart, Marks, Short, Value};

pub(super) static METADATA: Names = Names(&[
    ("se", "service", Short(&SERVICE)),
    ("u", "user", Short(&USER)),
    ("l", "labels", Value),
    ("n", "network", Short(&NETWORK)),
]);

static NETWORK: Names = Names(&[("c", "connection", Short(&CONNECTION))]);
static CONNECTION: Names = Names(&[("t", "type", Value)]);

static SERVICE: Names = Names(&[
    ("n", "name", Value),
    ("ve", "version", Value),
    ("en", "environment", Value),
    ("a", "agent", Short(&NAMED)),
    ("fw", "framework", Short(&NAMED)),
    ("la", "language", Short(&NAMED)),
    ("ru", "runtime", Short(&NAMED)),
]);

static NAMED: Names = Names(&[("n", "name", Value), ("ve", "version", Value)]);

static USER: Names = Names(&[
    ("id", "id", Value),
    ("un", "username", Value),
    ("em", "email", Value),
    ("ud", "domain", Value),
]);

pub(super) static TRANSACTION: Names = Names(&[
    ("id", "id", Value),
    ("tid", "trace_id", Value),
    ("pid", "parent_id", Value),
    ("n", "name", Value),
    ("t", "type", Value),
    ("d", "duration", Value),
    ("rt", "result", Value),
    ("o", "outcome", Value),
    ("sm", "sampled", Value),
    ("sr", "sample_rate", Value),
    ("yc", "span_count", Short(&SPAN_COUNT)),
    ("k", "marks", Marks),
    ("exp", "experience", Short(&EXPERIENCE)),
    ("ses", "session", Short(&SESSION)),
    ("c", "context", Short(&CONTEXT)),
    ("y", "spans", Apart),
    ("me", "metricsets", Apart),
]);

static SPAN_COUNT: Names = Names(&[("sd", "started", Value), ("dd", "dropped", Value)]);
static SESSION: Names = Names(&[("id", "id", Value), ("seq", "sequence", Value)]);

static EXPERIENCE: Names = Names(&[
    ("cls", "cls", Value),
    ("fid", "fid", Value),
    ("tbt", "tbt", Value),
    ("lt", "longtask", Value),
]);

static CONTEXT: Names = Names(&[
    ("p", "page", Short(&PAGE)),
    ("q", "request", Short(&REQUEST)),
    ("r", "response", Short(&RESPONSE)),
    ("u", "user", Short(&USER)),
    ("se", "service", Short(&SERVICE)),
    ("g", "tags", Value),
    ("cu", "custom", Value),
]);

static PAGE: Names = Names(&[("url", "url", Value), ("rf", "referer", Value)]);

static REQUEST: Names = Names(&[
    ("mt", "method", Value),
    ("he", "headers", Value),
    ("hve", "http_version", Value),
    ("en", "env", Value),
]);

static RESPONSE: Names = Names(&[
    ("sc", "status_code", Value),
    ("he", "headers", Value),
    ("ts", "transfer_size", Value),
    ("ebs", "encoded_body_size", Value),
    ("dbs", "decoded_body_size", Value),
]);

pub(super) static SPAN: Names = Names(&[
    ("id", "id", Value),
    ("pi", "parent", Apart),
    ("n", "name", Value),
    ("t", "type", Value),
    ("su", "subtype", Value),
    ("ac", "action", Value),
    ("s", "start", Value),
    ("d", "duration", Value),
    ("o", "outcome", Value),
    ("sr", "sample_rate", Value),
    ("sy", "sync", Value),
    ("st", "stacktrace", Short(&FRAME)),
    ("c", "context", Short(&SPAN_CONTEXT)),
]);

static SPAN_CONTEXT: Names = Names(&[
    ("h", "http", Short(&HTTP)),
    ("dt", "destination", Short(&DESTINATION)),
    ("se", "service", Short(&SERVICE)),
    ("g", "tags", Value),
]);

static HTTP: Names = Names(&[
    ("url", "url", Value),
    ("mt", "method", Value),
    ("sc", "status_code", Value),
    ("r", "response", Short(&RESPONSE)),
]);

static DESTINATION: Names = Names(&[
    ("ad", "address", Value),
    ("po", "port", Value),
    ("se", "service", Short(&DESTINATION_SERVICE)),
]);

static DESTINATION_SERVICE: Names = Names(&[
    ("n", "name", Value),
    ("rc", "resource", Value),
    ("t", "type", Value),
]);

pub(super) static METRICSET: Names = Names(&[
    ("y", "span", Short(&METRICSET_SPAN)),
    ("sa", "samples", Short(&SAMPLES)),
]);

static METRICSET_SPAN: Names = Names(&[("t", "type", Value), ("su", "subtype", Value)]);

static SAMPLES: Names = Names(&[
    ("ysc", "span.self_time.count", Short(&SAMPLE)),
    ("yss", "span.self_time.sum.us", Short(&SAMPLE)),
]);

static SAMPLE: Names = Names(&[("v", "value", Value)]);

pub(super) static ERROR: Names = Names(&[
    ("id", "id", Value),
    ("tid", "trace_id", Value),
    ("xid", "transaction_id", Value),
    ("pid", "parent_id", Value),
    ("timestamp", "timestamp", Value),
    ("cl", "culprit", Value),
    ("log", "log", Short(&LOG)),
    ("ex", "exception", Short(&EXCEPTION)),
    ("x", "transaction", Short(&TRANSACTION_OF_ERROR)),
    ("c", "context", Short(&CONTEXT)),
]);

static TRANSACTION_OF_ERROR: Names = Names(&[
    ("n", "name", Value),
    ("t", "type", Value),
    ("sm", "sampled", Value),
]);

static EXCEPTION: Names = Names(&[
    ("mg", "message", Value),
    ("t", "type", Value),
    ("mo", "module", Value),
    ("cd", "code", Value),
    ("at", "attributes", Value),
    ("hd", "handled", Value),
    ("ca", "cause", Short(&EXCEPTION)),
    ("st", "stacktrace", Short(&FRAME)),
]);

static LOG: Names = Names(&[
    ("mg", "message", Value),
    ("pmg", "param_message", Value),
    ("lv", "level", Value),
    ("ln", "logger_name", Value),
    ("st", "stacktrace", Short(&FRAME)),
]);

static FRAME: Names = Names(&[
    ("f", "filename", Value),
    ("fn", "function", Value),
    ("ap", "abs_path", Value),
    ("li", "lineno", Value),
    ("co", "colno", Value),
    ("cn", "classname", Value),
    ("mo", "module", Value),
    ("cli", "context_line", Value),
    ("prc", "pre_context", Value),
    ("poc", "post_context", Value),
]);

/// Groups of marks.
pub(super) static GROUPS: [(&str, &str); 2] = [("a", "agent"), ("nt", "navigationTiming")];

/// Moments within a group.
pub(super) static MOMENTS: [(&str, &str); 18] = [
    ("fs", "fetchStart"),
    ("ls", "domainLookupStart"),
    ("le", "domainLookupEnd"),
    ("cs", "connectStart"),
    ("ce", "connectEnd"),
    ("qs", "requestStart"),
    ("rs", "responseStart"),
    ("re", "responseEnd"),
    ("dl", "domLoading"),
    ("di", "domInteractive"),
    ("ds", "domContentLoadedEventStart"),
    ("de", "domContentLoadedEventEnd"),
    ("dc", "domComplete"),
    ("es", "loadEventStart"),
    ("ee", "loadEventEnd"),
    ("fb", "timeToFirstByte"),
    ("fp", "firstContentfulPaint"),
    ("lp", "largestContentfulPaint"),
];
