//! Alerts: rules on stored telemetry, and the delivery of what they find.
//!
//! * [`rule`]: the kinds of rules, their parameters, and those that come with the program.
//! * [`slo`]: objectives, their budgets and burn rates.
//! * `measure` reads rollups in SQL and makes readings: a subject, and how far it is beyond its bound.
//! * `phase` is the state machine of a subject: pending, firing, calm. It knows no database and no clock.
//! * `storage` holds rules, receivers, silences, states, and what was sent.
//! * `deliver` sends messages to receivers on a thread of its own, with bounded queues and retries.
//! * [`Alerts`] is the handle: one thread evaluates the rules every few seconds.
//!
//! Intake and pages never wait for either thread.

mod deliver;
mod engine;
mod error;
mod measure;
mod message;
mod options;
mod overview;
mod phase;
pub mod receiver;
pub mod rule;
pub mod slo;
mod storage;

pub use engine::Alerts;
pub use error::AlertError;
pub use message::{Alert, Change, Message};
pub use options::{Lag, Options, OutputProbe, Smtp};
pub use overview::{
    Delivery, Firing, Origin, Overview, Sent, ShownReceiver, ShownRule, firing, firing_alerts,
};
