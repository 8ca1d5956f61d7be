//! A parameter of a question: its name, its form and its meaning. The reader checks values by it, and OpenAPI
//! describes it.

use serde_json::{Value as Json, json};

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// Any text.
    Text,
    /// Any text, and several of them: the parameter may be repeated.
    Texts,
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// A number of at least 0.
    Number,
    /// A duration: a number of at least 0, or one with a unit.
    Duration,
    /// One of some words.
    Word(&'static [&'static str]),
    /// 16 hexadecimal digits.
    Hash,
    /// One of some columns, with `-` before it for descending order.
    Column(&'static [&'static str]),
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// Sentences for its user.
    pub(crate) about: &'static str,
}

impl Parameter {
    pub(crate) const fn text(name: &'static str, about: &'static str) -> Self {
        let form = Form::Text;
        Self { name, form, about }
    }

    pub(crate) const fn texts(name: &'static str, about: &'static str) -> Self {
        let form = Form::Texts;
        Self { name, form, about }
    }

    pub(crate) const fn whole(
        name: &'static str,
        least: i64,
        most: i64,
        about: &'static str,
    ) -> Self {
        let form = Form::Whole(least, most);
        Self { name, form, about }
    }

    pub(crate) const fn number(name: &'static str, about: &'static str) -> Self {
        let form = Form::Number;
        Self { name, form, about }
    }

    pub(crate) const fn duration(name: &'static str, about: &'static str) -> Self {
        let form = Form::Duration;
        Self { name, form, about }
    }

    pub(crate) const fn word(
        name: &'static str,
        words: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        let form = Form::Word(words);
        Self { name, form, about }
    }

    pub(crate) const fn column(
        name: &'static str,
        columns: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        let form = Form::Column(columns);
        Self { name, form, about }
    }

    pub(crate) const fn hash(name: &'static str, about: &'static str) -> Self {
        let form = Form::Hash;
        Self { name, form, about }
    }
}

/// The place of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
}

/// A parameter as a question reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Described {
    pub(crate) parameter: Parameter,
    pub(crate) place: Place,
    pub(crate) required: bool,
}

impl Described {
    /// The description for OpenAPI 3.1.
    pub(crate) fn json(&self) -> Json {
        let schema = match self.parameter.form {
            Form::Texts if self.place == Place::Query => {
                json!({"type": "array", "items": {"type": "string"}})
            }
            Form::Text | Form::Texts => json!({"type": "string"}),
            Form::Whole(least, i64::MAX) => json!({"type": "integer", "minimum": least}),
            Form::Whole(least, most) => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Form::Number => json!({"type": "number", "minimum": 0}),
            Form::Duration => json!({"type": ["number", "string"], "minimum": 0}),
            Form::Word(words) => json!({"type": "string", "enum": words}),
            Form::Column(columns) => {
                let descending = columns.iter().map(|column| format!("-{column}"));
                let columns = columns.iter().map(ToString::to_string).chain(descending);
                json!({"type": "string", "enum": columns.collect::<Vec<_>>()})
            }
            Form::Hash => json!({"type": "string", "pattern": "^[0-9a-fA-F]{16}$"}),
        };
        json!({
            "name": self.parameter.name,
            "in": match self.place { Place::Path => "path", Place::Query => "query" },
            "description": self.parameter.about,
            "required": self.required,
            "schema": schema,
        })
    }
}

/// Parameters that many questions share.
pub(crate) mod shared {
    use super::Parameter;

    pub(crate) const FROM: Parameter = Parameter::text(
        "from",
        "Start of the range: RFC 3339, `now-15m`, `now-1d/d` and the like, or `18:00`, `yesterday`, \
         `last Friday 9:00`, `2 hours ago`. Default `now-15m`.",
    );
    pub(crate) const TO: Parameter =
        Parameter::text("to", "End of the range, likewise. Default `now`.");
    pub(crate) const TZ: Parameter = Parameter::text(
        "tz",
        "The time zone of dates without an offset and of the days of `/d`, such as `Europe/Berlin`. Default: UTC.",
    );
    pub(crate) const ENV: Parameter = Parameter::texts(
        "env",
        "`service.environment`; repeat it for several. Default: all of them.",
    );
    pub(crate) const NOT_ENV: Parameter = Parameter::texts(
        "not_env",
        "A `service.environment` that is left out; repeat it for several.",
    );
    pub(crate) const CMP: Parameter = Parameter::word(
        "cmp",
        &["previous", "day", "week", "off"],
        "The earlier window of `previous`: the one just before, or the same a day or a week before. It must not \
         overlap the range. Default `previous`; `off` leaves `previous` out.",
    );
    pub(crate) const Q: Parameter = Parameter::text(
        "q",
        "A query in the KQL subset: `field:value`, `and`, `or`, `not`, ranges, wildcards, quotes, parentheses. Dates \
         mean all of their day, month or year, `client.ip` takes networks, ids are found however they are written. \
         Lists can be filtered by some fields only, and say by which.",
    );
    pub(crate) const SERVICE: Parameter = Parameter::texts(
        "service",
        "`service.name`; in a query string, repeat it for several.",
    );
    pub(crate) const NOT_SERVICE: Parameter = Parameter::texts(
        "not_service",
        "A `service.name` that is left out; repeat it for several.",
    );
    pub(crate) const TYPE: Parameter = Parameter::text("type", "`transaction.type`");
    pub(crate) const NAME: Parameter = Parameter::text("name", "`transaction.name`");
    pub(crate) const AFTER: Parameter = Parameter::text("after", "`next` of the answer before.");
    pub(crate) const FINGERPRINT: Parameter =
        Parameter::hash("fingerprint", "`fingerprint` of a statement.");
}
