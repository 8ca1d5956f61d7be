//! `metricset`

use super::Rule::{Counts, Labels, Object as Nested, Present, Samples, ServiceName, Timestamp};
use super::context::FAAS;
use super::{KEYWORD, NUMBER, Object, RESERVED, Slot, TEXT, field, reserved};

pub(crate) static METRICSET: Object = Object::new(&[
    field("samples", Samples).required(),
    field("timestamp", Timestamp).column(Slot::Timestamp),
    field("tags", Labels),
    field("transaction", Nested(&TRANSACTION)),
    field("span", Nested(&SPAN)),
    field("service", Nested(&SERVICE)),
    field("faas", Nested(&FAAS)),
    reserved(RESERVED[0]),
    reserved(RESERVED[1]),
    reserved(RESERVED[2]),
]);

static TRANSACTION: Object = Object::new(&[
    field("name", KEYWORD).slot(Slot::TransactionName),
    field("type", KEYWORD).slot(Slot::TransactionType),
]);

static SPAN: Object = Object::new(&[
    field("type", KEYWORD).slot(Slot::SpanType),
    field("subtype", KEYWORD).slot(Slot::SpanSubtype),
]);

static SERVICE: Object = Object::new(&[
    field("name", ServiceName(false)).slot(Slot::ServiceName),
    field("version", KEYWORD),
]);

/// One sample; its number is left in `Duration`, that it has values in `Start`, that it has counts in `Id`.
pub(crate) static SAMPLE: Object = Object::new(&[
    field("value", NUMBER).slot(Slot::Duration),
    field("values", Present).slot(Slot::Start),
    field("counts", Counts).slot(Slot::Id),
    field("type", TEXT),
    field("unit", TEXT),
])
.any_of(&["value", "values"], "value;values");
