//! Reads JSON against the tables of `schema`, in one pass and without building it.
//!
//! A value of the wrong type is an error of the reader; a value that breaks a rule is remembered in [`Fields`], where
//! the first one stays. Each visit answers whether the value counts as set: not null, and for an object not
//! empty of known fields.
//!
//! `serde_json` tells no offsets, but it borrows the keys from the line: the address of a key tells where its
//! member begins, and that of the next one where it ends. That saves a second pass for the members that are
//! kept as they came.

mod any_value;
mod count;
mod header;
mod key;
mod labels;
mod value;

pub(super) use key::Key;
pub(super) use value::{IRREGULAR, Members};
