//! JSON that points into the text it was read from.
//!
//! Documents are put together of parts of what was sent. With `serde_json::Value` each part is copied several times on
//! its way; here a part is a reference until it is written.

mod read;
mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Index;

use serde_json::{Number, Value};
pub(crate) use write::write_members;

/// Members of an object, by name. Of equal names the last one counts.
pub(crate) type Members<'a> = BTreeMap<Cow<'a, str>, Json<'a>>;

/// A value.
#[derive(Clone, Debug, Default)]
pub(crate) enum Json<'a> {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Members<'a>),
    /// Another value, as it stands.
    Shared(&'a Json<'a>),
}

static NULL: Json<'static> = Json::Null;

impl<'a> Json<'a> {
    /// An object without members.
    pub(crate) fn object() -> Self {
        Self::Object(Members::new())
    }

    /// The same value, not copied.
    pub(crate) fn share(&'a self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Bool(value) => Self::Bool(*value),
            Self::Number(value) => Self::Number(value.clone()),
            Self::Text(text) => Self::Text(Cow::Borrowed(text)),
            // Parts of any size are one reference.
            Self::List(_) | Self::Object(_) => Self::Shared(self),
            Self::Shared(value) => Self::Shared(value),
        }
    }

    /// Makes a shared object one whose members can be set; they are shared then.
    pub(crate) fn own(&mut self) {
        if let Self::Shared(value) = *self {
            *self = match value {
                Json::Object(members) => Self::Object(share_all(members)),
                Json::Shared(_) => {
                    let mut inner = value.share();
                    inner.own();
                    inner
                }
                value => value.share(),
            };
        }
    }

    /// A copy that points to nothing.
    pub(crate) fn into_static(self) -> Json<'static> {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(value),
            Self::Number(value) => Json::Number(value),
            Self::Text(text) => Json::Text(Cow::Owned(text.into_owned())),
            Self::List(values) => Json::List(values.into_iter().map(Self::into_static).collect()),
            Self::Object(members) => Json::Object(static_members(members)),
            Self::Shared(value) => value.clone().into_static(),
        }
    }

    fn target(&self) -> &Json<'a> {
        let mut at = self;
        while let Self::Shared(value) = at {
            at = value;
        }
        at
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.as_object()?.get(name)
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self.target() {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self.target() {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Json<'a>]> {
        match self.target() {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&Members<'a>> {
        match self.target() {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.target(), Self::Null)
    }

    pub(crate) fn is_string(&self) -> bool {
        matches!(self.target(), Self::Text(_))
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self.target(), Self::Number(_))
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self.target(), Self::Object(_))
    }

    /// The members of an object, the pairs of none otherwise.
    pub(crate) fn members(&'a self) -> impl Iterator<Item = (&'a str, &'a Json<'a>)> {
        let members = self.as_object().into_iter().flatten();
        members.map(|(name, value)| (&**name, value))
    }

    /// The values of a list, none otherwise.
    pub(crate) fn values(&'a self) -> impl DoubleEndedIterator<Item = &'a Json<'a>> {
        self.as_list().unwrap_or_default().iter()
    }
}

/// The same members, not copied.
pub(crate) fn share_all<'a>(members: &'a Members<'_>) -> Members<'a> {
    let shared = members
        .iter()
        .map(|(name, value)| (Cow::Borrowed(&**name), value.share()));
    shared.collect()
}

/// A copy of members that points to nothing.
pub(crate) fn static_members(members: Members<'_>) -> Members<'static> {
    members
        .into_iter()
        .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_static()))
        .collect()
}

impl<'a> Index<&str> for Json<'a> {
    type Output = Json<'a>;

    fn index(&self, name: &str) -> &Json<'a> {
        self.get(name).unwrap_or(&NULL)
    }
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<bool> for Json<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Json<'_> {
    fn from(value: f64) -> Self {
        Number::from_f64(value).map_or(Self::Null, Self::Number)
    }
}

impl<'a> From<Vec<Json<'a>>> for Json<'a> {
    fn from(values: Vec<Json<'a>>) -> Self {
        Self::List(values)
    }
}

impl<'a> From<Members<'a>> for Json<'a> {
    fn from(members: Members<'a>) -> Self {
        Self::Object(members)
    }
}

impl<'a, T: Into<Json<'a>>> From<Option<T>> for Json<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! from_number {
    ($($of:ty),*) => {$(
        impl From<$of> for Json<'_> {
            fn from(value: $of) -> Self {
                Self::Number(value.into())
            }
        }
    )*};
}

from_number!(i32, i64, u16, u32, u64, usize);

impl From<Json<'_>> for Value {
    fn from(json: Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => Self::Number(number),
            Json::Text(text) => Self::String(text.into_owned()),
            Json::List(values) => values.into_iter().map(Self::from).collect(),
            Json::Object(members) => Self::from_members(members),
            Json::Shared(value) => Self::from(value.clone()),
        }
    }
}

/// [`Value`] of members.
trait FromMembers {
    fn from_members(members: Members<'_>) -> Self;
}

impl FromMembers for Value {
    fn from_members(members: Members<'_>) -> Self {
        let members = members
            .into_iter()
            .map(|(name, value)| (name.into_owned(), Self::from(value)));
        Self::Object(members.collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        for text in [
            r#"{"a":[1,-2,3.5,null,true],"b":{"c":"x\"ž\n","d":{}},"e":18446744073709551615,"f":1e300}"#,
            "[]",
            "null",
            r#""x""#,
        ] {
            let read = Json::read(text).expect(text);
            let mut out = Vec::new();
            read.share().write(&mut out);
            let wanted: Value = serde_json::from_str(text).expect(text);
            let written: Value = serde_json::from_slice(&out).expect("JSON");
            assert_eq!(written, wanted);
            assert_eq!(Value::from(read.into_static()), wanted);
        }
    }

    #[test]
    fn of_equal_names_the_last_one_counts() {
        let read = Json::read(r#"{"a":1,"b":2,"a":3}"#).expect("JSON");
        assert_eq!(Value::from(read), json!({"a": 3, "b": 2}));
    }

    #[test]
    fn text_without_escapes_is_not_copied() {
        let read = Json::read(r#"{"a":"plain","b":"x\ny"}"#).expect("JSON");
        assert!(matches!(read["a"], Json::Text(Cow::Borrowed("plain"))));
        assert!(matches!(read["b"], Json::Text(Cow::Owned(_))));
    }

    #[test]
    fn what_is_no_json_or_nests_too_deep_is_an_error() {
        for text in ["", "{", r#"{"a"}"#, "1 2", &"[".repeat(100_000)] {
            assert!(Json::read(text).is_err());
        }
    }
}
