// @generated automatically by Diesel CLI.

diesel::table! {
    people (id) {
        id -> Integer,
        name -> Text,
        age -> Integer,
        surname -> Text,
        city -> Text,
    }
}
