//! Reading of fields from the JSON of OTLP: `null` is absence, numbers of 64 bits are texts or numbers, ids are hex
//! in either case, numbers that JSON has not are texts.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Unexpected, Visitor};

use super::bounds::MAX_ATTRIBUTES;
use super::id;

/// A value; the default for `null`.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A list, without those of its elements that are `null`.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_option(List {
        most: usize::MAX,
        of: PhantomData,
    })
}

/// A list of attributes, of which the first [`MAX_ATTRIBUTES`] are kept.
pub(super) fn attributes<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_option(List {
        most: MAX_ATTRIBUTES,
        of: PhantomData,
    })
}

struct List<T> {
    most: usize,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_none<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while list.len() < self.most {
            match seq.next_element::<Option<T>>()? {
                Some(element) => list.extend(element),
                None => return Ok(list),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(list)
    }
}

/// A text, borrowed where it has no escapes.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    Ok(Option::<Text<'_>>::deserialize(deserializer)?.map_or(Cow::Borrowed(""), |text| text.0))
}

/// A text, borrowed where it has no escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

/// The name of a member.
pub(super) struct Key<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Borrowed).map(Self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Borrowed).map(Self)
    }
}

struct Borrowed;

impl<'de> Visitor<'de> for Borrowed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The id of a trace: 32 hex digits.
pub(super) fn trace_id<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<[u8; 16]>, D::Error> {
    Ok(id::trace(&hex::<16>(&text(deserializer)?)))
}

/// The id of a span: 16 hex digits.
pub(super) fn span_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(id::span(&hex::<8>(&text(deserializer)?)))
}

/// The bytes that hex digits stand for; of anything else, zeros, which are no id.
fn hex<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return bytes;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        match (digit(0), digit(1)) {
            (Some(high), Some(low)) => *byte = u8::try_from(high * 16 + low).unwrap_or_default(),
            _ => return [0; N],
        }
    }
    bytes
}

/// A whole number, or a text that holds one; 0 for `null`.
pub(super) fn number<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128> + Default,
{
    deserializer.deserialize_any(Number(PhantomData))
}

/// A whole number of 64 bits.
pub(super) struct Int(pub(super) i64);

/// A whole number of 64 bits without a sign.
pub(super) struct Count(pub(super) u64);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number(deserializer).map(Self)
    }
}

struct Number<T>(PhantomData<T>);

impl<T: TryFrom<i128> + Default> Number<T> {
    fn from_integer<E: Error>(number: i128) -> Result<T, E> {
        let beyond = || E::custom(format_args!("{number} does not fit the field"));
        T::try_from(number).map_err(|_| beyond())
    }
}

impl<T: TryFrom<i128> + Default> Visitor<'_> for Number<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or a string that holds one")
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        Self::from_integer(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        Self::from_integer(number.into())
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "it has no fraction, and a cast saturates"
    )]
    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        match number.fract() == 0.0 {
            true => Self::from_integer(number as i128),
            false => Err(E::invalid_value(Unexpected::Float(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        match text.parse() {
            Ok(number) => Self::from_integer(number),
            // The JSON of Protocol Buffers allows an exponent in whole numbers, `1e3`.
            Err(_) => match text.parse::<f64>() {
                Ok(number) => self.visit_f64(number),
                Err(_) => Err(E::invalid_value(Unexpected::Str(text), &self)),
            },
        }
    }
}

/// A number that may also be `"NaN"`, `"Infinity"` or `"-Infinity"`.
pub(super) struct Double(pub(super) f64);

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNumber).map(Self)
    }
}

struct AnyNumber;

impl Visitor<'_> for AnyNumber {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or one of \"NaN\", \"Infinity\" and \"-Infinity\"")
    }

    fn visit_f64<E>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    #[expect(clippy::cast_precision_loss, reason = "the field is a double")]
    fn visit_u64<E>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "the field is a double")]
    fn visit_i64<E>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        match text {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            text => text
                .parse()
                .map_err(|_| E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

/// A [`Double`]; 0 for `null`.
pub(super) fn double<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(some_double(deserializer)?.unwrap_or_default())
}

/// A [`Double`] where there is one.
pub(super) fn some_double<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Double>::deserialize(deserializer)?.map(|double| double.0))
}

/// A list of [`Double`]s.
pub(super) fn doubles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let doubles: Vec<Double> = list(deserializer)?;
    Ok(doubles.into_iter().map(|double| double.0).collect())
}

/// A list of whole numbers without signs.
pub(super) fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    let counts: Vec<Count> = list(deserializer)?;
    Ok(counts.into_iter().map(|count| count.0).collect())
}
