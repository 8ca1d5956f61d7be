//! Errors that handlers and middleware return.

use std::sync::Arc;

use actix_web::Error;
use actix_web::error::BlockingError;

use crate::recording::captured::{self, Cause, What, type_of_debug};
use crate::recording::current::Current;
use crate::recording::error::{self, Stack};
use crate::recording::transaction::Core;
use crate::util::lock;

/// Captures the error behind a response of 500 and above. What the client did wrong is no error of the service.
pub(super) fn capture(core: &Arc<Core>, error: &Error, status: u16) {
    if status < 500 {
        return;
    }
    // A panic in `web::block` was captured where it happened; what actix makes of it would mislead.
    if error.as_error::<BlockingError>().is_some() && lock(&core.state).errored {
        return;
    }
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
