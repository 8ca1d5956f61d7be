//! Alerts from stored events to what a receiver gets.

mod deliver;
mod rules;
mod support;
