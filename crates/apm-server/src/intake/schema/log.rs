//! `log`: ECS keys, flat (`"log.level"`) or nested. Elastic publishes no schema; these are its decoder's rules.

use super::Rule::{Free, Labels, Object as Nested, Timestamp};
use super::context::FAAS;
use super::{INT, KEYWORD, Object, Slot, TEXT, field};

pub(in crate::intake) static LOG: Object = Object::new(&[
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
    field("log", Free),
    field("service", Free),
    field("process", Free),
    field("event", Free),
    field("error", Free),
]);
