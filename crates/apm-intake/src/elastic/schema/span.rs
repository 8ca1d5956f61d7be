//! `span`

use super::Rule::{Bool, Int, List, Number, Object as Nested, Outcome, Stack, Texts, Timestamp};
use super::context::{LINK, OTEL, SPAN_CONTEXT, sample_rate};
use super::{KEYWORD, NUMBER, Object, RESERVED, Slot, TEXT, field, reserved};

pub(crate) static SPAN: Object = Object::new(&[
    field("name", KEYWORD).column(Slot::Name).required(),
    field("type", KEYWORD).column(Slot::Type).required(),
    field("id", KEYWORD).column(Slot::Id).required(),
    field("transaction_id", KEYWORD).column(Slot::TransactionId),
    field("parent_id", KEYWORD)
        .column(Slot::ParentId)
        .required(),
    field("trace_id", KEYWORD).column(Slot::TraceId).required(),
    field("subtype", KEYWORD).column(Slot::Subtype),
    field("action", KEYWORD).column(Slot::Action),
    field("timestamp", Timestamp).column(Slot::Timestamp),
    field("start", NUMBER).column(Slot::Start),
    field("duration", Number(0.0))
        .column(Slot::Duration)
        .required(),
    field("context", Nested(&SPAN_CONTEXT)),
    field("stacktrace", Stack).taken_out(),
    field("sync", Bool),
    field("outcome", Outcome).column(Slot::Outcome),
    sample_rate(),
    field("composite", Nested(&COMPOSITE)),
    field("otel", Nested(&OTEL)),
    field("links", List(&LINK)),
    field("child_ids", Texts(1024)),
    reserved(RESERVED[0]),
    reserved(RESERVED[1]),
    reserved(RESERVED[2]),
])
.any_of(&["start", "timestamp"], "start;timestamp");

static COMPOSITE: Object = Object::new(&[
    field("compression_strategy", TEXT).required(),
    field("count", Int(2)).slot(Slot::CompositeCount).required(),
    field("sum", Number(0.0))
        .slot(Slot::CompositeSum)
        .required(),
]);
