//! Which spans of `tracing` are entered on this thread, and what was current before each.
//!
//! Guards of `tracing` may be dropped in any order. A span that is left while others are entered above it is unlinked:
//! what is current stays current, and comes to an end without the span that was left.

use std::cell::RefCell;

use ::tracing::span::Id;

use crate::context::{self, Current};

thread_local! {
    static ENTERED: RefCell<Vec<(Id, Option<Current>)>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn enter(id: &Id, current: Current) {
    let previous = context::replace(Some(current));
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push((id.clone(), previous)));
}

/// Leaves a span; one that was never entered here is ignored.
pub(super) fn exit(id: &Id) {
    let left = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let place = entered.iter().rposition(|(entered, _)| entered == id)?;
        let (_, previous) = entered.remove(place);
        match entered.get_mut(place) {
            Some((_, above)) => Some(Left::Between(std::mem::replace(above, previous))),
            None => Some(Left::Top(previous)),
        }
    });
    match left {
        Ok(Some(Left::Top(previous))) => drop(context::replace(previous)),
        // Dropped here, outside of the borrow: the last handle of a span ends it.
        Ok(Some(Left::Between(current))) => drop(current),
        _ => {}
    }
}

enum Left {
    Top(Option<Current>),
    Between(Option<Current>),
}
