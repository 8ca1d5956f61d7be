//! A document in the making.

use std::borrow::Cow;
use std::collections::btree_map::Entry;

use serde_json::Value;

use crate::json::{Json, Members, share_all, static_members, write_members};

/// Number of dots of a name of users that become levels. Real names of metrics have eight or so.
const MAX_DOTS: usize = 32;

/// An object whose members are set by dotted paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields<'a>(Members<'a>);

impl<'a> Fields<'a> {
    /// Sets a field. Null and the empty string are no values; where a parent holds a plain value, the path becomes a
    /// key of its own at the top.
    pub(super) fn set(&mut self, path: impl Into<Cow<'a, str>>, value: impl Into<Json<'a>>) {
        let value = value.into();
        if !value.is_null() && value.as_str() != Some("") {
            self.set_even_empty(path, value);
        }
    }

    /// Sets a field for which the empty string is a value.
    pub(super) fn set_even_empty(
        &mut self,
        path: impl Into<Cow<'a, str>>,
        value: impl Into<Json<'a>>,
    ) {
        let path = path.into();
        if let Some(value) = put(&mut self.0, &path, value.into()) {
            self.0.insert(path, value);
        }
    }

    /// Adds a field under a name that users chose: it never replaces another, and nests only so far. Gives the value
    /// back where the name is taken, by a field or by the parent of one.
    pub(super) fn add(
        &mut self,
        name: impl Into<Cow<'a, str>>,
        value: Json<'a>,
    ) -> Option<Json<'a>> {
        let name = name.into();
        let nests = nests(&name);
        let is_taken = match nests {
            true => self.get(&name).is_some(),
            false => self.0.contains_key(&name),
        };
        if is_taken {
            return Some(value);
        }
        let left = match nests {
            true => put(&mut self.0, &name, value)?,
            false => value,
        };
        self.0.insert(name, left);
        None
    }

    /// Sets fields from members of an object: pairs of a pointer's path without its first slash, and a field.
    pub(super) fn copy(&mut self, from: &'a Json<'a>, pairs: &[(&'static str, &'static str)]) {
        if !from.is_object() {
            return;
        }
        for (member, field) in pairs {
            let value = member.split('/').fold(from, |value, name| &value[name]);
            self.set(*field, value.share());
        }
    }

    /// The text of a field, empty where there is none.
    pub(super) fn text(&self, path: &str) -> &str {
        self.get(path).and_then(Json::as_str).unwrap_or_default()
    }

    pub(super) fn get(&self, path: &str) -> Option<&Json<'a>> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let mut names = rest.split('.').filter(|name| !name.is_empty());
        names.try_fold(self.0.get(first)?, |value, name| value.get(name))
    }

    /// Takes a field out.
    pub(super) fn remove(&mut self, path: &str) {
        let mut at = &mut self.0;
        let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
        for name in parents.split('.').filter(|name| !name.is_empty()) {
            let Some(inner) = at.get_mut(name) else {
                return;
            };
            // The object may be shared with the metadata's fields, which stay as they are for the next event.
            inner.own();
            match inner {
                Json::Object(inner) => at = inner,
                _ => return,
            }
        }
        at.remove(last);
    }

    /// Adds labels: numbers apart from the others, which become texts.
    pub(super) fn labels(&mut self, labels: &'a Json<'a>) {
        for (key, value) in labels.members() {
            let (group, value) = match value {
                Json::Text(_) => ("labels", value.share()),
                Json::Bool(flag) => ("labels", flag.to_string().into()),
                Json::Number(_) => ("numeric_labels", value.share()),
                // Only OpenTelemetry has labels of several values; those of one label are of one type.
                Json::List(values) => match values.first() {
                    Some(Json::Text(_)) => ("labels", value.share()),
                    Some(Json::Number(_)) => ("numeric_labels", value.share()),
                    _ => continue,
                },
                _ => continue,
            };
            let group = self
                .0
                .entry(Cow::Borrowed(group))
                .or_insert_with(Json::object);
            group.own();
            if let Json::Object(group) = group {
                group.insert(legal_key(key), value);
            }
        }
    }

    /// Sets the fields that an object names by their paths.
    pub(super) fn set_all(&mut self, fields: &'a Json<'a>) {
        for (path, value) in fields.members() {
            self.set(path, value.share());
        }
    }

    /// The same fields, not copied; what is set in them is not set here.
    pub(super) fn share(&'a self) -> Self {
        Self(share_all(&self.0))
    }

    /// A copy that points to nothing.
    pub(super) fn into_static(self) -> Fields<'static> {
        Fields(static_members(self.0))
    }

    pub(super) fn into_value(self) -> Value {
        Json::Object(self.0).into()
    }

    /// Adds the JSON of a field to a text; whether there is one.
    pub(super) fn write_field(&self, path: &str, out: &mut Vec<u8>) -> bool {
        let value = self.get(path);
        if let Some(value) = value {
            value.write(out);
        }
        value.is_some()
    }

    /// Adds the document to a text.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_members(&self.0, out);
    }
}

/// Puts a value at a path; gives it back where a parent is no object.
fn put<'a>(out: &mut Members<'a>, path: &Cow<'a, str>, mut value: Json<'a>) -> Option<Json<'a>> {
    let mut at = out;
    let mut start = 0;
    while let Some(dot) = path[start..].find('.') {
        let inner = at
            .entry(part(path, start, start + dot))
            .or_insert_with(Json::object);
        inner.own();
        match inner {
            Json::Object(inner) => at = inner,
            _ => return Some(value),
        }
        start += dot + 1;
    }
    match at.entry(part(path, start, path.len())) {
        Entry::Vacant(free) => _ = free.insert(value),
        Entry::Occupied(mut old) => {
            // An object does not replace another: the event's own fields add to the metadata's.
            let old = old.get_mut();
            if old.is_object() && value.is_object() {
                old.own();
                value.own();
            }
            match (old, value) {
                (Json::Object(old), Json::Object(new)) => old.extend(new),
                (old, value) => *old = value,
            }
        }
    }
    None
}

/// A part of a path, which is not copied where the path is not.
fn part<'a>(path: &Cow<'a, str>, start: usize, end: usize) -> Cow<'a, str> {
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(&path[start..end]),
        Cow::Owned(path) => Cow::Owned(path[start..end].to_owned()),
    }
}

/// Whether a name that users chose is a path that may nest: each level costs whoever walks the document.
fn nests(name: &str) -> bool {
    name.matches('.').count() <= MAX_DOTS && name.split('.').all(|part| !part.is_empty())
}

/// A key that users chose, without what would be read as a path or a pattern.
pub(super) fn legal_key(key: &str) -> Cow<'_, str> {
    match key.contains(['.', '*', '"']) {
        true => Cow::Owned(key.replace(['.', '*', '"'], "_")),
        false => Cow::Borrowed(key),
    }
}

/// An object with legal keys; null where it is empty.
pub(super) fn legal_keys<'a>(object: &'a Json<'a>) -> Json<'a> {
    match object.as_object().filter(|members| !members.is_empty()) {
        Some(_) => {
            let members = object.members();
            let members: Members<'a> = members
                .map(|(key, value)| (legal_key(key), value.share()))
                .collect();
            members.into()
        }
        None => Json::Null,
    }
}

/// A number or a text, as text.
pub(super) fn as_text<'a>(value: &'a Json<'a>) -> Json<'a> {
    match value {
        Json::Number(number) => number.to_string().into(),
        value => value.share(),
    }
}

#[cfg(test)]
mod tests;
