//! The `tracestate` header: our `es` entry, and everybody else's.

use std::collections::HashSet;
use std::sync::Arc;

use crate::trace::sampler::SampleRate;

/// Elastic's entry, as it is in the header.
const KEY: &str = "es";
/// The characters of foreign state that are passed on; W3C asks for at least 512 characters.
const MAX_FORWARDED: usize = 8 * 1024;

/// A valid `tracestate`, or an empty one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TraceState {
    elastic: bool,
    sample_rate: Option<SampleRate>,
    /// The header to send on; shared by all spans of the transaction.
    header: Option<Arc<str>>,
}

impl TraceState {
    /// The state that the root of a trace starts.
    pub(crate) fn root(rate: SampleRate) -> Self {
        Self {
            elastic: true,
            sample_rate: Some(rate),
            header: Some(format!("{KEY}=s:{rate}").into()),
        }
    }

    /// The root's sampling rate, where its agent said so.
    pub(crate) fn sample_rate(&self) -> Option<SampleRate> {
        self.sample_rate
    }

    pub(crate) fn has_elastic_entry(&self) -> bool {
        self.elastic
    }

    /// The header for outgoing requests: the `es` entry first, then the others as they came; never blank.
    pub(crate) fn header(&self) -> Option<&Arc<str>> {
        self.header.as_ref()
    }
}

/// Collects the `tracestate` headers of one request.
#[derive(Debug, Default)]
pub(super) struct Reader {
    members: Vec<(String, String)>,
    keys: HashSet<String>,
    bytes: usize,
    invalid: bool,
}

impl Reader {
    pub(super) fn read(&mut self, value: &[u8]) {
        self.bytes += value.len();
        if self.invalid || self.bytes > MAX_FORWARDED {
            self.invalid = true;
            return;
        }
        self.invalid = self.read_members(value).is_none();
    }

    fn read_members(&mut self, value: &[u8]) -> Option<()> {
        for member in std::str::from_utf8(value).ok()?.split(',') {
            let member = member.trim_matches([' ', '\t']);
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            if !is_key(key) || !is_value(value) || !self.keys.insert(key.to_owned()) {
                return None;
            }
            self.members.push((key.to_owned(), value.to_owned()));
        }
        Some(())
    }

    #[cfg(test)]
    pub(super) fn is_valid(&self) -> bool {
        !self.invalid
    }

    pub(super) fn finish(mut self) -> TraceState {
        if self.invalid || self.members.is_empty() {
            return TraceState::default();
        }
        // Stable: only our entry moves, to the front.
        self.members.sort_by_key(|(key, _)| key != KEY);
        let elastic = self
            .members
            .first()
            .filter(|(key, _)| key == KEY)
            .map(|(_, value)| value.as_str());
        let header: Vec<String> = self
            .members
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        TraceState {
            elastic: elastic.is_some(),
            sample_rate: elastic.and_then(sample_rate),
            header: Some(header.join(",").into()),
        }
    }
}

/// The rate in an `es` value such as `s:0.5;x:y`.
fn sample_rate(value: &str) -> Option<SampleRate> {
    value
        .split(';')
        .find_map(|pair| pair.strip_prefix("s:"))
        .and_then(SampleRate::parse)
}

/// `key` or `tenant@vendor`. Elastic's rule lets a plain key begin with a digit too.
fn is_key(key: &str) -> bool {
    let valid = |part: &str, max: usize| {
        (1..=max).contains(&part.len())
            && part.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/".contains(&byte)
            })
    };
    let starts = |part: &str, digit: bool| {
        part.as_bytes()
            .first()
            .is_some_and(|byte| byte.is_ascii_lowercase() || digit && byte.is_ascii_digit())
    };
    match key.split_once('@') {
        None => valid(key, 256) && starts(key, true),
        Some((tenant, vendor)) => {
            valid(tenant, 241) && starts(tenant, true) && valid(vendor, 14) && starts(vendor, false)
        }
    }
}

/// 1 to 256 printable ASCII characters without `,` and `=`, the last of which is no blank.
fn is_value(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && !b",=".contains(&byte))
        && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> TraceState {
        let mut reader = Reader::default();
        headers
            .iter()
            .for_each(|header| reader.read(header.as_bytes()));
        reader.finish()
    }

    #[test]
    fn our_entry_moves_to_the_front_and_others_keep_their_order() {
        let state = read(&["rojo=1 , congo=t61", "es=s:0.5;x:y"]);
        assert_eq!(
            state.header().map(|header| &**header),
            Some("es=s:0.5;x:y,rojo=1,congo=t61")
        );
        assert_eq!(state.sample_rate(), SampleRate::new(0.5));
    }

    #[test]
    fn a_rate_that_is_none_is_left_out_but_the_entry_counts() {
        for value in ["es=s:2", "es=s:", "es=s:x", "es=x:1", "es=s:-1"] {
            let state = read(&[value]);
            assert_eq!(
                (state.sample_rate(), state.has_elastic_entry()),
                (None, true),
                "{value}"
            );
        }
        let long = format!("es=s:0.5;{}", "x".repeat(256));
        assert_eq!(read(&[&long]), TraceState::default());
    }

    #[test]
    fn blank_and_invalid_states_are_not_passed_on() {
        for headers in [
            &[""][..],
            &[" , ,"],
            &["rojo"],
            &["rojo=1,rojo=2"],
            &["rojo=1", "rojo=2"],
            &["Rojo=1"],
            &["a=é"],
        ] {
            assert_eq!(read(headers), TraceState::default(), "{headers:?}");
        }
        let huge: Vec<String> = (0..2_000).map(|index| format!("k{index}=v")).collect();
        assert_eq!(read(&[&huge.join(",")]), TraceState::default());
    }

    #[test]
    fn the_root_writes_its_rate_without_trailing_zeros() {
        for (rate, header) in [(1.0, "es=s:1"), (0.5555, "es=s:0.5555"), (0.0, "es=s:0")] {
            let state = TraceState::root(SampleRate::new(rate).unwrap());
            assert_eq!(state.header().map(|header| &**header), Some(header));
        }
    }
}
