//! The parts that transactions, spans and errors share: `context`, `faas`, `otel`, `links`, stack frames.

use super::Rule::{
    Bool, Free, Headers, Labels, List, Object as Nested, Port, ServiceName, TextOrInt,
};
use super::{Field, INT, KEYWORD, NUMBER, Object, Rule, Slot, TEXT, field};

/// `context` of transactions and errors.
pub(super) static CONTEXT: Object = Object::new(&[
    field("request", Nested(&REQUEST)),
    field("response", Nested(&RESPONSE)),
    field("service", Nested(&SERVICE)),
    field("tags", Labels),
    field("user", Nested(&USER)),
    field("custom", Free),
    field("message", Nested(&MESSAGE)),
    field("page", Nested(&PAGE)),
    field("cloud", Nested(&CLOUD)),
]);

/// `context` of spans.
pub(super) static SPAN_CONTEXT: Object = Object::new(&[
    field("destination", Nested(&DESTINATION)),
    field("db", Nested(&DB)),
    field("service", Nested(&SERVICE)),
    field("http", Nested(&HTTP)),
    field("tags", Labels),
    field("message", Nested(&MESSAGE)),
]);

static REQUEST: Object = Object::new(&[
    field("http_version", KEYWORD),
    field("method", KEYWORD).required(),
    field("url", Nested(&URL)),
    field("headers", Headers),
    field("socket", Nested(&SOCKET)),
    field("body", Rule::Body),
    field("cookies", Free),
    field("env", Free),
]);

static URL: Object = Object::new(&[
    field("raw", KEYWORD),
    field("protocol", KEYWORD),
    field("hostname", KEYWORD),
    field("port", Port),
    field("pathname", KEYWORD),
    field("search", KEYWORD),
    field("hash", KEYWORD),
    field("full", KEYWORD),
]);

static SOCKET: Object = Object::new(&[field("remote_address", TEXT), field("encrypted", Bool)]);

static RESPONSE: Object = Object::new(&[
    field("status_code", INT).slot(Slot::Status),
    field("headers", Headers),
    field("finished", Bool),
    field("headers_sent", Bool),
    field("transfer_size", INT),
    field("encoded_body_size", INT),
    field("decoded_body_size", INT),
]);

static SERVICE: Object = Object::new(&[
    field("name", ServiceName(false)).slot(Slot::ServiceName),
    field("version", KEYWORD),
    field("environment", KEYWORD).slot(Slot::ServiceEnvironment),
    field("target", Nested(&TARGET)),
    field("agent", Nested(&SERVICE_AGENT)),
    field("framework", Nested(&NAME_VERSION)),
    field("language", Nested(&NAME_VERSION)),
    field("runtime", Nested(&NAME_VERSION)),
    field("node", Nested(&NODE)),
    field("origin", Nested(&ORIGIN)),
    field("id", TEXT),
]);

static TARGET: Object = Object::new(&[
    field("type", TEXT).slot(Slot::TargetType),
    field("name", TEXT).slot(Slot::TargetName),
])
.any_of(&["type", "name"], "type;name");

static SERVICE_AGENT: Object = Object::new(&[
    field("name", KEYWORD),
    field("version", KEYWORD),
    field("ephemeral_id", KEYWORD),
]);

static NAME_VERSION: Object = Object::new(&[field("name", KEYWORD), field("version", KEYWORD)]);

pub(super) static NODE: Object = Object::new(&[field("configured_name", KEYWORD)]);

static ORIGIN: Object = Object::new(&[
    field("id", TEXT),
    field("name", TEXT),
    field("version", TEXT),
]);

static CLOUD: Object = Object::new(&[field("origin", Nested(&CLOUD_ORIGIN))]);

static CLOUD_ORIGIN: Object = Object::new(&[
    field("account", Nested(&ANY_ID)),
    field("provider", TEXT),
    field("region", TEXT),
    field("service", Nested(&ANY_NAME)),
]);

static ANY_ID: Object = Object::new(&[field("id", TEXT)]);
static ANY_NAME: Object = Object::new(&[field("name", TEXT)]);

pub(super) static USER: Object = Object::new(&[
    field("id", TextOrInt(1024)),
    field("username", KEYWORD),
    field("email", KEYWORD),
    field("domain", KEYWORD),
]);

static MESSAGE: Object = Object::new(&[
    field("queue", Nested(&QUEUE)),
    field("age", Nested(&AGE)),
    field("routing_key", TEXT),
    field("body", TEXT),
    field("headers", Headers),
]);

static QUEUE: Object = Object::new(&[field("name", KEYWORD)]);
static AGE: Object = Object::new(&[field("ms", INT)]);
static PAGE: Object = Object::new(&[field("url", TEXT), field("referer", TEXT)]);

static DESTINATION: Object = Object::new(&[
    field("service", Nested(&DESTINATION_SERVICE)),
    field("address", KEYWORD),
    field("port", INT),
]);

static DESTINATION_SERVICE: Object = Object::new(&[
    field("name", KEYWORD),
    field("resource", KEYWORD)
        .required()
        .slot(Slot::DestinationResource),
    field("type", KEYWORD),
]);

static DB: Object = Object::new(&[
    field("statement", TEXT).slot(Slot::DbStatement),
    field("type", TEXT),
    field("instance", TEXT).slot(Slot::DbInstance),
    field("user", TEXT),
    field("link", KEYWORD),
    field("rows_affected", INT).slot(Slot::RowsAffected),
]);

static HTTP: Object = Object::new(&[
    field("method", KEYWORD),
    field("url", TEXT),
    field("status_code", INT).slot(Slot::Status),
    field("response", Nested(&HTTP_RESPONSE)),
    field("request", Nested(&HTTP_REQUEST)),
]);

static HTTP_RESPONSE: Object = Object::new(&[
    field("status_code", INT),
    field("headers", Headers),
    field("transfer_size", INT),
    field("encoded_body_size", INT),
    field("decoded_body_size", INT),
]);

static HTTP_REQUEST: Object = Object::new(&[field("id", TEXT), field("body", Rule::Any)]);

pub(super) static FAAS: Object = Object::new(&[
    field("id", TEXT),
    field("name", TEXT),
    field("version", TEXT),
    field("coldstart", Bool),
    field("execution", TEXT),
    field("trigger", Nested(&TRIGGER)),
]);

static TRIGGER: Object = Object::new(&[field("type", TEXT), field("request_id", TEXT)]);

pub(super) static OTEL: Object =
    Object::new(&[field("span_kind", TEXT), field("attributes", Free)]);

pub(super) static LINK: Object = Object::new(&[
    field("span_id", KEYWORD).required(),
    field("trace_id", KEYWORD).required(),
]);

/// One frame of a stack trace.
pub(crate) static FRAME: Object = Object::new(&[
    field("filename", TEXT),
    field("lineno", INT),
    field("function", TEXT),
    field("library_frame", Bool),
    field("abs_path", TEXT),
    field("module", TEXT),
    field("pre_context", Rule::Texts(0)),
    field("context_line", TEXT),
    field("post_context", Rule::Texts(0)),
    field("classname", TEXT),
    field("colno", INT),
    field("vars", Free),
])
.any_of(&["classname", "filename"], "classname;filename");

/// The frames of an error. Those of a span are checked by `elastic::stack`.
pub(super) const fn stacktrace() -> Field {
    field("stacktrace", List(&FRAME))
}

pub(super) const fn sample_rate() -> Field {
    field("sample_rate", NUMBER).column(Slot::SampleRate)
}
