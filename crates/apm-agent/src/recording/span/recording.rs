//! Spans that are current while they run: what they are told, and what they report in the end.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::recording::current::{
    ActiveSpan, Beginning, Current, begin, finish, finish_dropped, stack_of,
};
use crate::recording::finished_span::{Ended, QueryDetails};
use crate::recording::outcome::Outcome;
#[cfg(feature = "tracing")]
use crate::recording::recorder::Recorder;
use crate::recording::service_target::ExitSpan;
use crate::recording::span_kind::{SpanKind, Tail};
use crate::recording::transaction::Core;
#[cfg(feature = "tracing")]
use crate::recording::transaction::extra::LabelValue;
use crate::recording::transaction::extra::Labels;
use crate::util::clock::Moment;
use crate::util::{Mutex, lock};

/// The facts that a span by hand is told while it runs.
#[derive(Debug)]
pub(super) struct Details {
    pub(super) name: Cow<'static, str>,
    span_type: Cow<'static, str>,
    subtype: Option<Cow<'static, str>>,
    pub(super) action: Option<Cow<'static, str>>,
    pub(super) outcome: Option<Outcome>,
    /// The service that the span calls, as the user said: a kind, and a name.
    pub(super) target: Option<(String, Option<String>)>,
    pub(super) exit: bool,
    pub(super) labels: Labels,
    /// Stands in the place of type, target and action, if there is one.
    #[cfg(feature = "tracing")]
    description: Option<Description>,
}

/// The kind of work that a span turned out to be.
#[cfg(feature = "tracing")]
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) kind: SpanKind,
    pub(crate) action: Option<String>,
    /// Members of the context, each followed by a comma; `db` first.
    pub(crate) context: Vec<u8>,
}

impl Details {
    /// Of a span of a type such as `app` or, with a subtype, `db.redis`.
    pub(super) fn new(name: Cow<'static, str>, kind: Cow<'static, str>) -> Self {
        let (span_type, subtype) = match kind.split_once('.') {
            Some((span_type, subtype)) => {
                (span_type.to_owned().into(), Some(subtype.to_owned().into()))
            }
            None => (kind, None),
        };
        Self {
            name,
            span_type,
            subtype,
            action: None,
            outcome: None,
            target: None,
            exit: false,
            labels: Labels::default(),
            #[cfg(feature = "tracing")]
            description: None,
        }
    }
}

/// A span that is current, with what it will report; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Recording {
    core: Arc<Core>,
    pub(super) span: Arc<ActiveSpan>,
    pub(super) details: Details,
    /// Nobody waited for its end.
    pub(super) given_up: bool,
}

impl Recording {
    /// Begins a span of a type such as `app.internal`; `None` if it is not to be recorded at all.
    #[cfg(feature = "tracing")]
    pub(crate) fn open(current: &Current, name: &'static str, kind: &'static str) -> Option<Self> {
        Self::begin(current, Details::new(name.into(), kind.into()))
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn agent(&self) -> Arc<Recorder> {
        Arc::clone(&self.core.recorder)
    }

    /// Adds a label.
    #[cfg(feature = "tracing")]
    pub(crate) fn set_label(&mut self, key: &str, value: LabelValue) {
        self.details.labels.set(key, value);
    }

    /// Renames the span.
    #[cfg(feature = "tracing")]
    pub(crate) fn set_name(&mut self, name: String) {
        self.details.name = name.into();
    }

    /// Sets how it ended.
    #[cfg(feature = "tracing")]
    pub(crate) fn set_outcome(&mut self, outcome: Outcome) {
        self.details.outcome = Some(outcome);
    }

    /// Says which kind of work it is.
    #[cfg(feature = "tracing")]
    pub(crate) fn describe(&mut self, description: Description) {
        self.details.description = Some(description);
    }

    pub(super) fn begin(current: &Current, details: Details) -> Option<Self> {
        let Beginning {
            id,
            parent_id,
            start,
            admitted,
        } = begin(current)?;
        let span = ActiveSpan {
            id,
            start,
            admitted,
            parent: current.span.clone(),
            parent_id,
            has_ended: AtomicBool::new(false),
            state: Mutex::default(),
        };
        Some(Self {
            core: Arc::clone(&current.transaction),
            span: Arc::new(span),
            details,
            given_up: false,
        })
    }

    pub(crate) fn current(&self) -> Current {
        Current {
            transaction: Arc::clone(&self.core),
            span: Some(Arc::clone(&self.span)),
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let end = Moment::now();
        let took = end.nanos_since(self.span.start);
        let Details {
            name,
            span_type,
            subtype,
            action,
            outcome,
            target,
            exit,
            labels,
            #[cfg(feature = "tracing")]
            description,
        } = &mut self.details;
        let ActiveSpan {
            id,
            start,
            admitted,
            parent_id,
            ..
        } = *self.span;
        self.span.has_ended.store(true, Ordering::Relaxed);
        let (kept, self_time, errored) = {
            let mut state = lock(&self.span.state);
            state.ended = true;
            (
                state.kept.take(),
                state.children.self_time(took, end),
                state.errored,
            )
        };
        // The last child was kept back for an equal one to be merged with it. None follows any more.
        if let Some(kept) = kept {
            self.core.report(kept);
        }
        let span_type = std::mem::take(span_type);
        let span_type = if span_type.is_empty() {
            "custom".into()
        } else {
            span_type
        };
        let target = target.take().and_then(|(kind, name)| {
            let span = ExitSpan {
                span_type: &span_type,
                user_type: Some(&kind),
                user_name: name.as_deref(),
                ..ExitSpan::default()
            };
            span.target()
        });
        let by_hand = SpanKind {
            span_type,
            subtype: subtype.take(),
            exit: *exit,
            target,
        };
        #[cfg(not(feature = "tracing"))]
        let (kind, context) = (by_hand, Vec::new());
        #[cfg(feature = "tracing")]
        let (kind, context) = match description.take() {
            Some(description) => {
                *action = description.action.map(Cow::Owned);
                (description.kind, description.context)
            }
            None => (by_hand, Vec::new()),
        };
        let kind = Arc::new(kind);
        let failed = errored || std::thread::panicking();
        let found = Outcome::of_work(failed, self.given_up);
        let outcome = outcome.unwrap_or(found);
        let parent = self.span.parent.as_deref();
        if !admitted {
            let times = (start, end);
            return finish_dropped(&self.core, parent, &kind, outcome, times, Some(self_time));
        }
        let tail = Arc::new(Tail::new(kind, name, action.as_deref(), |out| {
            out.extend_from_slice(&context);
            labels.write(out);
        }));
        // Spans below it may refer to it by its id, which is therefore never merged away.
        let propagated = true;
        let ended = Ended {
            id,
            parent_id,
            start,
            end,
            outcome,
            propagated,
            tail,
            query: &QueryDetails::default(),
            stack: stack_of(&self.core, (start, end)),
        };
        finish(&self.core, parent, ended, self_time);
    }
}
