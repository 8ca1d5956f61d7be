//! The parts of a trace that services share: ids, the decision to sample, and the headers that carry both.

pub(crate) mod ids;
pub(crate) mod propagation;
pub(crate) mod sampler;
