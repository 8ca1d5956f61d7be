//! Links from a page: to the same page with something changed, and to others, which keep the range and the choice of
//! services.

use apm_time::Range;

use super::{KEPT, REPEATED, View};
use crate::analytics::chosen::Choice;
use crate::ui::href::Href;
use crate::ui::query_bar::QueryBar;

/// Parameters that every link to another page keeps.
const SHARED: [&str; 10] = [
    "from",
    "to",
    "tz",
    "env",
    "not_env",
    "cmp",
    "refresh",
    "service",
    "not_service",
    "density",
];

/// Parameters that tell which rows of a list are shown: in another range, or without a filter, there are other rows.
const PLACE: [&str; 4] = ["page", "after", "open", "hold"];

/// Parameters that tell which details are open: another choice of services has others.
const DETAILS: [&str; 2] = ["item", "sample"];

/// Time on either side of what a link leads to, µs.
const AROUND: i64 = 15 * 60 * apm_time::SECOND;

impl View {
    /// The view of a page about something that happened from `from` to `to`, which its range need not have: then links
    /// to other pages lead to a range that has it.
    pub(crate) fn reaching(&self, from: i64, to: i64) -> Self {
        let is_within = self.range.from <= from && to <= self.range.to;
        Self {
            reach: (!is_within).then(|| self.around(from, to)),
            ..self.clone()
        }
    }

    /// A range with some time before and after, but not more of the future.
    fn around(&self, from: i64, to: i64) -> Range {
        let end = to.saturating_add(AROUND);
        Range {
            from: from.saturating_sub(AROUND).max(0),
            to: end.min(self.clock.now.max(to.saturating_add(apm_time::SECOND))),
        }
    }

    /// An address of another page in a range around a point in time.
    pub(crate) fn at_time(&self, segments: &[&str], at: i64) -> Href {
        between(self.to(segments), self.around(at, at))
    }

    /// The same page for another service, or for all of them.
    pub(crate) fn with_service(&self, service: Option<&str>) -> Href {
        let segments: Vec<&str> = self.path.trim_matches('/').split('/').collect();
        let name = service.unwrap_or_default();
        let view = self.without_choice();
        let to = |segments: &[&str]| view.to(segments);
        match segments.as_slice() {
            // Pages of one service have no counterpart for all of them but the list.
            ["services", _, ..] if service.is_none() => to(&["services"]),
            ["services", _, tab, ..] => to(&["services", name, tab]),
            ["services", _] => to(&["services", name]),
            // The details that are open may not be of that service.
            [first, _, ..] if *first != "traces" => to(&[first]).set("service", name),
            _ => DETAILS
                .into_iter()
                .fold(view.at_first_row(), Href::without)
                .set("service", name),
        }
    }

    /// The same page without a choice of services.
    fn without_choice(&self) -> Self {
        let mut view = self.clone();
        view.params
            .retain(|(key, _)| key != "not_service" && key != "service");
        view.services = Choice::All;
        view
    }

    /// The page that a form with a choice of services and environments leads to: the path, and what is kept.
    pub(crate) fn choosing(&self, what: &str) -> (String, Vec<(&str, &str)>) {
        let is_opened = |key: &str| PLACE.contains(&key) || DETAILS.contains(&key);
        let is_free = |key: &str| !REPEATED.contains(&key) && !is_opened(key);
        let segments: Vec<&str> = self.path.trim_matches('/').split('/').collect();
        // A page below a list, as of one statement, may be of a service that is not chosen: the form leads to the
        // list.
        let list = match segments.as_slice() {
            _ if what == "env" => {
                let kept = self.params_but(&[]).filter(|(key, _)| is_free(key));
                return (self.path.clone(), kept.collect());
            }
            [
                "services",
                _,
                "errors" | "dependencies" | "map" | "logs",
                ..,
            ] => segments[2],
            ["services", ..] => "services",
            [first, _, ..] if *first != "traces" => first,
            _ => {
                let kept = self.params_but(&[]).filter(|(key, _)| is_free(key));
                return (self.path.clone(), kept.collect());
            }
        };
        let kept = self.shared_params().into_iter();
        let kept = kept.filter(|(key, _)| is_free(key));
        let query = self.carried(QueryBar::for_segments(&[list]));
        (format!("/{list}"), kept.chain(query).collect())
    }

    /// This page as it is.
    pub(crate) fn here(&self) -> Href {
        self.with_all(Href::at(self.path.clone()))
    }

    /// The address that a form of this page is sent to. It has the parameters of the page, and the answer leads back to
    /// them, without the form that was open.
    pub(crate) fn acting(&self, segments: &[&str]) -> Href {
        self.with_all(Href::to(segments))
            .without("edit")
            .without("new")
    }

    fn with_all(&self, href: Href) -> Href {
        let all = self.params.iter();
        all.fold(href, |href, (key, value)| href.and(key, value))
    }

    /// This page from its first row on, for a link after which a list has other rows.
    pub(crate) fn at_first_row(&self) -> Href {
        PLACE.into_iter().fold(self.here(), Href::without)
    }

    /// The parameters of [`View::at_first_row`] but `without`, for the hidden fields of a form.
    pub(crate) fn params_at_first_row<'a>(
        &'a self,
        without: &'a [&str],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.params_but(without)
            .filter(|(key, _)| !PLACE.contains(key))
    }

    /// Another page, in the same range, environment, service and comparison, and with the query. A page that cannot be
    /// filtered by it has it as [`KEPT`].
    pub(crate) fn to(&self, segments: &[&str]) -> Href {
        let href = self.shared(Href::to(segments));
        let href = match (segments, &self.of) {
            // The path names the service; several others that were chosen are chosen again in the list.
            (["services", _, ..], _) | (["services"], Some(_)) if self.services.one().is_some() => {
                href.without("service").without("not_service")
            }
            (["services", ..], _) => href,
            (_, Some(service)) => href.without("not_service").set("service", service),
            _ => href,
        };
        match self.carried(QueryBar::for_segments(segments)) {
            Some((key, query)) => href.set(key, query),
            None => href,
        }
    }

    /// The query as a parameter of a page with this bar: the page applies it, or keeps it for pages after it.
    fn carried(&self, bar: QueryBar) -> Option<(&'static str, &str)> {
        let (query, text) = match self.kept_query() {
            Some(text) => (&self.kept, text),
            None => (&self.asked, self.query()),
        };
        query.expr.as_ref()?;
        Some((if query.goes_to(bar) { "q" } else { KEPT }, text))
    }

    /// The parameters that every link to another page keeps.
    pub(crate) fn shared_params(&self) -> Vec<(&str, &str)> {
        let of = |shared| self.params_but(&[]).filter(move |(key, _)| *key == shared);
        SHARED.into_iter().flat_map(of).collect()
    }

    fn shared(&self, href: Href) -> Href {
        let kept = self.shared_params().into_iter();
        let href = kept.fold(href, |href, (key, value)| href.and(key, value));
        match self.reach {
            Some(reach) => between(href, reach),
            None => href,
        }
    }

    /// Discover with `kql` as its query, and nothing else filtered.
    pub(crate) fn discover(&self, kql: &str) -> Href {
        self.to(&["discover"]).set("q", kql)
    }

    /// Discover narrowed by one condition more: beside what is there, if this is Discover.
    pub(crate) fn filtered(&self, kql: &str) -> Href {
        if self.path != "/discover" {
            return self.discover(kql);
        }
        let mut filters: Vec<&str> = self
            .param("filter")
            .unwrap_or("")
            .lines()
            .filter(|line| !line.is_empty())
            .collect();
        // A line is a filter: `quoted` has left no line break in a value.
        if !filters.contains(&kql) {
            filters.push(kql);
        }
        self.at_first_row().set("filter", &filters.join("\n"))
    }

    /// Twice the range around its middle, but not into the future.
    pub(crate) fn zoomed_out(&self) -> Href {
        let half = self.range.micros() / 2;
        let to = self
            .range
            .to
            .saturating_add(half)
            .min(self.clock.now.max(self.range.to));
        let from = to
            .saturating_sub(self.range.micros().saturating_mul(2))
            .max(0);
        self.here_between(from, to)
    }

    /// This page about a part of its range, from its first row on.
    pub(crate) fn here_between(&self, from: i64, to: i64) -> Href {
        between(self.at_first_row(), Range { from, to })
    }

    /// This page with the times that it shows now, for a link that shows the same later.
    pub(crate) fn frozen(&self) -> Href {
        between(self.here(), self.range).without("refresh")
    }
}

/// An address with the times of a range.
fn between(href: Href, range: Range) -> Href {
    href.set("from", &apm_time::rfc3339(range.from))
        .set("to", &apm_time::rfc3339(range.to))
}
