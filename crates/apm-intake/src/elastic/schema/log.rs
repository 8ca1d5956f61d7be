//! `log`: ECS keys, flat (`"log.level"`) or nested. Elastic publishes no schema; these are its decoder's rules.

use super::Rule::{Labels, Object as Nested, Timestamp};
use super::context::FAAS;
use super::{INT, KEYWORD, Object, Slot, TEXT, field};

pub(crate) static LOG: Object = Object::new(&[
    field("message", TEXT),
    field("@timestamp", Timestamp).slot(Slot::Timestamp),
    field("trace.id", KEYWORD).slot(Slot::TraceId),
    field("transaction.id", KEYWORD).slot(Slot::TransactionId),
    field("span.id", KEYWORD).slot(Slot::Id),
    field("log.level", KEYWORD),
    field("log.logger", KEYWORD),
    field("log.origin.file.name", KEYWORD),
    field("log.origin.file.line", INT),
    field("log.origin.function", TEXT),
    field("service.name", KEYWORD),
    field("service.version", KEYWORD),
    field("service.environment", KEYWORD),
    field("service.node.name", KEYWORD),
    field("process.thread.name", KEYWORD),
    field("event.dataset", KEYWORD),
    field("error.type", TEXT),
    field("error.message", TEXT),
    field("error.stack_trace", TEXT),
    field("labels", Labels),
    field("faas", Nested(&FAAS)),
    field("log", Nested(&NESTED_LOG)),
    field("service", Nested(&NESTED_SERVICE)),
    field("process", Nested(&PROCESS)),
    field("event", Nested(&EVENT)),
    field("error", Nested(&ERROR)),
]);

static NESTED_LOG: Object = Object::new(&[
    field("level", KEYWORD),
    field("logger", KEYWORD),
    field("origin", Nested(&ORIGIN)),
]);

static ORIGIN: Object = Object::new(&[field("file", Nested(&FILE)), field("function", TEXT)]);
static FILE: Object = Object::new(&[field("name", KEYWORD), field("line", INT)]);

static NESTED_SERVICE: Object = Object::new(&[
    field("name", KEYWORD),
    field("version", KEYWORD),
    field("environment", KEYWORD),
    field("node", Nested(&NODE)),
]);

static NODE: Object = Object::new(&[field("name", KEYWORD)]);
static PROCESS: Object = Object::new(&[field("thread", Nested(&THREAD))]);
static THREAD: Object = Object::new(&[field("name", KEYWORD)]);
static EVENT: Object = Object::new(&[field("dataset", KEYWORD)]);

static ERROR: Object = Object::new(&[
    field("type", TEXT),
    field("message", TEXT),
    field("stack_trace", TEXT),
]);
