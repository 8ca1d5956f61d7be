//! An observer that waits for its connection. A client of any kind runs the meter's SQL function on it, and the
//! observer is attached while SQLite runs that: then the connection is known, and alive.

use std::cell::Cell;
use std::ffi::c_int;

use crate::options::Options;
use crate::slot::Observer;

/// An observer without a connection.
pub(crate) struct Waiting {
    pub(crate) observer: Observer,
    pub(crate) options: Options,
}

/// The end of waiting, where a connection came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// SQLite's, to the trace of the connection.
    Code(c_int),
    /// The connection was reporting a statement to the observer that was to be replaced.
    Reporting,
}

thread_local! {
    static WAITING: Cell<Option<Waiting>> = const { Cell::new(None) };
    /// The answer to the connection that came last.
    static ANSWER: Cell<Option<Answer>> = const { Cell::new(None) };
}

/// Leaves nothing behind, also where the client panics.
struct Forget;

impl Drop for Forget {
    fn drop(&mut self) {
        WAITING.take();
        ANSWER.take();
    }
}

/// Has an observer wait while a client runs. Returns the answer, if a connection came, beside the client's result.
pub(crate) fn wait<R>(
    observer: Observer,
    options: Options,
    client: impl FnOnce() -> R,
) -> (Option<Answer>, R) {
    let _forget = Forget;
    WAITING.set(Some(Waiting { observer, options }));
    let ran = client();
    (ANSWER.take(), ran)
}

/// Takes the observer that waits on this thread, if one does.
pub(crate) fn take() -> Option<Waiting> {
    // The thread may be at its end, where nobody waits.
    WAITING.try_with(Cell::take).ok().flatten()
}

/// Tells the one who waits what came of it.
pub(crate) fn answer(answer: Answer) {
    let _ = ANSWER.try_with(|place| place.set(Some(answer)));
}
