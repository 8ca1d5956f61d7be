//! The parameters that lists of one range share.

use super::asked::Asked;
use super::listing::Listing;
use super::period::Period;
use super::problem::Problem;
use crate::analytics::Scope;

/// Which events a list is about, of which range, and which of its rows are asked for.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) scope: Scope,
    pub(crate) period: Period,
    pub(crate) listing: Listing,
}

impl Listed {
    /// Reads `sort`, which is one of `keys`, `page` and `size`. `default` is the order where none is asked for.
    pub(crate) fn read(
        asked: &Asked,
        scope: Scope,
        period: Period,
        keys: &'static [&'static str],
        default: &'static str,
    ) -> Result<Self, Problem> {
        Ok(Self {
            scope,
            period,
            listing: Listing::read(asked, keys, default)?,
        })
    }
}
