//! Values with a unit: `transaction.duration.us > 5ms`, `http.response.encoded_body_size.bytes > 2MB`.
//!
//! The name of a field tells its unit: those that end in `.us` are microseconds, those in `.bytes` bytes. A value with
//! a unit is converted for these, and refused where the field has none: it would be compared as text.

/// Units of time, in microseconds.
const TIMES: [(&str, f64); 10] = [
    ("ns", 1e-3),
    ("us", 1.0),
    ("µs", 1.0),
    ("μs", 1.0),
    ("ms", 1e3),
    ("s", 1e6),
    ("m", 60e6),
    ("min", 60e6),
    ("h", 3_600e6),
    ("d", 86_400e6),
];
/// Units of size, in bytes.
const SIZES: [(&str, f64); 9] = [
    ("b", 1.0),
    ("kb", 1e3),
    ("mb", 1e6),
    ("gb", 1e9),
    ("tb", 1e12),
    ("kib", 1024.0),
    ("mib", 1_048_576.0),
    ("gib", 1_073_741_824.0),
    ("tib", 1_099_511_627_776.0),
];

/// The text that an error gives as expected.
const WANTED_TIME: &str = "expected a number of microseconds, or a duration such as 5ms or 1.5s,";
const WANTED_SIZE: &str = "expected a number of bytes, or a size such as 2MB or 64KiB,";
const WANTED_NUMBER: &str = "expected a number without a unit";

/// The number that a value with a unit is in the unit of its field; nothing where the value has none.
pub(crate) fn of_field(field: &str, text: &str) -> Result<Option<f64>, &'static str> {
    let Some((number, unit)) = split(text) else {
        return Ok(None);
    };
    let find = |units, unit: &str| Some(number * factor(units, unit)?);
    let (time, size) = (
        find(&TIMES[..], unit),
        find(&SIZES[..], &unit.to_lowercase()),
    );
    match field.rsplit('.').next() {
        _ if time.is_none() && size.is_none() => Ok(None),
        Some("us") => time.map(Some).ok_or(WANTED_TIME),
        Some("bytes") => size.map(Some).ok_or(WANTED_SIZE),
        _ => Err(WANTED_NUMBER),
    }
}

/// The microseconds of a duration with a unit, such as `5ms` or `1.2 s`; nothing where it is none.
///
/// ```
/// assert_eq!(kql::micros("1.2 s"), Some(1_200_000.0));
/// assert_eq!(kql::micros("1200"), None);
/// ```
#[must_use]
pub fn micros(text: &str) -> Option<f64> {
    let (number, unit) = split(text)?;
    Some(number * factor(&TIMES, unit)?)
}

/// The factor of a unit.
fn factor(units: &[(&str, f64)], unit: &str) -> Option<f64> {
    let found = units.iter().find(|(name, _)| *name == unit);
    found.map(|(_, factor)| *factor)
}

/// A number and the letters after it.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(char::is_alphabetic)?;
    let number: f64 = text[..end].trim_end().parse().ok()?;
    Some((number, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_field() {
        let (us, bytes) = ("transaction.duration.us", "http.response.body.bytes");
        for (field, text, wanted) in [
            (us, "5ms", Ok(Some(5_000.0))),
            (us, "1.5 s", Ok(Some(1_500_000.0))),
            (us, "250µs", Ok(Some(250.0))),
            (us, "2m", Ok(Some(120_000_000.0))),
            (us, "5000", Ok(None)),
            (us, "5MB", Err(WANTED_TIME)),
            (bytes, "2MB", Ok(Some(2e6))),
            (bytes, "1kib", Ok(Some(1024.0))),
            (bytes, "5ms", Err(WANTED_SIZE)),
            ("labels.size", "5ms", Err(WANTED_NUMBER)),
            ("service.version", "1.4-rc", Ok(None)),
            ("service.version", "v1", Ok(None)),
            ("labels.name", "1e3", Ok(None)),
            ("labels.name", "", Ok(None)),
        ] {
            assert_eq!(of_field(field, text), wanted, "{field} {text}");
        }
    }
}
