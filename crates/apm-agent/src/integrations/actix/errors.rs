//! Errors that handlers and middleware return.

use std::sync::Arc;

use actix_web::Error;
use actix_web::error::BlockingError;

use crate::integrations::http_server;
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
    http_server::capture(core, error);
}
