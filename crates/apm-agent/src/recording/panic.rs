//! Panics become error events.
//!
//! The hook runs before unwinding, on the thread that panicked, while the transaction is still current. It keeps the
//! hook that was there, and calls it. A panic inside it is not captured again.
//!
//! If the panic may be the end of the process, the hook waits until the error is sent: nothing can be sent
//! afterwards. Elsewhere it never waits, as a service that goes on must not wait for its agent.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use crate::recording::captured::{Cause, Place, What};
use crate::recording::context;
use crate::recording::error::{self, Stack};
use crate::recording::recorder::{self, LAST_FLUSH, Recorder};
use crate::util::{Mutex, lock};

/// The time for which the hook waits if the process may go on.
const PERHAPS_LAST_FLUSH: Duration = Duration::from_secs(1);
/// It waits once in this time, so that a service that panics again and again is not slowed.
const BETWEEN_FLUSHES: Duration = Duration::from_secs(10);

thread_local! {
    static CAPTURING: Cell<bool> = const { Cell::new(false) };
}

/// Installs the hook, once per process.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        // With the service's own hook taken out, the default one is what is left.
        let default = panic::take_hook();
        // A hook of the service's own may end the process: many do.
        let custom = !same_function(&*previous, &*default);
        panic::set_hook(Box::new(move |info| {
            let nested = CAPTURING
                .try_with(|capturing| capturing.replace(true))
                .unwrap_or(true);
            if !nested {
                // A panic of ours must not turn a panic of the service into an abort.
                let _ = panic::catch_unwind(AssertUnwindSafe(|| {
                    if let Some(recorder) = capture(info) {
                        wait_at_the_end(&recorder, info, custom);
                    }
                }));
                CAPTURING.set(false);
            }
            previous(info);
        }));
    });
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// Functions have no other identity than their address; where this errs, the hook waits without need.
fn same_function(one: &Hook, other: &Hook) -> bool {
    std::ptr::eq(one, other)
}

/// Waits until what was recorded is sent, if the process is about to end.
fn wait_at_the_end(recorder: &Recorder, info: &PanicHookInfo<'_>, custom_hook: bool) {
    // Nobody catches a panic that cannot unwind; the runtime says so in these words.
    let cannot_unwind = info.payload_as_str().is_some_and(|message| {
        let reasons = [
            "a function that cannot unwind",
            "a destructor during cleanup",
        ];
        reasons
            .iter()
            .any(|reason| message.strip_prefix("panic in ") == Some(reason))
    });
    if cfg!(panic = "abort") || cannot_unwind {
        end_transaction();
        recorder.flush(LAST_FLUSH, true);
        return;
    }
    let on_main_thread = std::thread::current().name() == Some("main");
    if (on_main_thread || custom_hook) && !recorder.is_away() && is_time_to_wait() {
        recorder.flush(PERHAPS_LAST_FLUSH, false);
    }
}

fn is_time_to_wait() -> bool {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = lock(&LAST);
    let is_time = last.is_none_or(|last| last.elapsed() >= BETWEEN_FLUSHES);
    if is_time {
        *last = Some(Instant::now());
    }
    is_time
}

/// Ends the transaction that the process ends in: no guard will.
fn end_transaction() {
    if let Some(current) = context::current() {
        current.transaction.end_with_process();
    }
}

/// Captures the panic; returns the agent that did, if one runs.
fn capture(info: &PanicHookInfo<'_>) -> Option<Arc<Recorder>> {
    if recorder::on_agent_thread() {
        return None;
    }
    let current = context::current();
    let recorder = match &current {
        Some(current) => Arc::clone(&current.transaction.recorder),
        None => recorder::running()?,
    };
    let message = info.payload_as_str().unwrap_or("Box<dyn Any>").to_owned();
    let place = info.location().map(Place::from);
    let culprit = None;
    let what = || What::Exception {
        chain: vec![Cause {
            type_name: Some("panic".to_owned()),
            module: None,
            message,
        }],
        handled: false,
    };
    let stack = Stack::Taken;
    error::capture(&recorder, current.as_ref(), what, place, culprit, stack);
    Some(recorder)
}
