use diesel::sql_types::{BigInt, Double, Nullable};

use super::*;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Nullable<Double>)]
    nil: Option<f64>,
}

const TEXT: &str = "-- :not a parameter\nSELECT :text || ' :no' || :text AS text, /* :nor */ :number AS number, \
                        NULLIF(:nothing, ':none') AS nil, 1 AS \":x\"";

fn question() -> Sql {
    Sql::new(TEXT)
        .bind("number", 7)
        .bind("unused", 1.5)
        .bind("text", "it's")
        .bind("nothing", None::<i64>)
}

#[test]
fn values_reach_the_parameters_of_their_names() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let row: Row = question().first(&mut conn).unwrap();
    assert_eq!(
        (row.text.as_str(), row.number, row.nil),
        ("it's :noit's", 7, None)
    );
}

#[test]
fn a_parameter_without_a_value_is_an_error_with_its_name() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let error = Sql::new(TEXT).first::<Row>(&mut conn).err().unwrap();
    assert!(error.to_string().contains(":text"), "{error}");
}

#[test]
fn the_shell_text_holds_the_values_and_gives_the_same_row() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let text = question().shell();
    assert!(text.contains("'it''s' || ' :no' || 'it''s'"), "{text}");
    let row: Row = Sql::new(text).first(&mut conn).unwrap();
    assert_eq!(row.text, "it's :noit's");
    assert_eq!(
        Sql::new("SELECT :a, :b")
            .bind("a", Value::Blob(vec![1, 255]))
            .bind("b", 2.0)
            .shell(),
        "SELECT x'01ff', 2.0"
    );
}
