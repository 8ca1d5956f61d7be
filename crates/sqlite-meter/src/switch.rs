//! An instrumentation that gets SQLite's reports, and switches them off and on.
//!
//! A trace that nobody listens to is not free: for each statement SQLite looks at the clock twice and calls this crate.
//! Diesel tells its instrumentation of a query before it runs, and that is the moment at which it is known whether
//! anybody wants to know of it. But Diesel does not hand the connection over with the event. So this crate keeps the
//! instrumentation in one of its own, which knows the connection's slot.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use diesel::SqliteConnection;
use diesel::connection::{Connection as _, Instrumentation, InstrumentationEvent};

use crate::callback;
use crate::finished::Finished;
use crate::locate::{AttachError, attach_to, locate};
use crate::options::Options;
use crate::slot::Slot;

/// An instrumentation and observer of one connection; see [`instrument`].
pub trait Metered: Send + 'static {
    /// As [`Instrumentation::on_connection_event`], with the switch of the connection's reports.
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>, reports: Switch<'_>);

    /// A statement has ended, and reports were on when it began. A panic ends the reports: it must not reach SQLite.
    fn on_finished(&mut self, finished: &Finished<'_>);
}

/// The switch of a connection's reports. They are on at first.
#[derive(Clone, Copy)]
pub struct Switch<'a> {
    slot: &'a Slot,
}

impl fmt::Debug for Switch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switch").finish_non_exhaustive()
    }
}

impl Switch<'_> {
    /// Switches the reports on or off, for statements that begin from now on. What runs while they are off is nobody's:
    /// no later report counts it. An observer of [`observe_every`](crate::observe_every) is told of it all the same.
    ///
    /// To be called at each query's start; what is on or off already costs next to nothing.
    #[inline]
    pub fn set(self, on: bool) {
        if self.slot.is_settled(on) {
            return;
        }
        self.turn(on);
    }

    #[inline(never)]
    fn turn(self, on: bool) {
        let Some(db) = self.slot.traced() else {
            return;
        };
        // SAFETY: the connection is alive, for the slot forgets its handle when SQLite destroys the function that it
        // belongs to, which is before the connection. And nobody else uses it now: a switch is only made by
        // `Instrumented`, which its connection owns, and which Diesel only calls while that is borrowed exclusively.
        unsafe { callback::switch(db, self.slot, on) };
    }
}

/// An observer that SQLite's connection and Diesel's instrumentation of it share.
struct Shared<M>(Rc<RefCell<M>>);

// SAFETY: the two values that share it belong to one connection, are used by nobody else, and go from thread to thread
// with it. So there are no two threads at once that use it.
unsafe impl<M: Send> Send for Shared<M> {}

impl<M: Metered> Shared<M> {
    /// SQLite reports only while a statement runs, and Diesel tells of an event only while none does.
    fn on_finished(&self, finished: &Finished<'_>) {
        if let Ok(mut metered) = self.0.try_borrow_mut() {
            metered.on_finished(finished);
        }
    }
}

/// The instrumentation that a connection gets. Its type is private, so that nobody takes it out of its connection: what
/// has no name cannot be downcast to.
struct Instrumented<M> {
    slot: Rc<Slot>,
    metered: Shared<M>,
}

// SAFETY: the slot is shared with SQLite's connection, and with nothing else. The connection owns this value and goes
// from thread to thread with it; whoever uses one of the two has exclusive access to both.
unsafe impl<M: Send> Send for Instrumented<M> {}

impl<M: Metered> Instrumentation for Instrumented<M> {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let reports = Switch { slot: &self.slot };
        if let Ok(mut metered) = self.metered.0.try_borrow_mut() {
            metered.on_connection_event(event, reports);
        }
    }
}

/// Sets the instrumentation of a connection, and has it get SQLite's reports as well, which it switches off and on.
/// It is made only if the connection knows the meter, and replaces an observer that was attached before.
///
/// ```
/// use diesel::{Connection as _, SqliteConnection, connection::{InstrumentationEvent, SimpleConnection as _}};
/// use sqlite_meter::{Finished, Metered, Switch};
///
/// /// Wants reports of every second query.
/// #[derive(Default)]
/// struct Half(bool);
///
/// impl Metered for Half {
///     fn on_connection_event(&mut self, event: InstrumentationEvent<'_>, reports: Switch<'_>) {
///         if let InstrumentationEvent::StartQuery { .. } = event {
///             self.0 = !self.0;
///             reports.set(self.0);
///         }
///     }
///     fn on_finished(&mut self, finished: &Finished<'_>) {
///         println!("{}: {} steps", finished.sql(), finished.counters().steps);
///     }
/// }
///
/// sqlite_meter::install()?;
/// let mut connection = SqliteConnection::establish(":memory:")?;
/// sqlite_meter::instrument(&mut connection, sqlite_meter::Options::default(), Half::default)?;
/// connection.batch_execute("SELECT 1")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the connection was opened before [`install`](crate::install), or SQLite refuses.
pub fn instrument<M: Metered>(
    connection: &mut SqliteConnection,
    options: Options,
    metered: impl FnOnce() -> M,
) -> Result<(), AttachError> {
    let located = locate(connection)?;
    let metered = Rc::new(RefCell::new(metered()));
    let observer = Shared(Rc::clone(&metered));
    attach_to(
        located,
        options,
        Box::new(move |finished: &Finished<'_>| observer.on_finished(finished)),
    )?;
    // SAFETY: `locate` found the slot by running its function on this connection just now. SQLite has a count of it
    // until it destroys the function, so it is alive; this adds one of its own.
    unsafe { Rc::increment_strong_count(located.slot) };
    // SAFETY: the slot came from `Rc::into_raw`, and the count is the one that was added.
    let slot = unsafe { Rc::from_raw(located.slot) };
    connection.set_instrumentation(Instrumented {
        slot,
        metered: Shared(metered),
    });
    Ok(())
}
