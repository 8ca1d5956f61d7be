//! Charts as SVG, made on the server: scales, ticks and the marks of every kind of chart.
//!
//! A chart is a frame of four drawings in one grid: the y gutter, the stretched plot (`viewBox="0 0 1000 h"`),
//! whatever must not be stretched above it (words, dots, handles; x in per cent), and the x row. Geometry lives in
//! attributes and colour in classes, so the strict content policy holds and both themes work. Nothing here asks the
//! database.

pub(crate) mod axis;
pub(crate) mod bars;
pub(crate) mod buckets;
pub(crate) mod density;
pub(crate) mod flags;
pub(crate) mod frame;
pub(crate) mod graph;
pub(crate) mod growth;
pub(crate) mod heat;
pub(crate) mod histogram;
pub(crate) mod labels;
pub(crate) mod lines;
pub(crate) mod spark;
pub(crate) mod xy;
