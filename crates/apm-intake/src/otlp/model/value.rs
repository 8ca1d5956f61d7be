//! Reading of values from JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::conventions::{KeyValue, Value};
use crate::otlp::lenient;

impl<'de: 'a, 'a> Deserialize<'de> for KeyValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Pair { key, value } = Pair::deserialize(deserializer)?;
        Ok(Self { key, value })
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Pair<'a> {
    #[serde(deserialize_with = "lenient::text")]
    key: std::borrow::Cow<'a, str>,
    #[serde(deserialize_with = "lenient::or_default")]
    value: Value<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OneOf)
    }
}

/// `{"stringValue": …}`; the last known member wins, and one that is null says nothing.
struct OneOf;

impl<'de> Visitor<'de> for OneOf {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one value, such as {\"stringValue\": \"x\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let mut value = Value::Empty;
        while let Some(lenient::Key(key)) = map.next_key()? {
            let given = match &*key {
                "stringValue" => map
                    .next_value::<Option<lenient::Text<'de>>>()?
                    .map(|text| Value::Text(text.0)),
                "boolValue" => map.next_value::<Option<bool>>()?.map(Value::Bool),
                "intValue" => map
                    .next_value::<Option<lenient::Int>>()?
                    .map(|int| Value::Int(int.0)),
                "doubleValue" => map
                    .next_value::<Option<lenient::Double>>()?
                    .map(|double| Value::Double(double.0)),
                "arrayValue" => map
                    .next_value::<Option<Array<'de>>>()?
                    .map(|array| Value::Array(array.values)),
                "kvlistValue" => map
                    .next_value::<Option<List<'de>>>()?
                    .map(|list| Value::Map(list.values)),
                "bytesValue" => map
                    .next_value::<Option<IgnoredAny>>()?
                    .map(|_| Value::Bytes),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    None
                }
            };
            value = given.unwrap_or(value);
        }
        Ok(value)
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Array<'a> {
    #[serde(deserialize_with = "lenient::list")]
    values: Vec<Value<'a>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct List<'a> {
    #[serde(deserialize_with = "lenient::list")]
    values: Vec<KeyValue<'a>>,
}
