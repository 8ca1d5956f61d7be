//! A span's line of JSON as it was written last, for the next span that has the same to say.
//!
//! SQLite takes the same steps for the same statement on the same data, and most statements succeed. So most spans of a
//! service's short statements differ in ids and times only. These have a fixed length, so the line is copied in one
//! piece, and they are written over it.

use crate::recording::cost::Cost;
use crate::recording::outcome::Outcome;
use crate::trace::sampler::SampleRate;
use crate::util::Mutex;

/// Bytes of the longest end of a line that is remembered: one for each statement that a connection remembers.
const LONGEST: usize = 4 * 1024;

/// All that a line depends on beside ids and times, and beside the part that never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) sample_rate: Option<SampleRate>,
    pub(crate) rows: Option<u64>,
    pub(crate) cost: Option<&'a Cost>,
}

/// The memory of one statement. Threads that find it in use do without.
#[derive(Debug, Default)]
pub(crate) struct Repeated(Mutex<Option<Box<Last>>>);

#[derive(Debug, Default)]
struct Last {
    /// `None` until something was said.
    outcome: Option<Outcome>,
    sample_rate: Option<SampleRate>,
    rows: Option<u64>,
    cost: Option<Cost>,
    /// Empty until it was said twice in a row.
    line: Vec<u8>,
}

impl Last {
    #[inline]
    fn says(&self, said: &Said<'_>) -> bool {
        self.outcome == Some(said.outcome)
            && self.sample_rate == said.sample_rate
            && self.rows == said.rows
            && self.cost.as_ref() == said.cost
    }
}

impl Repeated {
    /// Appends the line of the span before, with ids and times of any value, if it says the same. Whether it does.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>, said: &Said<'_>) -> bool {
        let Some(last) = self.0.try_lock() else {
            return false;
        };
        match &*last {
            Some(last) if !last.line.is_empty() && last.says(said) => {
                out.extend_from_slice(&last.line);
                true
            }
            _ => false,
        }
    }

    /// Takes note of a line that was written: of its `head`, which holds ids and times, and of its end.
    pub(crate) fn note(&self, said: &Said<'_>, head: &[u8], end: &[u8]) {
        let Some(mut last) = self.0.try_lock() else {
            return;
        };
        let last = last.get_or_insert_default();
        let again = last.says(said);
        last.line.clear();
        if !again {
            last.outcome = Some(said.outcome);
            last.sample_rate = said.sample_rate;
            last.rows = said.rows;
            last.cost = said.cost.copied();
        } else if end.len() <= LONGEST {
            last.line.extend_from_slice(head);
            last.line.extend_from_slice(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::cost::COUNTS;

    const ONE: Cost = Cost([1; COUNTS]);
    const TWO: Cost = Cost([2; COUNTS]);

    fn said(cost: &Cost) -> Said<'_> {
        Said {
            outcome: Outcome::Success,
            sample_rate: Some(SampleRate::ALL),
            rows: None,
            cost: Some(cost),
        }
    }

    fn written(repeated: &Repeated, said: &Said<'_>) -> Option<Vec<u8>> {
        let mut out = b"before ".to_vec();
        repeated.write(&mut out, said).then_some(out)
    }

    #[test]
    fn what_was_said_twice_is_written_from_memory_until_something_else_is_said() {
        let repeated = Repeated::default();
        assert_eq!(written(&repeated, &said(&ONE)), None);
        repeated.note(&said(&ONE), b"head ", b"one");
        assert_eq!(written(&repeated, &said(&ONE)), None);
        repeated.note(&said(&ONE), b"head ", b"one");
        assert_eq!(
            written(&repeated, &said(&ONE)).as_deref(),
            Some(&b"before head one"[..])
        );
        for other in [
            said(&TWO),
            Said {
                outcome: Outcome::Failure,
                ..said(&ONE)
            },
            Said {
                sample_rate: None,
                ..said(&ONE)
            },
            Said {
                rows: Some(1),
                ..said(&ONE)
            },
            Said {
                cost: None,
                ..said(&ONE)
            },
        ] {
            assert_eq!(written(&repeated, &other), None, "{other:?}");
        }
        repeated.note(&said(&TWO), b"head ", b"two");
        assert_eq!(written(&repeated, &said(&ONE)), None);
        assert_eq!(written(&repeated, &said(&TWO)), None);
        repeated.note(&said(&TWO), b"head ", b"two");
        assert_eq!(
            written(&repeated, &said(&TWO)).as_deref(),
            Some(&b"before head two"[..])
        );
    }

    #[test]
    fn a_long_end_is_not_remembered() {
        let repeated = Repeated::default();
        for _ in 0..3 {
            repeated.note(&said(&ONE), b"head ", &[b'a'; LONGEST + 1]);
        }
        assert_eq!(written(&repeated, &said(&ONE)), None);
    }
}
