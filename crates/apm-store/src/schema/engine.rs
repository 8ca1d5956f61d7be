//! The tables of the output to a search engine.

diesel::table! {
    use diesel::sql_types::*;

    output (id) {
        id -> Integer,
        store -> Text,
        sent -> BigInt,
        flight_kind -> Nullable<Integer>,
        flight_first -> Nullable<BigInt>,
        flight_last -> Nullable<BigInt>,
        flight_count -> Nullable<BigInt>,
        minute -> BigInt,
        ten_minutes -> BigInt,
        hour -> BigInt,
        documents -> BigInt,
        repeated -> BigInt,
        lost -> BigInt,
        engine -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    output_aggregate (id) {
        id -> BigInt,
        dataset -> Text,
        document -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    output_refused (reason) {
        reason -> Text,
        count -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    output_refusal (id) {
        id -> BigInt,
        at -> BigInt,
        reason -> Text,
        error -> Text,
        document -> Text,
    }
}
