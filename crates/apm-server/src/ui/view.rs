//! The address of a page, read: range, environment, query, comparison. Everything a page shows follows from it, so
//! that a copied link shows the same and the back button undoes one step.

use apm_time::Range;

use super::href::Href;
use super::moment::{Clock, span_words};
use super::query_bar::{Query, QueryBar};
use crate::analytics::chosen::{Choice, Chosen};
use crate::analytics::comparison::Comparison;
use crate::analytics::window::Window;
use crate::answers::parameter::shared::{ENV, SERVICE};
use crate::answers::{Asked, Problem};

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

/// Parameters of which an address may have several.
const REPEATED: [&str; 4] = ["service", "not_service", "env", "not_env"];

/// Parameters that an address may have.
const MOST_PARAMS: usize = 512;

/// Parameters that tell which rows of a list are shown or open: another choice of services has other rows.
const OPENED: [&str; 6] = ["page", "after", "open", "hold", "item", "sample"];

/// Longest value of a parameter that is kept; longer ones are cut, since each of them goes into every link of the page.
const LONGEST: usize = 4096;

/// Theme that the reader chose; without a choice the system decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Light, Self::Dark]
            .into_iter()
            .find(|theme| theme.name() == text)
    }
}

/// The request as a page sees it.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// Escaped, as requested.
    pub(crate) path: String,
    params: Vec<(String, String)>,
    /// The service of the path, decoded.
    of: Option<String>,
    /// The choice of services and environments in the parameters.
    pub(crate) services: Choice,
    pub(crate) environments: Choice,
    pub(crate) clock: Clock,
    pub(crate) range: Range,
    pub(crate) theme: Option<Theme>,
    /// `http://host:port` as the reader reaches this server.
    pub(crate) origin: String,
    /// The reach of the query bar of this page.
    pub(crate) bar: QueryBar,
    /// The query in it, read.
    pub(crate) asked: Query,
}

impl View {
    /// Reads a request. Of a repeated parameter the first value counts, but of services and environments all do.
    pub(crate) fn new(path: &str, asked: &Asked) -> Result<Self, Problem> {
        let mut params: Vec<(String, String)> = Vec::new();
        for (key, value) in asked.pairs().iter().take(MOST_PARAMS) {
            let is_repeated = REPEATED.contains(&key.as_str());
            let is_same =
                |(name, known): &(String, String)| name == key && (!is_repeated || known == value);
            if !value.is_empty() && !params.iter().any(is_same) {
                params.push((key.clone(), value.chars().take(LONGEST).collect()));
            }
        }
        let clock = Clock {
            now: asked.now,
            zone: asked.zone.clone(),
        };
        let bar = QueryBar::of_path(path);
        let text = params.iter().find(|(name, _)| name == "q");
        let text = text.map_or("", |(_, value)| value);
        Ok(Self {
            bar,
            asked: Query::read(text, bar, clock.now, &clock.zone),
            range: asked.range()?,
            path: path.to_owned(),
            services: asked.choice_of(&SERVICE)?,
            environments: asked.choice_of(&ENV)?,
            params,
            of: Some(asked.segment(&SERVICE).to_owned()).filter(|name| !name.is_empty()),
            clock,
            theme: None,
            origin: String::new(),
        })
    }

    /// A view with the default range, to show an error about the range in.
    pub(crate) fn fallback(path: &str, clock: Clock) -> Self {
        let range = Range {
            from: clock.now.saturating_sub(900 * apm_time::SECOND),
            to: clock.now.max(1),
        };
        Self {
            bar: QueryBar::of_path(path),
            asked: Query::default(),
            path: path.to_owned(),
            params: Vec::new(),
            of: None,
            services: Choice::All,
            environments: Choice::All,
            clock,
            range,
            theme: None,
            origin: String::new(),
        }
    }

    pub(crate) fn param(&self, key: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Every parameter but `without`, for the hidden fields of a form.
    pub(crate) fn params_but<'a>(
        &'a self,
        without: &'a [&str],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.params
            .iter()
            .filter(|(key, _)| !without.contains(&key.as_str()))
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The environment to which the page is narrowed, where it is one.
    pub(crate) fn environment(&self) -> Option<&str> {
        self.environments.one()
    }

    /// The service that the page is about, or to which it is narrowed, where it is one.
    pub(crate) fn service(&self) -> Option<&str> {
        self.of.as_deref().or_else(|| self.services.one())
    }

    /// The service that the page is about, which its path names.
    pub(crate) fn of(&self) -> Option<&str> {
        self.of.as_deref()
    }

    /// True if the page is about one service, which its path names.
    pub(crate) fn is_of_service(&self) -> bool {
        self.of.is_some()
    }

    /// Whether the page is about a service.
    pub(crate) fn allows_service(&self, name: &str) -> bool {
        match &self.of {
            Some(of) => of == name,
            None => self.services.allows(name),
        }
    }

    /// The services and environments that are chosen, where they are not just one.
    pub(crate) fn chosen(&self) -> Chosen {
        let several = |choice: &Choice| match choice.one() {
            Some(_) => Choice::All,
            None => choice.clone(),
        };
        Chosen {
            services: match self.of {
                Some(_) => Choice::All,
                None => several(&self.services),
            },
            environments: several(&self.environments),
        }
    }

    /// The same page for another service, or for all of them.
    pub(crate) fn with_service(&self, service: Option<&str>) -> Href {
        let segments: Vec<&str> = self.path.trim_matches('/').split('/').collect();
        let name = service.unwrap_or_default();
        let view = self.without_choice();
        let to = |segments: &[&str]| view.to(segments);
        match segments.as_slice() {
            ["services", _, ..] if service.is_none() => to(&["services"]),
            ["services", _, tab, ..] => to(&["services", name, tab]),
            ["services", _] => to(&["services", name]),
            // The details that are open may not be of that service.
            [first, _, ..] if *first != "traces" => to(&[first]).set("service", name),
            _ => OPENED
                .into_iter()
                .fold(view.here(), Href::without)
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
        let is_free = |key: &str| !REPEATED.contains(&key) && !OPENED.contains(&key);
        let segments: Vec<&str> = self.path.trim_matches('/').split('/').collect();
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
        (format!("/{list}"), kept.collect())
    }

    /// The text in the query bar.
    pub(crate) fn query(&self) -> &str {
        self.param("q").unwrap_or("")
    }

    /// The comparison that the address asks for, if the range allows it.
    pub(crate) fn comparison(&self) -> Option<Comparison> {
        match self.param("cmp") {
            Some("off") => None,
            asked => asked
                .and_then(Comparison::parse)
                .filter(|asked| Comparison::options(self.range).contains(asked))
                .or(Some(Comparison::Previous)),
        }
    }

    /// The window that is counted.
    pub(crate) fn window(&self) -> Window {
        Window::new(self.range, self.clock.now)
    }

    /// Words for the comparison: `previous 15 min`.
    pub(crate) fn against(&self) -> String {
        self.comparison()
            .map_or_else(|| "nothing".to_owned(), |comparison| self.words(comparison))
    }

    /// Words for any comparison in this range.
    pub(crate) fn words(&self, comparison: Comparison) -> String {
        match comparison {
            Comparison::Previous => format!("previous {}", span_words(self.range.micros())),
            Comparison::Day => "day before".to_owned(),
            Comparison::Week => "week before".to_owned(),
        }
    }

    /// This page as it is.
    pub(crate) fn here(&self) -> Href {
        self.params
            .iter()
            .fold(Href::at(self.path.clone()), |href, (key, value)| {
                href.and(key, value)
            })
    }

    /// Another page, in the same range, environment, service and comparison, and with the query where that page can be
    /// filtered by it.
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
        if self.asked.goes_to(QueryBar::for_segments(segments)) {
            href.set("q", self.query())
        } else {
            href
        }
    }

    /// The parameters that every link to another page keeps.
    pub(crate) fn shared_params(&self) -> Vec<(&str, &str)> {
        let of = |shared| self.params_but(&[]).filter(move |(key, _)| *key == shared);
        SHARED.into_iter().flat_map(of).collect()
    }

    fn shared(&self, href: Href) -> Href {
        let kept = self.shared_params().into_iter();
        kept.fold(href, |href, (key, value)| href.and(key, value))
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
        self.here()
            .set("filter", &filters.join("\n"))
            .without("after")
            .without("open")
            .without("hold")
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
        self.here()
            .set("from", &apm_time::rfc3339(from))
            .set("to", &apm_time::rfc3339(to))
    }

    /// This page about a part of its range, which it begins with.
    pub(crate) fn here_between(&self, from: i64, to: i64) -> Href {
        let parts = [
            ("from", apm_time::rfc3339(from)),
            ("to", apm_time::rfc3339(to)),
        ];
        let here = ["page", "after", "open", "hold"]
            .iter()
            .fold(self.here(), |href, key| href.without(key));
        (parts.iter()).fold(here, |href, (key, value)| href.set(key, value))
    }

    /// This page with the times that it shows now, for a link that shows the same later.
    pub(crate) fn frozen(&self) -> Href {
        self.here()
            .set("from", &apm_time::rfc3339(self.range.from))
            .set("to", &apm_time::rfc3339(self.range.to))
            .without("refresh")
    }

    /// True if the range ends now and so moves with time.
    pub(crate) fn is_live(&self) -> bool {
        self.param("to").unwrap_or("now").starts_with("now")
    }

    /// Seconds between refreshes; 0 is off.
    pub(crate) fn refresh(&self) -> u32 {
        match self.param("refresh") {
            Some(text) => text
                .parse()
                .ok()
                .filter(|seconds| [0, 5, 30].contains(seconds))
                .unwrap_or(0),
            None if self.is_live() => 5,
            None => 0,
        }
    }
}

/// A value quoted for the query bar.
pub(crate) fn quoted(value: &str) -> String {
    kql::quoted(value)
}

#[cfg(test)]
use crate::answers::asked::Shape;

#[cfg(test)]
impl View {
    /// A view at noon of 2026-11-22 in UTC.
    pub(crate) fn test(path: &str, query: &str) -> Self {
        let clock = Clock {
            now: 1_795_348_800_000_000,
            zone: jiff::tz::TimeZone::UTC,
        };
        Self::test_at(path, query, clock).unwrap()
    }

    pub(crate) fn test_at(path: &str, query: &str, clock: Clock) -> Result<Self, Problem> {
        let request = actix_web::test::TestRequest::with_uri(&format!("/?{query}"));
        let asked = Asked::at(
            &request.to_http_request(),
            Shape::Page,
            clock.now,
            clock.zone,
        );
        Self::new(path, &asked.unwrap())
    }
}

#[cfg(test)]
mod tests;
