//! Rules, receivers, silences, states and messages in the database.

pub(crate) mod history;
pub(crate) mod rules;
pub(crate) mod states;

diesel::table! {
    alert_rule (id) {
        id -> Text,
        document -> Text,
        changed -> BigInt,
    }
}

diesel::table! {
    alert_receiver (name) {
        name -> Text,
        document -> Text,
        changed -> BigInt,
    }
}

diesel::table! {
    alert_silence (rule) {
        rule -> Text,
        until -> BigInt,
    }
}

diesel::table! {
    alert_watch (rule) {
        rule -> Text,
        since -> BigInt,
    }
}

diesel::table! {
    alert_state (rule, subject) {
        rule -> Text,
        subject -> Text,
        phase -> Integer,
        since -> BigInt,
        calm -> Nullable<BigInt>,
        document -> Text,
    }
}

diesel::table! {
    alert_history (id) {
        id -> BigInt,
        at -> BigInt,
        rule -> Text,
        change -> Text,
        silenced -> Integer,
        document -> Text,
    }
}

diesel::table! {
    alert_delivery (history_id, receiver) {
        history_id -> BigInt,
        receiver -> Text,
        state -> Text,
        attempts -> Integer,
        at -> BigInt,
        error -> Nullable<Text>,
    }
}
