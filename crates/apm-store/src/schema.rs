//! The tables as Diesel sees them; what they mean stands in `migrations/`.
//!
//! A test compares each of them with what the migrations make.

mod engine;
mod metrics;

pub use engine::{output, output_aggregate, output_refusal, output_refused};
pub use metrics::{metric_series, metric_state};

diesel::table! {
    use diesel::sql_types::*;

    service (id) {
        id -> BigInt,
        name -> Text,
        environment -> Text,
        agent_name -> Text,
        agent_version -> Text,
        language -> Text,
        version -> Text,
        first_seen -> BigInt,
        last_seen -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    resource (id) {
        id -> BigInt,
        service_id -> BigInt,
        hash -> BigInt,
        document -> Text,
        last_seen -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    tx_group (id) {
        id -> BigInt,
        service_id -> BigInt,
        #[sql_name = "type"]
        type_ -> Text,
        name -> Text,
        last_seen -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    span_group (id) {
        id -> BigInt,
        service_id -> BigInt,
        name -> Text,
        #[sql_name = "type"]
        type_ -> Text,
        subtype -> Text,
        action -> Text,
        last_seen -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    destination (id) {
        id -> BigInt,
        service_id -> BigInt,
        resource -> Text,
        target_type -> Text,
        target_name -> Text,
        span_type -> Text,
        span_subtype -> Text,
        last_seen -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    statement (id) {
        id -> BigInt,
        service_id -> BigInt,
        instance -> Text,
        subtype -> Text,
        fingerprint -> BigInt,
        normalized -> Text,
        sample -> Text,
        verb -> Text,
        table_name -> Text,
        first_seen -> BigInt,
        last_seen -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    error_group (id) {
        id -> BigInt,
        service_id -> BigInt,
        grouping_key -> BigInt,
        #[sql_name = "type"]
        type_ -> Text,
        message -> Text,
        culprit -> Text,
        handled -> Nullable<Bool>,
        first_seen -> BigInt,
        last_seen -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    result (id) {
        id -> BigInt,
        service_id -> BigInt,
        value -> Text,
        last_seen -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    metric_name (id) {
        id -> BigInt,
        service_id -> BigInt,
        name -> Text,
        last_seen -> BigInt,
    }
}

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
    }
}

diesel::table! {
    use diesel::sql_types::*;

    stack (id) {
        id -> BigInt,
        hash -> BigInt,
        last_seen -> BigInt,
        data -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    trace_at (key, block) {
        key -> BigInt,
        block -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    roll_tx (level, group_id, bucket, result_id, outcome) {
        level -> Integer,
        group_id -> BigInt,
        bucket -> BigInt,
        result_id -> BigInt,
        outcome -> Integer,
        count -> Double,
        n -> BigInt,
        sum -> Double,
        max -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    roll_tx_hist (level, group_id, bucket, outcome, bin) {
        level -> Integer,
        group_id -> BigInt,
        bucket -> BigInt,
        outcome -> Integer,
        bin -> Integer,
        count -> Double,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    roll_statement (level, statement_id, bucket, outcome) {
        level -> Integer,
        statement_id -> BigInt,
        bucket -> BigInt,
        outcome -> Integer,
        count -> Double,
        n -> BigInt,
        sum -> Double,
        max -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    roll_statement_hist (level, statement_id, bucket, outcome, bin) {
        level -> Integer,
        statement_id -> BigInt,
        bucket -> BigInt,
        outcome -> Integer,
        bin -> Integer,
        count -> Double,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    roll_destination (level, destination_id, bucket, outcome) {
        level -> Integer,
        destination_id -> BigInt,
        bucket -> BigInt,
        outcome -> Integer,
        count -> Double,
        n -> BigInt,
        sum -> Double,
        max -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    roll_destination_hist (level, destination_id, bucket, outcome, bin) {
        level -> Integer,
        destination_id -> BigInt,
        bucket -> BigInt,
        outcome -> Integer,
        bin -> Integer,
        count -> Double,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    roll_error (level, group_id, bucket) {
        level -> Integer,
        group_id -> BigInt,
        bucket -> BigInt,
        n -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    roll_breakdown (level, tx_group_id, bucket, span_type, subtype) {
        level -> Integer,
        tx_group_id -> BigInt,
        bucket -> BigInt,
        span_type -> Text,
        subtype -> Text,
        count -> Double,
        sum -> Double,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    roll_received (level, bucket) {
        level -> Integer,
        bucket -> BigInt,
        received -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    event_count (level, kind, bucket, service_id, outcome) {
        level -> Integer,
        kind -> Integer,
        bucket -> BigInt,
        service_id -> BigInt,
        outcome -> Integer,
        n -> BigInt,
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
