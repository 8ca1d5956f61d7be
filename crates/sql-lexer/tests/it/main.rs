//! The lexer on any text, and on statements that Elastic's agents publish.

mod any_text;
mod shared_spec;
