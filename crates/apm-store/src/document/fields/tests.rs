use serde_json::json;

use super::*;

#[test]
fn fields_nest_and_what_cannot_nest_keeps_its_name() {
    let mut out = Fields::default();
    out.set("a", 1);
    out.set("a.b", 2);
    let (e, f) = (
        Json::read(r#"{"e": 1}"#).unwrap(),
        Json::read(r#"{"f": 2}"#).unwrap(),
    );
    out.set("c.d", e);
    out.set("c.d", f.share());
    out.set("c.g", "");
    out.remove("c.d.e");
    assert_eq!(out.text("c.g"), "");
    assert_eq!(
        out.into_value(),
        json!({"a": 1, "a.b": 2, "c": {"d": {"f": 2}}})
    );
}

#[test]
fn a_name_that_users_chose_replaces_no_field_and_no_parent_of_one() {
    let mut out = Fields::default();
    out.set("a.b.c", "own");
    for taken in ["a", "a.b", "a.b.c"] {
        assert!(out.add(taken, 1.into()).is_some(), "{taken}");
    }
    for free in ["a.b.d", "a.b.c.e", "x.y", "x..y", ".x", ""] {
        assert!(out.add(free, 2.into()).is_none(), "{free}");
    }
    assert_eq!(
        out.into_value(),
        json!({
            "": 2, ".x": 2, "x..y": 2, "x": {"y": 2},
            "a": {"b": {"c": "own", "d": 2}}, "a.b.c.e": 2,
        })
    );
}

#[test]
fn a_name_of_many_dots_is_one_key() {
    let (deep, deeper) = (vec!["a"; 33].join("."), vec!["a"; 34].join("."));
    let mut out = Fields::default();
    for name in [&deep, &deeper] {
        assert!(out.add(name.as_str(), 1.into()).is_none());
        assert!(out.add(name.as_str(), 2.into()).is_some());
    }
    assert_eq!(out.get(&deep).and_then(Json::as_f64), Some(1.0));
    assert_eq!(out.into_value()[&deeper], 1);
}

#[test]
fn labels_go_by_their_type() {
    let sent =
        r#"{"a.b": "x", "c": true, "d": 1.5, "e": null, "f": {}, "g": ["x"], "h": [1], "i": []}"#;
    let sent = Json::read(sent).unwrap();
    let mut out = Fields::default();
    out.labels(&sent);
    assert_eq!(
        out.into_value(),
        json!({
            "labels": {"a_b": "x", "c": "true", "g": ["x"]},
            "numeric_labels": {"d": 1.5, "h": [1]},
        })
    );
}
