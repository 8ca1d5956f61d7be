//! Alerts from stored events to what a receiver gets.

mod deliver;
mod endings;
mod insights;
mod rules;
mod statements;
mod support;
