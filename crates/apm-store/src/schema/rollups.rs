//! The tables of counts.

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
