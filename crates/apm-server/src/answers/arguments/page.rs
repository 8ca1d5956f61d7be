//! A request to a page: people type its parameters, and its tables are fetched as files from the same address.

use actix_web::HttpRequest;
use jiff::tz::TimeZone;

use super::{Arguments, Shape};
use crate::answers::parameter::shared::Q;
use crate::answers::problem::Problem;

impl Arguments {
    /// Reads a request to a page. `csv` names the table that is fetched as a file, with as many rows as one may have.
    pub(crate) fn of_page(
        request: &HttpRequest,
        now: i64,
        zone: TimeZone,
    ) -> Result<Self, Problem> {
        let mut pairs = request.query_string().split('&');
        let is_file = pairs.any(|pair| pair.starts_with("csv="));
        let shape = match is_file {
            true => Shape::Data,
            false => Shape::Page,
        };
        let read = Self::at(request, shape, now, zone)?;
        Ok(Self {
            is_file: read.is_file || is_file,
            ..read
        })
    }

    /// The field that shows the query holds one line: more of them, pasted into an address, keep their meaning.
    pub(super) fn fold_query(&mut self) {
        for (name, value) in &mut self.pairs {
            if name == Q.name {
                *value = kql::one_line(value);
            }
        }
    }
}
