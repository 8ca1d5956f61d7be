//! The part of a transaction that changes while it runs, behind its one lock.
//!
//! The lock is held for nanoseconds and never across code of the service.

use std::borrow::Cow;
use std::sync::Arc;

use super::extra::Extra;
use super::name::Name;
use super::reported::Reported;
use super::request_body::RequestBody;
use crate::config::Settings;
use crate::recording::breakdown::SpanTimes;
use crate::recording::outcome::Outcome;
use crate::recording::self_time::ChildTime;

/// A value that the agent finds and the service may overrule, before or after.
#[derive(Debug)]
pub(crate) struct Overridable<T> {
    found: Option<T>,
    set: Option<T>,
}

impl<T> Default for Overridable<T> {
    fn default() -> Self {
        Self {
            found: None,
            set: None,
        }
    }
}

impl<T> Overridable<T> {
    #[inline]
    pub(crate) fn find(&mut self, value: T) {
        self.found = Some(value);
    }

    pub(crate) fn set(&mut self, value: T) {
        self.set = Some(value);
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        self.set.as_ref().or(self.found.as_ref())
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) ended: bool,
    pub(crate) name: Overridable<Name>,
    pub(crate) kind: Cow<'static, str>,
    pub(crate) result: Overridable<Cow<'static, str>>,
    pub(crate) outcome: Overridable<Outcome>,
    /// An error was captured; decides the outcome where nothing else does.
    pub(crate) errored: bool,
    /// Nobody waited for its end; decides the outcome where nothing else does.
    pub(crate) given_up: bool,
    /// The name to be taken where there is no response to ask: a route that is known to have been chosen.
    pub(crate) route: Option<Cow<'static, str>>,
    /// Encoded members of `context`, each followed by a comma: request, response.
    pub(crate) context: Vec<u8>,
    /// The request's body, and where in `context` it belongs.
    pub(crate) body: Option<(Arc<RequestBody>, usize)>,
    pub(crate) extra: Option<Box<Extra>>,
    pub(crate) reported: Reported,
    /// Spans that were given a place below the limit when they began.
    pub(crate) admitted: u32,
    /// Draws the ids of spans. The thread's own generator would have to be looked up for each.
    pub(crate) ids: fastrand::Rng,
    pub(crate) children: ChildTime,
    pub(crate) times: SpanTimes,
    /// Its queries, where an answer tells of them.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) queries: Option<Box<super::queries::Queries>>,
    /// Hashes of the questions that were asked of databases, as many as are remembered. The first takes no memory of
    /// its own: the thread of the query would allocate it, and that of the request would free it.
    #[cfg(feature = "diesel")]
    pub(crate) first_asked: Option<u64>,
    #[cfg(feature = "diesel")]
    pub(crate) asked: Vec<u64>,
}

/// Questions that a transaction remembers. More of them count as asked again, which costs time and loses nothing.
#[cfg(feature = "diesel")]
const ASKED: usize = 64;

impl State {
    #[inline]
    pub(crate) fn name(&self) -> &str {
        self.name.get().map_or("", |name| name)
    }

    pub(crate) fn result(&self) -> Option<&str> {
        self.result.get().map(|result| &**result)
    }

    #[inline]
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
            .get()
            .copied()
            .unwrap_or(Outcome::of_work(self.errored, self.given_up))
    }

    /// Appends the members of `context`, each followed by a comma; the request's body if there are settings for it.
    pub(crate) fn write_context(&self, out: &mut Vec<u8>, with_body: Option<&Settings>) {
        match (&self.body, with_body) {
            (Some((body, at)), Some(settings)) if *at <= self.context.len() => {
                let (before, after) = self.context.split_at(*at);
                out.extend_from_slice(before);
                body.write(out, settings);
                out.extend_from_slice(after);
            }
            _ => out.extend_from_slice(&self.context),
        }
        if let Some(extra) = &self.extra {
            extra.write(out);
        }
    }

    /// Whether a question was asked before. Remembers it.
    #[cfg(feature = "diesel")]
    pub(crate) fn asks_again(&mut self, question: u64) -> bool {
        let Some(first) = self.first_asked else {
            self.first_asked = Some(question);
            return false;
        };
        if first == question || self.asked.contains(&question) || self.asked.len() >= ASKED {
            return true;
        }
        self.asked.push(question);
        false
    }

    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }
}

#[cfg(all(test, feature = "diesel"))]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_asked_again_from_its_second_time_on_and_where_too_many_are_remembered() {
        let mut state = State::default();
        for question in 0..=ASKED as u64 {
            assert!(!state.asks_again(question), "{question}");
            assert!(state.asks_again(question), "{question}");
        }
        assert!(state.asks_again(0));
        assert!(state.asks_again(u64::MAX));
        assert_eq!(state.asked.len(), ASKED);
    }
}
