//! The end of a span's JSON as it was written last, for the next span that has the same to say.
//!
//! SQLite takes the same steps for the same statement on the same data, and most statements succeed. So most spans of a
//! service's short statements differ in ids and times only, and what stands behind these is copied in one piece.

use std::sync::Mutex;

use crate::recording::cost::Cost;
use crate::recording::outcome::Outcome;
use crate::trace::sampler::SampleRate;

/// Bytes of the longest end that is remembered: one for each statement that a connection remembers.
const LONGEST: usize = 4 * 1024;

/// All that the end of a span depends on, beside the part that never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) outcome: Outcome,
    pub(crate) sample_rate: Option<SampleRate>,
    pub(crate) rows: Option<u64>,
    pub(crate) cost: Option<Cost>,
}

/// The memory of one statement. Threads that find it in use do without.
#[derive(Debug, Default)]
pub(crate) struct Repeated(Mutex<Option<Box<Last>>>);

#[derive(Debug)]
struct Last {
    said: Said,
    /// Empty until it was said twice in a row.
    json: Vec<u8>,
}

impl Repeated {
    /// Appends the end of the span before, if it says the same. Whether it does.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>, said: &Said) -> bool {
        let Ok(last) = self.0.try_lock() else {
            return false;
        };
        match &*last {
            Some(last) if !last.json.is_empty() && last.said == *said => {
                out.extend_from_slice(&last.json);
                true
            }
            _ => false,
        }
    }

    /// Takes note of an end that was written.
    pub(crate) fn note(&self, said: &Said, json: &[u8]) {
        let Ok(mut last) = self.0.try_lock() else {
            return;
        };
        match &mut *last {
            Some(last) if last.said == *said => {
                if json.len() <= LONGEST {
                    last.json.clear();
                    last.json.extend_from_slice(json);
                }
            }
            Some(last) => {
                last.said = *said;
                last.json.clear();
            }
            None => {
                *last = Some(Box::new(Last {
                    said: *said,
                    json: Vec::new(),
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::cost::COUNTS;

    fn said(steps: u64) -> Said {
        Said {
            outcome: Outcome::Success,
            sample_rate: Some(SampleRate::ALL),
            rows: None,
            cost: Some(Cost([steps; COUNTS])),
        }
    }

    fn written(repeated: &Repeated, said: &Said) -> Option<Vec<u8>> {
        let mut out = b"before ".to_vec();
        repeated.write(&mut out, said).then_some(out)
    }

    #[test]
    fn what_was_said_twice_is_written_from_memory_until_something_else_is_said() {
        let repeated = Repeated::default();
        assert_eq!(written(&repeated, &said(1)), None);
        repeated.note(&said(1), b"one");
        assert_eq!(written(&repeated, &said(1)), None);
        repeated.note(&said(1), b"one");
        assert_eq!(
            written(&repeated, &said(1)).as_deref(),
            Some(&b"before one"[..])
        );
        for other in [
            said(2),
            Said {
                outcome: Outcome::Failure,
                ..said(1)
            },
            Said {
                sample_rate: None,
                ..said(1)
            },
            Said {
                rows: Some(1),
                ..said(1)
            },
            Said {
                cost: None,
                ..said(1)
            },
        ] {
            assert_eq!(written(&repeated, &other), None, "{other:?}");
        }
        repeated.note(&said(2), b"two");
        assert_eq!(written(&repeated, &said(1)), None);
        assert_eq!(written(&repeated, &said(2)), None);
        repeated.note(&said(2), b"two");
        assert_eq!(
            written(&repeated, &said(2)).as_deref(),
            Some(&b"before two"[..])
        );
    }

    #[test]
    fn a_long_end_is_not_remembered() {
        let repeated = Repeated::default();
        for _ in 0..3 {
            repeated.note(&said(1), &[b'a'; LONGEST + 1]);
        }
        assert_eq!(written(&repeated, &said(1)), None);
    }
}
