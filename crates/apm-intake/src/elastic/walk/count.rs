//! A count of a histogram.

use serde::de::{Deserialize, Deserializer, Error, Unexpected};
use serde_json::Number;

/// A whole number.
pub(super) struct Count(pub(super) i64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(deserializer)?;
        match (number.as_i64(), number.as_f64().unwrap_or_default()) {
            (Some(whole), _) => Ok(Self(whole)),
            (None, float) if is_negative_zero(float) => Ok(Self(0)),
            (None, float) => Err(D::Error::invalid_type(
                Unexpected::Float(float),
                &"a whole number",
            )),
        }
    }
}

/// Whether a float is what the reader makes of `-0`.
pub(super) fn is_negative_zero(value: f64) -> bool {
    value == 0.0 && value.is_sign_negative()
}
