//! `transaction`

use super::Rule::{
    Bool, DroppedSpans, Int, List, Marks, Number, Object as Nested, Outcome, Text, Timestamp,
};
use super::context::{CONTEXT, FAAS, LINK, OTEL, sample_rate};
use super::{INT, KEYWORD, Object, RESERVED, Slot, field, reserved};

pub(crate) static TRANSACTION: Object = Object::new(&[
    field("name", KEYWORD).column(Slot::Name),
    field("type", KEYWORD).column(Slot::Type).required(),
    field("result", KEYWORD).column(Slot::Result),
    field("id", KEYWORD).column(Slot::Id).required(),
    field("trace_id", KEYWORD).column(Slot::TraceId).required(),
    field("parent_id", KEYWORD).column(Slot::ParentId),
    field("duration", Number(0.0))
        .column(Slot::Duration)
        .required(),
    field("timestamp", Timestamp).column(Slot::Timestamp),
    field("sampled", Bool).column(Slot::Sampled),
    field("context", Nested(&CONTEXT)),
    field("span_count", Nested(&SPAN_COUNT))
        .required()
        .taken_out(),
    field("outcome", Outcome).column(Slot::Outcome),
    sample_rate(),
    field("marks", Marks),
    field("dropped_spans_stats", DroppedSpans),
    field("faas", Nested(&FAAS)),
    field("otel", Nested(&OTEL)),
    field("links", List(&LINK)),
    field("session", Nested(&SESSION)),
    field("experience", Nested(&EXPERIENCE)),
    reserved(RESERVED[0]),
    reserved(RESERVED[1]),
    reserved(RESERVED[2]),
]);

static SPAN_COUNT: Object = Object::new(&[
    field("started", INT).slot(Slot::SpansStarted).required(),
    field("dropped", INT).slot(Slot::SpansDropped),
]);

static SESSION: Object = Object::new(&[field("id", KEYWORD).required(), field("sequence", Int(1))]);

static EXPERIENCE: Object = Object::new(&[
    field("cls", Number(0.0)),
    field("fid", Number(0.0)),
    field("tbt", Number(0.0)),
    field("longtask", Nested(&LONGTASK)),
]);

static LONGTASK: Object = Object::new(&[
    field("count", Int(0)).required(),
    field("max", Number(0.0)).required(),
    field("sum", Number(0.0)).required(),
]);

/// One entry of `dropped_spans_stats`; count and sum are left where those of a composite span are.
pub(crate) static DROPPED_SPANS: Object = Object::new(&[
    field("destination_service_resource", KEYWORD).slot(Slot::DestinationResource),
    field("service_target_type", Text(512)).slot(Slot::TargetType),
    field("service_target_name", Text(512)).slot(Slot::TargetName),
    field("outcome", Outcome).slot(Slot::Outcome),
    field("duration", Nested(&DROPPED_DURATION)),
]);

static DROPPED_DURATION: Object = Object::new(&[
    field("count", Int(1)).slot(Slot::CompositeCount),
    field("sum", Nested(&DROPPED_SUM)),
]);

static DROPPED_SUM: Object = Object::new(&[field("us", Int(0)).slot(Slot::CompositeSum)]);
