//! Additions of the service to a transaction: user, labels, custom data.
//!
//! Bounded, so that an event stays below the server's size limit: labels and custom entries beyond the bounds are
//! ignored.

use std::borrow::Cow;

use crate::encode::json;
use crate::sql;

const MAX_LABELS: usize = 128;
const MAX_CUSTOM_BYTES: usize = 64 * 1024;

/// The value of a label: text, a number or a boolean.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LabelValue {
    /// Text, of which 1024 characters are kept.
    Text(String),
    /// A number. What is not finite is written as text.
    ///
    /// Servers read numbers as `f64`: an integer above 2⁵³ becomes [`Text`](Self::Text) when it is converted, so that
    /// it keeps its digits.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
}

macro_rules! label_from {
    ($($from:ty => |$value:ident| $to:expr),* $(,)?) => {
        $(impl From<$from> for LabelValue {
            fn from($value: $from) -> Self {
                $to
            }
        })*
    };
}

label_from! {
    &str => |value| Self::Text(value.to_owned()),
    String => |value| Self::Text(value),
    bool => |value| Self::Bool(value),
    f64 => |value| Self::Number(value),
    f32 => |value| Self::Number(value.into()),
    i32 => |value| Self::Number(value.into()),
    u32 => |value| Self::Number(value.into()),
    i8 => |value| Self::Number(value.into()),
    u8 => |value| Self::Number(value.into()),
    i16 => |value| Self::Number(value.into()),
    u16 => |value| Self::Number(value.into()),
    i64 => |value| integer(value.into()),
    u64 => |value| integer(value.into()),
    i128 => |value| integer(value),
    isize => |value| integer(value as i128),
    usize => |value| integer(value as i128),
}

/// A number if it is exact as one, else its digits.
fn integer(value: i128) -> LabelValue {
    const EXACT: u128 = 1 << 53;
    if value.unsigned_abs() <= EXACT {
        LabelValue::Number(value as f64)
    } else {
        LabelValue::Text(value.to_string())
    }
}

/// The person on whose behalf a request is served. Empty by default: the agent never finds a user by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The service's own identifier of the user.
    pub id: Option<String>,
    /// The login name.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// Labels of a transaction or span: keys as the server wants them, values by type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels(Vec<(String, LabelValue)>);

impl Labels {
    /// Sets a label; the last value of a key stands. A text may be SQL: it loses its secrets.
    pub(crate) fn set(&mut self, key: &str, mut value: LabelValue) {
        if let LabelValue::Text(text) = &mut value
            && let Cow::Owned(masked) = sql::message(text, false)
        {
            *text = masked;
        }
        let key = label_key(key);
        let room = self.0.len() < MAX_LABELS;
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None if room => self.0.push((key.into_owned(), value)),
            None => {}
        }
    }

    /// Appends `"tags":{…},` if there are any.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.0.is_empty() {
            return;
        }
        out.extend_from_slice(b"\"tags\":{");
        for (key, value) in &self.0 {
            json::keyword(out, key);
            out.push(b':');
            match value {
                LabelValue::Text(text) => json::keyword(out, text),
                LabelValue::Bool(true) => out.extend_from_slice(b"true"),
                LabelValue::Bool(false) => out.extend_from_slice(b"false"),
                LabelValue::Number(number) if number.is_finite() => {
                    out.extend_from_slice(number.to_string().as_bytes());
                }
                LabelValue::Number(number) => json::keyword(out, &number.to_string()),
            }
            out.push(b',');
        }
        out.pop();
        out.extend_from_slice(b"},");
    }
}

/// `.`, `*` and `"` are not allowed in keys.
fn label_key(key: &str) -> Cow<'_, str> {
    if key.contains(['.', '*', '"']) {
        Cow::Owned(key.replace(['.', '*', '"'], "_"))
    } else {
        Cow::Borrowed(key)
    }
}

/// User, labels and custom data of a transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    pub(crate) user: Option<User>,
    pub(crate) labels: Labels,
    /// `"key":value,` one after the other.
    custom: Vec<u8>,
}

impl Extra {
    /// Adds an entry of custom data, which the server keeps and does not index.
    pub(crate) fn custom(&mut self, key: &str, value: &serde_json::Value) {
        let before = self.custom.len();
        json::keyword(&mut self.custom, &label_key(key));
        self.custom.push(b':');
        let written = serde_json::to_writer(&mut self.custom, value);
        self.custom.push(b',');
        if written.is_err() || self.custom.len() > MAX_CUSTOM_BYTES {
            self.custom.truncate(before);
        }
    }

    /// Appends the members of `context`, each followed by a comma.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if let Some(user) = &self.user {
            let fields = [
                ("id", &user.id),
                ("username", &user.username),
                ("email", &user.email),
            ];
            let set: Vec<_> = fields
                .into_iter()
                .filter_map(|(key, value)| Some((key, value.as_deref()?)))
                .collect();
            if !set.is_empty() {
                out.extend_from_slice(b"\"user\":{");
                for (key, value) in set {
                    json::string(out, key);
                    out.push(b':');
                    json::keyword(out, value);
                    out.push(b',');
                }
                out.pop();
                out.extend_from_slice(b"},");
            }
        }
        self.labels.write(out);
        if !self.custom.is_empty() {
            out.extend_from_slice(b"\"custom\":{");
            out.extend_from_slice(&self.custom);
            out.pop();
            out.extend_from_slice(b"},");
        }
    }
}
