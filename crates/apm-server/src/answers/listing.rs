//! The order and the pages of lists.
//!
//! A list searches and ranks all of its rows, and reads a thousand of them at once ([`MOST`]). These are sorted as
//! asked, and cut into pages. Pages beyond the first thousand read the next thousand. The rank is the order that is
//! asked for where that is known of all rows ([`By`]), else their time. ADR 397 says why.

use std::cmp::Ordering;
use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::{Arguments, Shape, wrong};
use super::parameter::Parameter;
use super::problem::Problem;
use crate::analytics::change;
pub(crate) use crate::analytics::list::MOST;
use crate::analytics::list::{By, Pick};
use crate::analytics::window::Window;

/// Rows of a page for people: more are heavy, and nobody reads them.
pub(crate) const SHOWN: usize = 200;

/// The largest number of a page.
const LAST: usize = 100_000;

/// `sort`, for the columns of a list.
const fn sort_by(columns: &'static [&'static str]) -> Parameter {
    Parameter::column(
        "sort",
        columns,
        "The column that rows are sorted by, with `-` before it for descending order.",
    )
}

const PAGE: Parameter =
    Parameter::whole("page", 1, LAST as i64, "Which page of the rows. Default 1.");
const SIZE: Parameter = Parameter::whole(
    "size",
    1,
    MOST as i64,
    "Rows of a page. Default 200 for a page in HTML, else 1000; of statements, 200 at most.",
);

const SEARCH: Parameter = Parameter::text(
    "search",
    "Only rows that have this text in their names; upper and lower case are the same.",
);

/// The order of rows: `sort=avg`, or `sort=-avg` for descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sort {
    pub(crate) key: &'static str,
    pub(crate) descending: bool,
}

impl Sort {
    /// `avg`, or `-avg`.
    const fn parse(text: &'static str) -> Self {
        match text.as_bytes() {
            [b'-', ..] => Self {
                key: text.split_at(1).1,
                descending: true,
            },
            _ => Self {
                key: text,
                descending: false,
            },
        }
    }

    /// Sorts rows by a number; unknown ones come last either way.
    pub(crate) fn compare(&self, a: Option<f64>, b: Option<f64>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) if self.descending => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }

    /// Sorts rows by their words.
    pub(crate) fn compare_text(&self, a: &str, b: &str) -> Ordering {
        let order = a.to_lowercase().cmp(&b.to_lowercase());
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }
}

/// The parameters of a list.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) sort: Sort,
    /// A text that rows must have, in lower case.
    search: Option<String>,
    page: usize,
    size: usize,
}

impl Listing {
    /// Reads `sort`, which is one of `keys`, `page` and `size`. `default` is the order where none is asked for.
    pub(crate) fn read(
        arguments: &Arguments,
        keys: &'static [&'static str],
        default: &'static str,
    ) -> Result<Self, Problem> {
        let usual = Self::of_tab(arguments, keys, default)?;
        let search = arguments
            .get(&SEARCH)?
            .map(|text| text.trim().to_lowercase());
        Ok(Self {
            size: arguments.count(&SIZE)?.unwrap_or(usual.size),
            search: search.filter(|text| !text.is_empty()),
            ..usual
        })
    }

    /// Reads `sort` and `page` for a part of an answer whose rows are all at hand.
    pub(crate) fn of_tab(
        arguments: &Arguments,
        keys: &'static [&'static str],
        default: &'static str,
    ) -> Result<Self, Problem> {
        let size = match arguments.shape {
            Shape::Page => SHOWN,
            Shape::Data => MOST,
        };
        Ok(Self {
            sort: sort(arguments, keys, default)?,
            search: None,
            page: page(arguments)?,
            size,
        })
    }

    /// The same with so many rows on a page at most, where rows are heavy: `next_page` leads to the others.
    pub(crate) fn at_most(mut self, rows: usize) -> Self {
        self.size = self.size.min(rows);
        self
    }

    /// The changes of the rows of a list since an earlier window, by their keys; none where it is not sorted by them.
    /// `then` reads the same rows of that window.
    pub(crate) fn changes<R, E>(
        &self,
        before: Option<&Window>,
        rows: &[R],
        row: impl Fn(&R) -> change::Row,
        then: impl FnOnce(&Window, &Pick) -> Result<Vec<R>, E>,
    ) -> Result<HashMap<String, f64>, E> {
        let Some(before) = before.filter(|_| self.sort.key == "change") else {
            return Ok(HashMap::new());
        };
        let same = Pick::of_keys(rows.iter().map(|one| row(one).0));
        let then = then(before, &same)?;
        Ok(change::of_rows(
            rows.iter().map(&row),
            then.iter().map(&row),
        ))
    }

    /// Pages of a thousand rows.
    fn pages(&self) -> usize {
        MOST.div_ceil(self.size)
    }

    /// Number of rows of higher rank that are not read.
    pub(crate) fn first(&self) -> usize {
        (self.page - 1) / self.pages() * MOST
    }

    /// The text that rows must have in their names, in lower case.
    pub(crate) fn text(&self) -> Option<&String> {
        self.search.as_ref()
    }

    /// The rows that are read. `ranked`: what ranks all rows for a column; nothing where only rows that were read have
    /// its value.
    pub(crate) fn pick(&self, ranked: impl Fn(&str) -> Option<By>) -> Pick {
        let by = ranked(self.sort.key);
        Pick {
            search: self.search.clone(),
            by: by.unwrap_or_default(),
            descending: by.is_none() || self.sort.descending,
            first: self.first(),
            most: MOST,
            is_order_asked: by.is_some(),
            keys: None,
        }
    }

    /// Leaves the rows that have the text that is searched for in one of their names, of a list whose rows are all at
    /// hand.
    pub(crate) fn search<T, const N: usize>(
        &self,
        rows: &mut Vec<T>,
        names: impl Fn(&T) -> [&str; N],
    ) {
        let Some(search) = &self.search else { return };
        let is_found = |row: &T| {
            let mut names = names(row).into_iter();
            names.any(|name| name.to_lowercase().contains(search))
        };
        rows.retain(is_found);
    }

    /// Cuts the rows that were read to those of the page, and says which they are. A page beyond the last one is the
    /// last.
    ///
    /// `first`: how many rows of higher rank were not read; `left_out`: how many rows were not read in all;
    /// `is_sorted`: whether the rank is the order that is asked for.
    pub(crate) fn cut<T>(
        &self,
        rows: &mut Vec<T>,
        (first, left_out): (usize, usize),
        is_sorted: bool,
    ) -> Rows {
        let total = rows.len() + left_out;
        let last = rows.len().saturating_sub(1) / self.size;
        // Of a page beyond the last thousand, the last rows are shown.
        let within = match first < self.first() {
            true => last,
            false => ((self.page - 1) % self.pages()).min(last),
        };
        let skipped = (within * self.size).min(rows.len());
        rows.drain(..skipped);
        rows.truncate(self.size);
        let page = first / MOST * self.pages() + within + 1;
        let first = first + skipped;
        Rows {
            first,
            shown: rows.len(),
            total,
            page,
            next_page: (first + rows.len() < total).then_some(page + 1),
            sorted_whole: is_sorted || total <= MOST,
        }
    }

    /// Cuts all rows to those of the page, and says which they are.
    pub(crate) fn cut_all<T>(&self, rows: &mut Vec<T>) -> Rows {
        let page = Rows::of_page(self.page, self.size, rows.len());
        rows.drain(..page.first);
        rows.truncate(page.shown);
        page
    }
}

/// Reads `page`. A page for people, from an old address, is the first or the last one where there is no such page.
pub(super) fn page(arguments: &Arguments) -> Result<usize, Problem> {
    match (arguments.count(&PAGE), arguments.shape) {
        (Err(_), Shape::Page) => {
            let text = arguments.get(&PAGE)?.unwrap_or_default();
            // A single digit that is refused is 0.
            let is_large = text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_digit());
            Ok(if is_large { LAST } else { 1 })
        }
        (read, _) => Ok(read?.unwrap_or(1)),
    }
}

/// Reads `sort`.
fn sort(
    arguments: &Arguments,
    keys: &'static [&'static str],
    default: &'static str,
) -> Result<Sort, Problem> {
    let parameter = sort_by(keys);
    let Some(text) = arguments.get(&parameter)? else {
        return Ok(Sort::parse(default));
    };
    let name = text.strip_prefix('-').unwrap_or(text);
    let key = keys.iter().copied().find(|key| *key == name);
    let problem = || wrong(&parameter, format!("must be one of {}", keys.join(", ")));
    let key = key.ok_or_else(problem)?;
    let descending = text.starts_with('-');
    Ok(Sort { key, descending })
}

/// The place of the rows of an answer among all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Rows {
    /// Number of rows on the pages before.
    pub(crate) first: usize,
    /// Number of rows on this page.
    pub(crate) shown: usize,
    /// Number of rows on all pages.
    pub(crate) total: usize,
    /// Number of this page, from 1.
    pub(crate) page: usize,
    /// `page` of the next rows; null with the last ones.
    pub(crate) next_page: Option<usize>,
    /// True if all rows were sorted, and not only a thousand of them.
    #[serde(skip)]
    pub(crate) sorted_whole: bool,
}

impl Rows {
    /// The rows of a page of so many of all. A page beyond the last one is the last.
    pub(crate) fn of_page(page: usize, size: usize, total: usize) -> Self {
        let page = (page - 1).min(total.saturating_sub(1) / size.max(1));
        let first = page * size;
        let shown = size.min(total - first);
        Self {
            first,
            shown,
            total,
            page: page + 1,
            next_page: (shown > 0 && first + shown < total).then_some(page + 2),
            sorted_whole: true,
        }
    }
}

#[cfg(test)]
mod tests;
