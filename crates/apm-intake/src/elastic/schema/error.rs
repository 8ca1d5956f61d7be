//! `error`

use super::Rule::{Bool, Free, List, Object as Nested, TextOrInt, Timestamp};
use super::context::{CONTEXT, stacktrace};
use super::{KEYWORD, Object, Slot, TEXT, field};

pub(crate) static ERROR: Object = Object::new(&[
    field("id", KEYWORD).slot(Slot::Id).required(),
    field("trace_id", KEYWORD).slot(Slot::TraceId),
    field("transaction_id", KEYWORD).slot(Slot::TransactionId),
    field("parent_id", KEYWORD).slot(Slot::ParentId),
    field("timestamp", Timestamp).slot(Slot::Timestamp),
    field("culprit", KEYWORD).slot(Slot::Culprit),
    field("exception", Nested(&EXCEPTION)),
    field("log", Nested(&LOG)),
    field("transaction", Nested(&TRANSACTION_OF_ERROR)),
    field("context", Nested(&CONTEXT)),
])
.any_of(&["exception", "log"], "exception;log");

static EXCEPTION: Object = Object::new(&[
    field("message", TEXT).slot(Slot::ExceptionMessage),
    field("type", KEYWORD).slot(Slot::ExceptionType),
    field("code", TextOrInt(1024)),
    field("module", KEYWORD),
    field("handled", Bool).slot(Slot::ExceptionHandled),
    stacktrace(),
    field("attributes", Free),
    field("cause", List(&CAUSE)),
])
.any_of(&["message", "type"], "message;type");

/// Like [`EXCEPTION`], but none of its fields becomes a column.
static CAUSE: Object = Object::new(&[
    field("message", TEXT),
    field("type", KEYWORD),
    field("code", TextOrInt(1024)),
    field("module", KEYWORD),
    field("handled", Bool),
    stacktrace(),
    field("attributes", Free),
    field("cause", List(&CAUSE)),
])
.any_of(&["message", "type"], "message;type");

static LOG: Object = Object::new(&[
    field("message", TEXT).slot(Slot::LogMessage).required(),
    field("param_message", KEYWORD),
    field("level", KEYWORD),
    field("logger_name", KEYWORD),
    stacktrace(),
]);

static TRANSACTION_OF_ERROR: Object = Object::new(&[
    field("name", KEYWORD).slot(Slot::TransactionName),
    field("type", KEYWORD).slot(Slot::TransactionType),
    field("sampled", Bool),
]);
