#![doc = include_str!("../README.md")]

mod dialect;
#[cfg(feature = "fingerprint")]
mod fingerprint;
mod guess;
mod highlight;
mod keywords;
mod lexer;
mod pretty;
mod signature;
mod syntax;
mod token;

pub use dialect::Dialect;
#[cfg(feature = "fingerprint")]
pub use fingerprint::{Fingerprint, MAX_NORMALIZED};
pub use highlight::{Class, highlight};
pub use keywords::is_keyword;
pub use lexer::{Lexer, Significant};
pub use pretty::pretty;
pub use signature::signature;
pub use syntax::{Backslash, Brackets, Comments, Dollars, Hash, Syntax};
pub use token::{Kind, Token};
