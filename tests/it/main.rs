//! The service, its agent and the APM server, together and over the wire.
#![expect(clippy::unwrap_used, reason = "a failed set-up should fail its test")]
#![expect(unreachable_pub, reason = "modules of one test binary see each other")]

mod advise;
mod allocations;
mod database;
mod docs;
mod first_light;
mod floors;
mod insight;
mod logging;
mod outage;
mod process;
mod routes;
mod support;
mod upstream;
mod wire;
