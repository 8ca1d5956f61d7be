//! Errors that a service returns in the place of an answer, or with one.

use std::fmt::{Debug, Display};
use std::sync::Arc;

use crate::recording::captured::{self, Cause, What, type_of_debug};
use crate::recording::current::Current;
use crate::recording::error::{self, Stack};
use crate::recording::transaction::Core;
use crate::util::lock;

/// Captures an error in a transaction, outside of its spans. The place where it arose is not known: it appears under
/// the transaction's name.
pub(crate) fn capture<E: Debug + Display>(core: &Arc<Core>, error: &E) {
    let culprit = {
        let state = lock(&core.state);
        (!state.name().is_empty()).then(|| state.name().to_owned())
    };
    let what = || What::Exception {
        chain: vec![Cause {
            type_name: type_of_debug(error, error),
            module: None,
            message: captured::message(error),
        }],
        handled: true,
    };
    let current = Current::outside_spans(core);
    error::capture(
        &core.recorder,
        Some(&current),
        what,
        None,
        culprit,
        Stack::Left,
    );
}
