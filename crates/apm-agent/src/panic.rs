//! Panics become error events.
//!
//! The hook runs before unwinding, on the thread that panicked, while the transaction is still current. It keeps the hook that was there,
//! and calls it. It never blocks, and a panic inside it is not captured again.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Once};

use crate::agent;
use crate::context;
use crate::error::{self, Cause, Place, Stack, What};

thread_local! {
    static CAPTURING: Cell<bool> = const { Cell::new(false) };
}

/// Installs the hook, once per process.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let nested = CAPTURING
                .try_with(|capturing| capturing.replace(true))
                .unwrap_or(true);
            if !nested {
                // A panic of ours must not turn a panic of the service into an abort.
                let _ = panic::catch_unwind(AssertUnwindSafe(|| capture(info)));
                CAPTURING.set(false);
            }
            previous(info);
        }));
    });
}

fn capture(info: &PanicHookInfo<'_>) {
    if agent::on_agent_thread() {
        return;
    }
    let current = context::current();
    let agent = match &current {
        Some(current) => Arc::clone(&current.transaction.agent),
        None => match agent::running() {
            Some(agent) => agent,
            None => return,
        },
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
    error::capture(&agent, current.as_ref(), what, place, culprit, stack);
}
