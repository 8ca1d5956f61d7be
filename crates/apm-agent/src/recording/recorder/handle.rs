//! References to a recorder that are counted apart.

use std::ops::Deref;
use std::sync::Arc;

use super::Recorder;

/// A reference to a recorder. Its clones share a count of their own, and the recorder counts them as one.
///
/// Each transaction holds one. With one count for all of them, threads that begin and end transactions at once would
/// wait for each other's cache line. So each worker of a web server clones a handle of its own.
#[derive(Clone, Debug)]
#[expect(
    clippy::redundant_allocation,
    reason = "the outer count is that of this handle's clones alone"
)]
pub(crate) struct RecorderHandle(Arc<Arc<Recorder>>);

impl RecorderHandle {
    pub(crate) fn new(recorder: &Arc<Recorder>) -> Self {
        Self(Arc::new(Arc::clone(recorder)))
    }
}

impl Deref for RecorderHandle {
    type Target = Arc<Recorder>;

    fn deref(&self) -> &Arc<Recorder> {
        &self.0
    }
}
