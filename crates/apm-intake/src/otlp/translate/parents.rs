//! The transaction of each span: OTLP does not say it, so parents are followed within the body.

use std::collections::HashMap;

use apm_store::event::{Batch, Event, Id};
use foldhash::fast::RandomState;

/// Parents that are followed for one span.
const MAX_STEPS: usize = 10_000;

/// The spans of a body, by trace and id.
#[derive(Debug, Default)]
pub(super) struct Parents(HashMap<([u8; 16], u64), Node, RandomState>);

#[derive(Clone, Copy, Debug)]
enum Node {
    Transaction,
    /// A span, and what caused it.
    Span(u64),
    /// A span whose transaction has been looked for.
    Known(Option<u64>),
}

impl Parents {
    pub(super) fn transaction(&mut self, trace: [u8; 16], id: u64) {
        self.0.insert((trace, id), Node::Transaction);
    }

    pub(super) fn span(&mut self, trace: [u8; 16], id: u64, parent: u64) {
        self.0.insert((trace, id), Node::Span(parent));
    }

    /// Says of each span and error which transaction it belongs to, if that is in the body too.
    pub(super) fn resolve(&mut self, batches: &mut [Batch]) {
        if self.0.is_empty() {
            return;
        }
        for event in batches.iter_mut().flat_map(|batch| &mut batch.events) {
            let (trace, id, transaction) = match event {
                Event::Span(span) => (Some(span.trace_id), Some(span.id), &mut span.transaction_id),
                Event::Error(error) => (error.trace_id, error.parent_id, &mut error.transaction_id),
                Event::Log(log) => (log.trace_id, log.span_id, &mut log.transaction_id),
                Event::Transaction(_) | Event::Metricset(_) => continue,
            };
            if let (Some(Id::Long(trace)), Some(Id::Short(id)), None) = (trace, id, &transaction) {
                *transaction = self.find(trace, id).map(Id::Short);
            }
        }
    }

    fn find(&mut self, trace: [u8; 16], id: u64) -> Option<u64> {
        let mut path = Vec::new();
        let mut at = id;
        let found = loop {
            match self.0.get(&(trace, at)) {
                // The limit also ends a circle of parents.
                Some(Node::Span(parent)) if path.len() < MAX_STEPS => {
                    path.push(at);
                    at = *parent;
                }
                Some(Node::Transaction) => break Some(at),
                Some(Node::Known(transaction)) => break *transaction,
                Some(Node::Span(_)) | None => break None,
            }
        };
        // All spans on the way have the same transaction, which is found at once the next time.
        for id in path {
            self.0.insert((trace, id), Node::Known(found));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_found_above_and_circles_end() {
        let (trace, other) = ([1; 16], [2; 16]);
        let mut parents = Parents::default();
        parents.transaction(trace, 1);
        parents.span(trace, 2, 1);
        parents.span(trace, 3, 2);
        parents.span(trace, 4, 99);
        parents.span(trace, 5, 6);
        parents.span(trace, 6, 5);
        for (id, wanted) in [
            (3, Some(1)),
            (2, Some(1)),
            (1, Some(1)),
            (4, None),
            (5, None),
            (7, None),
        ] {
            assert_eq!(parents.find(trace, id), wanted, "{id}");
        }
        assert_eq!(parents.find(other, 3), None);
    }
}
