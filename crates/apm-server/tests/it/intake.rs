//! The intake as agents see it.

mod documents;
mod hostile;
mod irregular;
mod load;
mod mutated;
mod numbers;
mod protocol;
mod rum;
mod source_maps;
mod text;
mod vitals;
