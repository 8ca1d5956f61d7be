//! A document in the making.

use serde_json::{Map, Value};

/// Number of dots of a name of users that become levels. Real names of metrics have eight or so.
const MAX_DOTS: usize = 32;

/// An object whose members are set by dotted paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Sets a field. Null and the empty string are no values; where a parent holds a plain value, the path becomes a
    /// key of its own at the top.
    pub(super) fn set(&mut self, path: &str, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() && value.as_str() != Some("") {
            self.set_even_empty(path, value);
        }
    }

    /// Sets a field for which the empty string is a value.
    pub(super) fn set_even_empty(&mut self, path: &str, value: impl Into<Value>) {
        let value = value.into();
        if let Some(value) = put(&mut self.0, path, value) {
            self.0.insert(path.to_owned(), value);
        }
    }

    /// Adds a field under a name that users chose: it never replaces another, and nests only so far. Gives the value
    /// back where the name is taken, by a field or by the parent of one.
    pub(super) fn add(&mut self, name: &str, value: Value) -> Option<Value> {
        let nests = nests(name);
        let is_taken = match nests {
            true => self.get(name).is_some(),
            false => self.0.contains_key(name),
        };
        if is_taken {
            return Some(value);
        }
        let left = match nests {
            true => put(&mut self.0, name, value)?,
            false => value,
        };
        self.0.insert(name.to_owned(), left);
        None
    }

    /// Sets fields from members of an object: pairs of a pointer's path without its first slash, and a field.
    pub(super) fn copy(&mut self, from: &Value, pairs: &[(&str, &str)]) {
        if !from.is_object() {
            return;
        }
        for (member, field) in pairs {
            let value = member.split('/').fold(from, |value, name| &value[name]);
            self.set(field, value.clone());
        }
    }

    /// The text of a field, empty where there is none.
    pub(super) fn text(&self, path: &str) -> &str {
        self.get(path).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let mut names = rest.split('.').filter(|name| !name.is_empty());
        names.try_fold(self.0.get(first)?, |value, name| value.get(name))
    }

    /// Takes a field out.
    pub(super) fn remove(&mut self, path: &str) {
        let mut at = &mut self.0;
        let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
        for name in parents.split('.').filter(|name| !name.is_empty()) {
            match at.get_mut(name) {
                Some(Value::Object(inner)) => at = inner,
                _ => return,
            }
        }
        at.remove(last);
    }

    /// Adds labels: numbers apart from the others, which become texts.
    pub(super) fn labels(&mut self, labels: &Value) {
        for (key, value) in labels.as_object().into_iter().flatten() {
            let (group, value) = match value {
                Value::String(_) => ("labels", value.clone()),
                Value::Bool(flag) => ("labels", flag.to_string().into()),
                Value::Number(_) => ("numeric_labels", value.clone()),
                // Only OpenTelemetry has labels of several values; those of one label are of one type.
                Value::Array(values) => match values.first() {
                    Some(Value::String(_)) => ("labels", value.clone()),
                    Some(Value::Number(_)) => ("numeric_labels", value.clone()),
                    _ => continue,
                },
                _ => continue,
            };
            let group = self
                .0
                .entry(group)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(group) = group {
                group.insert(legal_key(key), value);
            }
        }
    }

    /// Sets the fields that an object names by their paths.
    pub(super) fn set_all(&mut self, fields: &Value) {
        for (path, value) in fields.as_object().into_iter().flatten() {
            self.set(path, value.clone());
        }
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Puts a value at a path; gives it back where a parent is no object.
fn put(out: &mut Map<String, Value>, path: &str, value: Value) -> Option<Value> {
    let (parents, last) = match path.rsplit_once('.') {
        Some((parents, last)) => (Some(parents), last),
        None => (None, path),
    };
    let mut at = out;
    for name in parents.into_iter().flat_map(|parents| parents.split('.')) {
        let inner = at.entry(name).or_insert_with(|| Value::Object(Map::new()));
        match inner {
            Value::Object(inner) => at = inner,
            _ => return Some(value),
        }
    }
    // An object does not replace another: the event's own fields add to the metadata's.
    match (at.get_mut(last), value) {
        (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
        (_, value) => _ = at.insert(last.to_owned(), value),
    }
    None
}

/// Whether a name that users chose is a path that may nest: each level costs whoever walks the document.
fn nests(name: &str) -> bool {
    name.matches('.').count() <= MAX_DOTS && name.split('.').all(|part| !part.is_empty())
}

/// A key that users chose, without what would be read as a path or a pattern.
pub(super) fn legal_key(key: &str) -> String {
    key.replace(['.', '*', '"'], "_")
}

/// An object with legal keys; null where it is empty.
pub(super) fn legal_keys(object: &Value) -> Value {
    match object.as_object().filter(|members| !members.is_empty()) {
        Some(members) => members
            .iter()
            .map(|(key, value)| (legal_key(key), value.clone()))
            .collect(),
        None => Value::Null,
    }
}

/// A number or a text, as text.
pub(super) fn as_text(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.to_string().into(),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_nest_and_what_cannot_nest_keeps_its_name() {
        let mut out = Fields::default();
        out.set("a", 1);
        out.set("a.b", 2);
        out.set("c.d", json!({"e": 1}));
        out.set("c.d", json!({"f": 2}));
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
            assert_eq!(out.add(taken, 1.into()), Some(1.into()), "{taken}");
        }
        for free in ["a.b.d", "a.b.c.e", "x.y", "x..y", ".x", ""] {
            assert_eq!(out.add(free, 2.into()), None, "{free}");
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
            assert_eq!(out.add(name, 1.into()), None);
            assert_eq!(out.add(name, 2.into()), Some(2.into()));
        }
        assert_eq!(out.get(&deep), Some(&1.into()));
        assert_eq!(out.into_value()[&deeper], 1);
    }

    #[test]
    fn labels_go_by_their_type() {
        let mut out = Fields::default();
        out.labels(&json!({"a.b": "x", "c": true, "d": 1.5, "e": null, "f": {}, "g": ["x"], "h": [1], "i": []}));
        assert_eq!(
            out.into_value(),
            json!({
                "labels": {"a_b": "x", "c": "true", "g": ["x"]},
                "numeric_labels": {"d": 1.5, "h": [1]},
            })
        );
    }
}
