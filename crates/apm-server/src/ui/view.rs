//! The address of a page, read: range, environment, query, comparison. Everything a page shows follows from it, so
//! that a copied link shows the same and the back button undoes one step.

use apm_time::Range;

use super::moment::{Clock, span_words};
use super::query_bar::{Query, QueryBar};
use crate::analytics::chosen::{Choice, Chosen};
use crate::analytics::comparison::Comparison;
use crate::analytics::window::Window;
use crate::answers::parameter::shared::{ENV, SERVICE};
use crate::answers::{Arguments, Problem};

mod links;

/// Parameters of which an address may have several.
const REPEATED: [&str; 4] = ["service", "not_service", "env", "not_env"];

/// A query that a page cannot apply: it goes along to the pages after it, which may.
pub(crate) const KEPT: &str = "kept_q";

/// Parameters that an address may have.
const MOST_PARAMS: usize = 512;

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
    /// The range that links to other pages have in place of this one's.
    reach: Option<Range>,
    pub(crate) theme: Option<Theme>,
    /// `http://host:port` as the reader reaches this server.
    pub(crate) origin: String,
    /// The reach of the query bar of this page.
    pub(crate) bar: QueryBar,
    /// The query in it, read.
    pub(crate) asked: Query,
    /// The query of an earlier page, which this one cannot apply and keeps for the next.
    kept: Query,
}

impl View {
    /// Reads a request. Of a repeated parameter the first value counts, but of services and environments all do.
    pub(crate) fn new(path: &str, asked: &Arguments) -> Result<Self, Problem> {
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
        let text = |key: &str| {
            let found = params.iter().find(|(name, _)| name == key);
            found.map_or("", |(_, value)| value)
        };
        let read = |text, bar| Query::read(text, bar, clock.now, &clock.zone);
        Ok(Self {
            bar,
            asked: read(text("q"), bar),
            kept: read(text(KEPT), QueryBar::Elsewhere),
            range: asked.range()?,
            reach: None,
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
            kept: Query::default(),
            path: path.to_owned(),
            params: Vec::new(),
            of: None,
            services: Choice::All,
            environments: Choice::All,
            clock,
            range,
            reach: None,
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

    /// The text in the query bar.
    pub(crate) fn query(&self) -> &str {
        self.param("q").unwrap_or("")
    }

    /// The filter of an earlier page that this one does not apply; nothing where there is none.
    pub(crate) fn kept_query(&self) -> Option<&str> {
        let is_kept = self.query().is_empty() && self.kept.expr.is_some();
        self.param(KEPT).filter(|_| is_kept)
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

    /// True if the range ends at the present moment.
    pub(crate) fn ends_now(&self) -> bool {
        self.param("to").is_none_or(|to| to == "now")
    }

    /// True if the end of the range moves with time.
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
use crate::answers::arguments::Shape;

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
        let asked = Arguments::at(
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
