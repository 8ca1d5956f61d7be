//! The meter on connections of Diesel and of rusqlite, and on connections that misbehave.

mod clients;
mod closed;
mod counters;
mod every;
mod lives;
mod memory;
mod own;
mod program;
mod steps;
mod support;
mod switch;
mod table;
