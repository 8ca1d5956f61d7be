//! The geometry of drawings: places, scales and ticks. Charts and the waterfall share it.

pub(crate) mod coordinate;
pub(crate) mod labels;
pub(crate) mod lanes;
pub(crate) mod layered;
pub(crate) mod scale;
pub(crate) mod ticks;
