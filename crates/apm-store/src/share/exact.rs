//! A number that another server reads to its last digit.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number as a text, as `1.5e3`. A parser of JSON may be off in the last digit of a number, and a counter that is
/// less than it was seems to begin anew.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Exact(pub(super) f64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{:e}", self.0))
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_to_its_last_digit() {
        let numbers = [
            0.1 + 0.2,
            -7.0,
            0.0,
            1e290,
            f64::MIN_POSITIVE,
            9_007_199_254_740_993.0,
            12_345.678_901_234_567,
        ];
        for number in numbers {
            let json = serde_json::to_string(&Exact(number)).expect("a text");
            let read: Exact = serde_json::from_str(&json).expect("a number");
            assert_eq!(read.0.to_bits(), number.to_bits(), "{json}");
            assert!(json.len() < 30, "{json}");
        }
        assert!(serde_json::from_str::<Exact>(r#""many""#).is_err());
    }
}
