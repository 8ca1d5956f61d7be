//! The types of option values, and how their texts are read.
//!
//! The specification's rules are strict, and the agents of other languages take more: `False`, or a list with one bad
//! item in it. Some kinds therefore have a second, tolerant reading, which is used with a warning where the strict one
//! fails.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::shown::Secret;
use crate::trace::sampler::SampleRate;
use crate::util::list::{items, join};
use crate::util::wildcard::WildcardList;

/// A type of option: its name in the documentation, and its parser. The error says what is wrong with the text.
pub(super) struct Kind<T> {
    pub(super) label: &'static str,
    /// Whether the start-up log shows the value in quotes.
    pub(super) quoted: bool,
    pub(super) parse: fn(&str) -> Result<T, String>,
    /// The tolerant reading of a text that cannot be parsed, with what is wrong with it.
    tolerate: fn(&str) -> Option<Tolerated>,
}

/// A text that is taken in the place of another, and the reason.
pub(super) struct Tolerated {
    text: String,
    why: String,
}

/// A text as it was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Understood {
    /// The text that counts: without blanks around it, and as the option's kind wants it.
    pub(super) text: String,
    /// The fault of the text that was given.
    pub(super) why: Option<String>,
}

impl<T> Kind<T> {
    pub(super) const fn new(
        label: &'static str,
        quoted: bool,
        parse: fn(&str) -> Result<T, String>,
    ) -> Self {
        Self {
            label,
            quoted,
            parse,
            tolerate: |_| None,
        }
    }

    const fn tolerant(mut self, tolerate: fn(&str) -> Option<Tolerated>) -> Self {
        self.tolerate = tolerate;
        self
    }

    /// Reads a text. Blanks and line breaks around it never count: files and secrets of containers end in them.
    pub(super) fn read(&self, text: &str) -> Result<(T, Understood), String> {
        let text = text.trim();
        let failed = match (self.parse)(text) {
            Ok(value) => {
                let text = text.to_owned();
                return Ok((value, Understood { text, why: None }));
            }
            Err(reason) => reason,
        };
        let Some(Tolerated { text, why }) = (self.tolerate)(text) else {
            return Err(failed);
        };
        let value = (self.parse)(&text)?;
        let why = Some(why);
        Ok((value, Understood { text, why }))
    }
}

pub(super) const BOOL: Kind<bool> = Kind::new("boolean", false, |text| match text {
    "true" => Ok(true),
    "false" => Ok(false),
    _ => Err("expected `true` or `false`".to_owned()),
})
.tolerant(|text| {
    let lower = text.to_ascii_lowercase();
    let meant = match lower.as_str() {
        "true" | "t" | "1" => "true",
        "false" | "f" | "0" => "false",
        _ => return None,
    };
    Some(Tolerated {
        text: meant.to_owned(),
        why: format!("it is taken for `{meant}`"),
    })
});

pub(super) const COUNT: Kind<u32> = Kind::new("integer ≥ 0", false, |text| {
    digits(text)
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| "expected a whole number, 0 or more".to_owned())
});

/// `None` is unlimited.
pub(super) const LIMIT: Kind<Option<usize>> = Kind::new("integer ≥ -1", false, |text| match text {
    "-1" => Ok(None),
    _ => digits(text)
        .and_then(|digits| digits.parse().ok())
        .map(Some)
        .ok_or_else(|| "expected a whole number, -1 or more".to_owned()),
});

pub(super) const RATE: Kind<SampleRate> = Kind::new("number from 0 to 1", false, |text| {
    SampleRate::parse(text).ok_or_else(|| "out of range [0,1.0]".to_owned())
});

pub(super) const TEXT: Kind<Option<String>> = Kind::new("text", true, |text| {
    Ok((!text.is_empty()).then(|| text.to_owned()))
});

pub(super) const SECRET: Kind<Option<Secret>> = Kind::new("text", true, |text| {
    // The reason must not repeat the text.
    match text.chars().position(|letter| !matches!(letter, ' '..='~')) {
        Some(at) => Err(format!(
            "the character at position {} cannot be sent in a header: only visible ASCII characters can",
            at + 1
        )),
        None => Ok((!text.is_empty()).then(|| Secret::new(text))),
    }
});

pub(super) const PATH: Kind<Option<PathBuf>> = Kind::new("path", true, |text| {
    Ok((!text.is_empty()).then(|| text.into()))
});

/// Elastic allows letters, digits, blanks, `_` and `-`; anything else becomes `_`, so that the service is seen at all.
pub(super) const SERVICE_NAME: Kind<String> = Kind::new("text", true, |text| {
    let name: String = text
        .trim()
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || " _-".contains(letter) {
                letter
            } else {
                '_'
            }
        })
        .take(1024)
        .collect();
    if name.is_empty() {
        Err("a service name must not be blank".to_owned())
    } else {
        Ok(name)
    }
});

pub(super) const SERVER_URL: Kind<Url> = Kind::new("URL", true, server_url);

pub(super) const SERVER_URLS: Kind<Vec<Url>> = Kind::new("list of URLs", true, |text| {
    items(text).map(server_url).collect()
})
.tolerant(|text| without_bad_items(text, |item| server_url(item).is_ok()));

/// URLs with passwords: neither a value nor a reason is ever shown.
pub(super) const DATABASE_URLS: Kind<Vec<Secret>> =
    Kind::new("list of database URLs", true, |text| {
        items(text).map(database_url).collect()
    })
    .tolerant(|text| {
        let good: Vec<_> = items(text)
            .filter(|item| database_url(item).is_ok())
            .collect();
        (!good.is_empty()).then(|| Tolerated {
            text: join(good),
            why: "what is no URL of a database is left out".to_owned(),
        })
    });

pub(super) const WILDCARDS: Kind<WildcardList> =
    Kind::new("list of wildcard patterns", true, |text| {
        Ok(WildcardList::parse(text))
    });

pub(super) const MAPPING: Kind<Vec<(String, String)>> =
    Kind::new("mapping `key=value,…`", true, |text| {
        items(text).map(pair).collect()
    })
    .tolerant(|text| without_bad_items(text, |item| pair(item).is_ok()));

fn pair(item: &str) -> Result<(String, String), String> {
    match item.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("expected `key=value`, found `{item}`")),
    }
}

/// A list without the items that are not understood. `None` if no item is left.
fn without_bad_items(text: &str, is_good: impl Fn(&str) -> bool) -> Option<Tolerated> {
    let (good, bad): (Vec<_>, Vec<_>) = items(text).partition(|item| is_good(item));
    (!good.is_empty()).then(|| Tolerated {
        text: join(good),
        why: format!("left out: {}", bad.join(", ")),
    })
}

pub(super) const DURATION: Kind<Duration> = Kind::new("duration (`ms`, `s`, `m`)", false, |text| {
    positive(signed_duration(
        text,
        &[("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000)],
    )?)
});

pub(super) const FINE_DURATION: Kind<Duration> =
    Kind::new("duration (`us`, `ms`, `s`, `m`)", false, |text| {
        positive(signed_duration(
            text,
            &[
                ("us", 1),
                ("ms", 1_000),
                ("s", 1_000_000),
                ("m", 60_000_000),
            ],
        )?)
    });

/// The longest time that something may take; zero is no limit, and so is a negative duration, as other agents write it.
pub(super) const TIMEOUT: Kind<Duration> = Kind::new("duration (`ms`, `s`, `m`)", false, |text| {
    let micros = signed_duration(text, &[("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000)])?;
    Ok(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
});

/// A threshold: `None`, written as a negative duration, is never reached.
pub(super) const THRESHOLD: Kind<Option<Duration>> =
    Kind::new("duration (`ms`, `s`, `m`)", false, |text| {
        let micros = signed_duration(text, &[("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000)])?;
        Ok(u64::try_from(micros).ok().map(Duration::from_micros))
    });

/// An interval of whole seconds or more; zero means never.
pub(super) const INTERVAL: Kind<Duration> = Kind::new("duration (`ms`, `s`, `m`)", false, |text| {
    let interval = (DURATION.parse)(text)?;
    if interval.is_zero() || interval >= Duration::from_secs(1) {
        Ok(interval)
    } else {
        Err("expected `0s` or at least `1s`".to_owned())
    }
});

pub(super) const SIZE: Kind<usize> = Kind::new("size (`b`, `kb`, `mb`, `gb`)", false, |text| {
    let invalid = || "expected a whole number followed by `b`, `kb`, `mb` or `gb`".to_owned();
    let lower = text.to_ascii_lowercase();
    let number = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match &lower[number.len()..] {
        "b" => 0,
        "kb" => 10,
        "mb" => 20,
        "gb" => 30,
        _ => return Err(invalid()),
    };
    let value: usize = digits(number)
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(invalid)?;
    value
        .checked_mul(1 << shift)
        .ok_or_else(|| "too large".to_owned())
});

/// Non-empty and nothing but ASCII digits: `parse` alone would also take a sign.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// Microseconds. The unit is required, and lower case.
fn signed_duration(text: &str, units: &[(&str, i64)]) -> Result<i64, String> {
    let unsigned = text.strip_prefix('-');
    let (sign, unsigned) = unsigned.map_or((1, text), |unsigned| (-1, unsigned));
    let number = unsigned.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = &unsigned[number.len()..];
    let known = units.iter().find(|(name, _)| *name == unit);
    let (Some((_, micros)), Some(digits)) = (known, digits(number)) else {
        let names: Vec<_> = units.iter().map(|(name, _)| format!("`{name}`")).collect();
        return Err(format!(
            "expected a whole number followed by one of {}",
            names.join(", ")
        ));
    };
    let value: Option<i64> = digits.parse().ok();
    value
        .and_then(|value| value.checked_mul(sign * micros))
        .ok_or_else(|| "too large".to_owned())
}

fn positive(micros: i64) -> Result<Duration, String> {
    u64::try_from(micros)
        .map(Duration::from_micros)
        .map_err(|_| "must not be negative".to_owned())
}

fn server_url(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text)
        .map_err(|error| format!("expected a URL such as http://127.0.0.1:8200: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("expected an http:// or https:// URL".to_owned());
    }
    url.set_query(None);
    url.set_fragment(None);
    // `Url::join` would replace the last part of a path that ends in no slash.
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

fn database_url(text: &str) -> Result<Secret, String> {
    const EXPECTED: &str = "expected postgres://…/database or mysql://…/database";
    let url = Url::parse(text).map_err(|_| EXPECTED.to_owned())?;
    let is_known = matches!(
        url.scheme(),
        "postgres" | "postgresql" | "mysql" | "mariadb"
    );
    let has_name = url.path().trim_matches('/').chars().next().is_some();
    if is_known && has_name {
        Ok(Secret::new(text))
    } else {
        Err(EXPECTED.to_owned())
    }
}

#[cfg(test)]
mod tests;
