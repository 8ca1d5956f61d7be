//! The types of option values, and how their texts are read.
//!
//! The specification's rules are strict, and the agents of other languages take more: `False`, or a list with one bad item in it. Some
//! kinds therefore have a second, tolerant reading, which is used with a warning where the strict one fails.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::shown::Secret;
use crate::trace::sampler::SampleRate;
use crate::util::wildcard::WildcardList;

/// A type of option: its name in the documentation, and its parser. The error says what is wrong with the text.
pub(super) struct Kind<T> {
    pub(super) label: &'static str,
    /// Whether the start-up log shows the value in quotes.
    pub(super) quoted: bool,
    pub(super) parse: fn(&str) -> Result<T, String>,
    /// What a text must have meant that cannot be parsed, and what is wrong with it.
    tolerate: fn(&str) -> Option<Tolerated>,
}

/// What a text is taken for, and the reason why it is not taken as it is.
pub(super) struct Tolerated {
    text: String,
    why: String,
}

/// How a text was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Understood {
    /// The text that counts: without blanks around it, and as the option's kind wants it.
    pub(super) text: String,
    /// What was wrong with the one that was given.
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
        text: good.join(","),
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

/// How long something may take; zero is no limit, and so is a negative duration, as other agents write it.
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

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
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
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: PartialEq + std::fmt::Debug>(
        kind: &Kind<T>,
        valid: &[(&str, T)],
        invalid: &[&str],
    ) {
        for (text, expected) in valid {
            assert_eq!((kind.parse)(text).as_ref(), Ok(expected), "{text:?}");
        }
        for text in invalid {
            assert!((kind.parse)(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn durations_need_their_unit_and_mind_its_case() {
        let millis = Duration::from_millis;
        let invalid = [
            "",
            "5",
            "s",
            "5 s",
            "5S",
            "5h",
            "1.5s",
            "+5s",
            "--5s",
            "5us",
            "-5s",
            "99999999999999999999s",
            "9999999999999999m",
        ];
        check(
            &DURATION,
            &[
                ("0ms", millis(0)),
                ("5ms", millis(5)),
                ("5s", millis(5_000)),
                ("2m", millis(120_000)),
            ],
            &invalid,
        );
        check(
            &FINE_DURATION,
            &[("7us", Duration::from_micros(7)), ("1ms", millis(1))],
            &["5", "5US", "-1us"],
        );
        check(
            &THRESHOLD,
            &[
                ("-1ms", None),
                ("0ms", Some(millis(0))),
                ("5ms", Some(millis(5))),
            ],
            &["-1", "0", "5us"],
        );
        check(
            &INTERVAL,
            &[("0s", millis(0)), ("1s", millis(1_000))],
            &["1ms", "999ms", "-1s"],
        );
    }

    #[test]
    fn sizes_count_in_1024_and_ignore_case() {
        let valid = [
            ("0b", 0),
            ("10B", 10),
            ("2kb", 2_048),
            ("768KB", 786_432),
            ("1Mb", 1 << 20),
            ("1gb", 1 << 30),
        ];
        check(
            &SIZE,
            &valid,
            &[
                "",
                "1",
                "kb",
                "1 kb",
                "1.5mb",
                "-1kb",
                "1tb",
                "1k",
                "99999999999999999999b",
                "18446744073709551615gb",
            ],
        );
    }

    #[test]
    fn numbers_rates_and_booleans_are_exact() {
        check(
            &COUNT,
            &[("0", 0), ("500", 500)],
            &["", "-1", "+1", "1.0", " 1", "4294967296"],
        );
        check(
            &LIMIT,
            &[("-1", None), ("0", Some(0)), ("50", Some(50))],
            &["-2", "", "all"],
        );
        check(
            &BOOL,
            &[("true", true), ("false", false)],
            &["", "True", "FALSE", "1", "yes", " true"],
        );
        check(
            &RATE,
            &[("1", SampleRate::ALL), ("0.0", SampleRate::NONE)],
            &["", "1.2", "-0.5", "half"],
        );
    }

    #[test]
    fn a_boolean_is_taken_as_other_agents_write_it_and_that_is_said() {
        for (text, expected) in [("False", false), ("0", false), ("TRUE", true), ("1", true)] {
            let (value, understood) = BOOL.read(text).unwrap();
            assert_eq!(value, expected, "{text}");
            assert_eq!(understood.text, expected.to_string());
            assert!(understood.why.is_some());
        }
        assert_eq!(BOOL.read(" true\n").unwrap().1.why, None);
        assert!(BOOL.read("maybe").is_err() && BOOL.read("").is_err());
    }

    #[test]
    fn one_bad_item_costs_only_itself() {
        let (labels, understood) = MAPPING.read("team=shop,region,=x,tier=1").unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(labels, [pair("team", "shop"), pair("tier", "1")]);
        assert_eq!(understood.text, "team=shop,tier=1");
        assert_eq!(understood.why.as_deref(), Some("left out: region, =x"));
        assert!(MAPPING.read("region").is_err());
        let (urls, understood) = SERVER_URLS.read("http://a:8200, b:8200").unwrap();
        assert_eq!((urls.len(), understood.text.as_str()), (1, "http://a:8200"));
    }

    #[test]
    fn a_secret_is_trimmed_and_what_no_header_can_hold_is_refused() {
        let (secret, _) = SECRET.read(" s3cret\r\n").unwrap();
        assert_eq!(secret, Some(Secret::new("s3cret")));
        for bad in ["s3\ncret", "gehei\u{df}", "s3\u{0}cret", "s3\u{7f}cret"] {
            let why = SECRET.read(bad).unwrap_err();
            assert!(why.contains("position") && !why.contains("s3"), "{why}");
        }
    }

    #[test]
    fn a_timeout_of_zero_or_less_is_none() {
        check(
            &TIMEOUT,
            &[
                ("0s", Duration::ZERO),
                ("-1s", Duration::ZERO),
                ("5s", Duration::from_secs(5)),
            ],
            &["", "0", "5S"],
        );
    }

    #[test]
    fn mappings_forget_the_blanks_around_items() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let valid = [
            ("", vec![]),
            (
                " a = 1 , b=x=y ,c=",
                vec![pair("a", "1"), pair("b", "x=y"), pair("c", "")],
            ),
        ];
        check(&MAPPING, &valid, &["a", "a=1,b", "=1"]);
    }

    #[test]
    fn service_names_are_made_valid_unless_they_are_blank() {
        let name = |text: &str| text.to_owned();
        let valid = [
            ("my-app 01", name("my-app 01")),
            (" Shop_é/2 ", name("Shop___2")),
            ("myService/()<>@", name("myService______")),
        ];
        check(&SERVICE_NAME, &valid, &["", "   "]);
        assert_eq!(
            (SERVICE_NAME.parse)(&"x".repeat(2_000)).map(|name| name.len()),
            Ok(1024)
        );
    }

    #[test]
    fn server_urls_keep_their_path_and_are_ready_to_join() {
        let url = |text: &str| Url::parse(text).unwrap();
        let valid = [
            ("http://127.0.0.1:8200", url("http://127.0.0.1:8200/")),
            (
                "https://apm.example/prefix?x#y",
                url("https://apm.example/prefix/"),
            ),
        ];
        check(
            &SERVER_URL,
            &valid,
            &["", "localhost:8200", "ftp://x", "http://", "/intake"],
        );
        let joined = (SERVER_URL.parse)("https://apm.example/prefix")
            .unwrap()
            .join("intake/v2/events")
            .unwrap();
        assert_eq!(
            joined.as_str(),
            "https://apm.example/prefix/intake/v2/events"
        );
    }
}
