//! What holds for any text, and what Elastic's agents publish.

mod any_text;
mod shared_spec;
