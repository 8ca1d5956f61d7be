//! The intake as agents see it.

mod documents;
mod irregular;
mod hostile;
mod load;
mod numbers;
mod protocol;
mod text;
