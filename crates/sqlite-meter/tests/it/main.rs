//! The meter on Diesel connections, and on connections that misbehave.

mod counters;
mod every;
mod lives;
mod memory;
mod support;
mod table;
