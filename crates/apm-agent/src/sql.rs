//! What an SQL statement does, in a few words: the name of its span.
//!
//! A scanner, no parser: it never fails, keeps no state between statements, and takes time linear in the text.
//! It gives the same names as Elastic's other agents for the statements that they publish as examples.

mod signature;
mod token;

pub(crate) use signature::signature;
