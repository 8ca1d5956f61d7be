//! The tables as Diesel sees them; what they mean stands in `migrations/`.
//!
//! A test compares each of them with what the migrations make.

mod engine;
mod metrics;
mod names;
mod rollups;

pub use engine::{output, output_aggregate, output_refusal, output_refused};
pub use metrics::{metric_series, metric_state};
pub use names::{
    destination, error_group, instance, metric_name, resource, result, service, span_group, stack,
    statement, tx_group,
};
pub use rollups::{
    event_count, roll_breakdown, roll_destination, roll_destination_hist, roll_error,
    roll_received, roll_statement, roll_statement_hist, roll_tx, roll_tx_hist,
};

diesel::table! {
    use diesel::sql_types::*;
    use crate::id::Identifier;

    tx (seq) {
        seq -> BigInt,
        group_id -> BigInt,
        resource_id -> BigInt,
        ts -> BigInt,
        duration -> BigInt,
        trace_id -> Identifier,
        id -> Identifier,
        parent_id -> Nullable<Identifier>,
        outcome -> Integer,
        result_id -> Nullable<BigInt>,
        sampled -> Bool,
        sample_rate -> Nullable<Double>,
        status -> Nullable<Integer>,
        spans_started -> Nullable<BigInt>,
        spans_dropped -> Nullable<BigInt>,
        weight -> Nullable<Double>,
    }
}

// A view: rows are in `span_row`, and ids that spans of a block share in `span_trace`.
diesel::table! {
    use diesel::sql_types::*;
    use crate::id::Identifier;

    span (seq) {
        seq -> BigInt,
        group_id -> BigInt,
        resource_id -> BigInt,
        ts -> BigInt,
        duration -> BigInt,
        trace_id -> Identifier,
        id -> Identifier,
        transaction_id -> Nullable<Identifier>,
        parent_id -> Nullable<Identifier>,
        outcome -> Integer,
        destination_id -> Nullable<BigInt>,
        statement_id -> Nullable<BigInt>,
        status -> Nullable<Integer>,
        composite_count -> Nullable<BigInt>,
        composite_sum -> Nullable<BigInt>,
        sample_rate -> Nullable<Double>,
        steps -> Nullable<BigInt>,
        scan_steps -> Nullable<BigInt>,
        sorts -> Nullable<BigInt>,
        autoindex_steps -> Nullable<BigInt>,
        rows_returned -> Nullable<BigInt>,
        weight -> Nullable<Double>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::id::Identifier;

    error (seq) {
        seq -> BigInt,
        group_id -> BigInt,
        resource_id -> BigInt,
        ts -> BigInt,
        trace_id -> Nullable<Identifier>,
        id -> Identifier,
        transaction_id -> Nullable<Identifier>,
        parent_id -> Nullable<Identifier>,
        tx_group_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::id::Identifier;

    log (seq) {
        seq -> BigInt,
        service_id -> BigInt,
        resource_id -> BigInt,
        ts -> BigInt,
        trace_id -> Nullable<Identifier>,
        transaction_id -> Nullable<Identifier>,
        span_id -> Nullable<Identifier>,
        level -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    metricset (seq) {
        seq -> BigInt,
        service_id -> BigInt,
        resource_id -> BigInt,
        ts -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    metric_sample (service_id, name_id, ts, seq) {
        service_id -> BigInt,
        name_id -> BigInt,
        ts -> BigInt,
        seq -> BigInt,
        value -> Nullable<Double>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    block (id) {
        id -> BigInt,
        received -> BigInt,
        ts_min -> BigInt,
        ts_max -> BigInt,
        events -> Integer,
        data -> Binary,
        sums -> Nullable<Binary>,
        tx_longest -> Nullable<BigInt>,
        span_longest -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    trace_at (key, block) {
        key -> BigInt,
        block -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    service,
    resource,
    tx_group,
    span_group,
    destination,
    statement,
    error_group,
    result,
    metric_name,
    instance,
    tx,
    span,
    error,
    log,
    metricset,
    metric_sample,
    block,
    stack,
    trace_at,
    roll_tx,
    roll_tx_hist,
    roll_statement,
    roll_statement_hist,
    roll_destination,
    roll_destination_hist,
    roll_error,
    roll_breakdown,
    roll_received,
    event_count,
);
