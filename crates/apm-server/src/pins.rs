//! Pins of traces, for the form of the page and for the API.

use apm_store::kept::{self, Pin};
use apm_store::{Store, StoreError};
use kql::pasted::{Part, readings};

/// The outcome of pinning a trace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pinned {
    /// It is pinned.
    Yes,
    /// Nothing of it is stored.
    Unknown,
    /// No more traces may be pinned.
    Full,
}

/// Pins a trace, whose id may be written in one way or another.
pub(crate) async fn pin(store: &Store, text: &str) -> Result<Pinned, StoreError> {
    let ids = readings(text, Part::Trace);
    let found = store.read_async(move |conn| {
        for id in ids {
            if let Some(entry) = kept::entry(conn, &id)? {
                return Ok(Some((id, entry)));
            }
        }
        Ok::<_, StoreError>(None)
    });
    let Some((id, entry)) = found.await? else {
        return Ok(Pinned::Unknown);
    };
    let room = store.keep_share(kept::Reason::Pinned);
    let now = apm_time::now() / apm_time::SECOND;
    let written = store.write(move |conn| kept::pin(conn, &id, entry, room, now));
    Ok(match written.map_err(|_| StoreError::Busy)?.await? {
        Pin::Pinned => Pinned::Yes,
        Pin::Full => Pinned::Full,
    })
}

/// Takes a pin back; whether there was one.
pub(crate) async fn unpin(store: &Store, text: &str) -> Result<bool, StoreError> {
    let ids = readings(text, Part::Trace);
    let written = store.write(move |conn| {
        for id in ids {
            if kept::unpin(conn, &id)? {
                return Ok(true);
            }
        }
        Ok(false)
    });
    written.map_err(|_| StoreError::Busy)?.await
}

/// The sentence for a trace that cannot be pinned.
pub(crate) const FULL: &str =
    "Pinned traces fill their room, or 1 000 are pinned. Unpin some first: /kept lists them.";
