//! The tables of series of metrics.

diesel::table! {
    use diesel::sql_types::*;

    metric_series (id) {
        id -> BigInt,
        service_id -> BigInt,
        name_id -> BigInt,
        kind -> Integer,
        unit -> Text,
        labels -> Text,
        last_seen -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    metric_state (series_id, process, start) {
        series_id -> BigInt,
        process -> BigInt,
        start -> BigInt,
        ts -> BigInt,
        count -> Double,
        sum -> Double,
        bins -> Binary,
    }
}
