//! Transactions of requests, for whatever web framework answers them.

mod context;
mod errors;
mod head;
mod headers;
mod panics;
mod remembered;
mod sending;

use std::borrow::Cow;

use crate::config::Snapshot;
use crate::recording::http::result;
use crate::recording::outcome::Outcome;
use crate::recording::transaction::Core;
use crate::recording::transaction::state::State;
use crate::util::lock;

pub(crate) use context::{is_host, write_response};
pub(crate) use errors::capture;
pub(crate) use head::Head;
pub(crate) use headers::HeaderCache;
pub(crate) use panics::{OnPanic, caught};
#[cfg(feature = "actix")]
pub(crate) use remembered::PLACES;
pub(crate) use remembered::place;
pub(crate) use sending::Sending;

/// Whether the service does not want to hear of this request.
pub(crate) fn is_ignored<'h>(
    settings: &Snapshot,
    path: &str,
    user_agent: impl FnOnce() -> Option<&'h str>,
) -> bool {
    let agents = &settings.transaction_ignore_user_agents;
    let urls = &settings.transaction_ignore_urls;
    (!urls.is_empty() && urls.matches(path))
        || (!agents.is_empty() && user_agent().is_some_and(|text| agents.matches(text)))
}

/// Finds result and outcome by the status of the answer.
pub(crate) fn answered(state: &mut State, status: u16) {
    state.result.find(result(status).into());
    state.outcome.find(Outcome::of_server_status(status));
}

/// Ends a transaction of which no response is seen here: `status` is what the client gets, `None` when nobody waits for
/// it. `name` is what it is to be called, if it has no name yet.
pub(crate) fn end_without_response(
    core: &Core,
    name: Option<Cow<'static, str>>,
    status: Option<u16>,
) {
    if let Some(name) = name {
        core.find_name(name);
    }
    {
        let mut state = lock(&core.state);
        match status {
            Some(status) => answered(&mut state, status),
            None => given_up(&mut state),
        }
    }
    core.end();
}

/// The client no longer waits for the answer.
pub(crate) fn given_up(state: &mut State) {
    state.result.find("cancelled".into());
    state.outcome.find(Outcome::Unknown);
}

/// Whether a response lives for hours, as an upgraded connection and an event stream do: its transaction ends with the
/// head.
pub(crate) fn is_endless(status: u16, content_type: Option<&[u8]>) -> bool {
    const SWITCHING_PROTOCOLS: u16 = 101;
    status == SWITCHING_PROTOCOLS
        || content_type.is_some_and(|kind| kind.starts_with(b"text/event-stream"))
}
