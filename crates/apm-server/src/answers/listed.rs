//! The parameters that lists of one range share.

use super::arguments::Arguments;
use super::listing::Listing;
use super::period::Period;
use super::problem::Problem;
use crate::analytics::Scope;

/// The events that a list is about, its range, and the rows that are asked for.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) scope: Scope,
    pub(crate) period: Period,
    pub(crate) listing: Listing,
}

impl Listed {
    /// Reads `sort`, which is one of `keys`, `page` and `size`. `default` is the order where none is asked for.
    pub(crate) fn read(
        arguments: &Arguments,
        scope: Scope,
        period: Period,
        keys: &'static [&'static str],
        default: &'static str,
    ) -> Result<Self, Problem> {
        Ok(Self {
            scope,
            period,
            listing: Listing::read(arguments, keys, default)?,
        })
    }
}
