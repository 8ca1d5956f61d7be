//! The dictionaries: tables of names.

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

    stack (id) {
        id -> BigInt,
        hash -> BigInt,
        last_seen -> BigInt,
        data -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    instance (id) {
        id -> BigInt,
        service_id -> BigInt,
        node -> Text,
        host -> Text,
        pod -> Text,
        version -> Text,
        runtime -> Text,
        last_seen -> BigInt,
    }
}
