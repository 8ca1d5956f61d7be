//! The address of a page, read: range, environment, query, comparison. Everything a page shows follows from it, so
//! that a copied link shows the same and the back button undoes one step.

use apm_time::Range;

use super::bar::{Bar, Query};
use super::href::Href;
use super::moment::{Clock, span_words};
use crate::analytics::comparison::Comparison;
use crate::analytics::window::Window;
use crate::answers::{Asked, Problem};

/// Parameters that every link to another page keeps.
const SHARED: [&str; 5] = ["from", "to", "env", "cmp", "refresh"];

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
    pub(crate) clock: Clock,
    pub(crate) range: Range,
    pub(crate) theme: Option<Theme>,
    /// `http://host:port` as the reader reaches this server.
    pub(crate) origin: String,
    /// The reach of the query bar of this page.
    pub(crate) bar: Bar,
    /// The query in it, read.
    pub(crate) asked: Query,
}

impl View {
    /// Reads a request. Of a repeated parameter the first value counts.
    pub(crate) fn new(path: &str, asked: &Asked) -> Result<Self, Problem> {
        let mut params: Vec<(String, String)> = Vec::new();
        for (key, value) in asked.pairs().iter().take(64) {
            if !value.is_empty() && params.iter().all(|(name, _)| name != key) {
                params.push((key.clone(), value.chars().take(LONGEST).collect()));
            }
        }
        let clock = Clock {
            now: asked.now,
            zone: asked.zone.clone(),
        };
        let bar = Bar::of_path(path);
        let text = params.iter().find(|(name, _)| name == "q");
        let text = text.map_or("", |(_, value)| value);
        Ok(Self {
            bar,
            asked: Query::read(text, bar, clock.now, &clock.zone),
            range: asked.range()?,
            path: path.to_owned(),
            params,
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
            bar: Bar::of_path(path),
            asked: Query::default(),
            path: path.to_owned(),
            params: Vec::new(),
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

    pub(crate) fn environment(&self) -> Option<&str> {
        self.param("env")
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
                href.set(key, value)
            })
    }

    /// Another page, in the same range, environment and comparison, and with the query where that page can be filtered
    /// by it.
    pub(crate) fn to(&self, segments: &[&str]) -> Href {
        let href = self.shared(Href::to(segments));
        if self.asked.goes_to(Bar::for_segments(segments)) {
            href.set("q", self.query())
        } else {
            href
        }
    }

    /// The parameters that every link to another page keeps.
    pub(crate) fn shared_params(&self) -> Vec<(&str, &str)> {
        SHARED
            .into_iter()
            .filter_map(|key| self.param(key).map(|value| (key, value)))
            .collect()
    }

    fn shared(&self, href: Href) -> Href {
        SHARED
            .into_iter()
            .filter_map(|key| self.param(key).map(|value| (key, value)))
            .fold(href, |href, (key, value)| href.set(key, value))
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
mod tests {
    use super::*;

    #[test]
    fn links_keep_what_all_pages_share() {
        let view = View::test("/services", "from=now-1h&q=a:1&sort=-avg&env=dev");
        assert_eq!(
            view.to(&["errors"]).to_string(),
            "/errors?from=now-1h&env=dev"
        );
        assert_eq!(
            view.to(&["discover"]).to_string(),
            "/discover?from=now-1h&env=dev&q=a:1",
            "the query goes where it can be applied"
        );
        assert_eq!(
            view.here().set("sort", "avg").to_string(),
            "/services?from=now-1h&q=a:1&sort=avg&env=dev"
        );
    }

    #[test]
    fn the_comparison_is_the_window_just_before_unless_asked_otherwise() {
        for (query, want) in [
            ("from=now-1h", Some(Comparison::Previous)),
            ("from=now-1h&cmp=day", Some(Comparison::Day)),
            ("from=now-3d&cmp=day", Some(Comparison::Previous)),
            ("from=now-1h&cmp=x", Some(Comparison::Previous)),
            ("from=now-1h&cmp=off", None),
        ] {
            assert_eq!(View::test("/", query).comparison(), want, "{query}");
        }
        assert_eq!(
            View::test("/", "")
                .against()
                .replace(crate::ui::number::NARROW, " "),
            "previous 15 min"
        );
    }

    #[test]
    fn zooming_out_doubles_the_range_and_stops_at_now() {
        let view = View::test("/", "from=2026-11-22T10:00:00Z&to=2026-11-22T10:10:00Z");
        assert_eq!(
            view.zoomed_out().to_string(),
            "/?from=2026-11-22T09:55:00Z&to=2026-11-22T10:15:00Z"
        );
        let view = View::test("/", "from=now-10m");
        assert_eq!(
            view.zoomed_out().to_string(),
            "/?from=2026-11-22T11:40:00Z&to=2026-11-22T12:00:00Z"
        );
    }

    #[test]
    fn a_bad_range_is_an_error_that_names_the_parameter() {
        let clock = View::test("/", "").clock;
        let error = View::test_at("/", "from=yesterday", clock).unwrap_err();
        assert!(error.to_string().starts_with("from:"), "{error}");
    }

    #[test]
    fn values_in_a_query_are_quoted() {
        assert_eq!(quoted(r#"a "b" \c"#), r#""a \"b\" \\c""#);
        assert_eq!(quoted("one\ntwo"), r#""one\ntwo""#);
    }

    #[test]
    fn times_without_an_offset_are_those_of_the_page() {
        let at = |zone: &str, query: &[(&str, &str)]| {
            let clock = Clock {
                zone: jiff::tz::TimeZone::get(zone).unwrap(),
                ..View::test("/", "").clock
            };
            let query = query
                .iter()
                .fold(Href::at("/"), |href, (key, value)| href.set(key, value))
                .to_string();
            let range = View::test_at("/", &query[2..], clock).unwrap().range;
            (apm_time::rfc3339(range.from), apm_time::rfc3339(range.to))
        };
        let both = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        for (zone, from, to, expected) in [
            (
                "Asia/Tokyo",
                "2026-11-20",
                "2026-11-21 12:00",
                both("2026-11-19T15:00:00Z", "2026-11-21T03:00:00Z"),
            ),
            (
                "Asia/Tokyo",
                "now/d",
                "now",
                both("2026-11-21T15:00:00Z", "2026-11-22T12:00:00Z"),
            ),
            (
                "America/New_York",
                "now-1d/d",
                "now-1d/d",
                both("2026-11-21T05:00:00Z", "2026-11-22T05:00:00Z"),
            ),
            // The day on which clocks are put back.
            (
                "Europe/Berlin",
                "2026-10-25",
                "2026-10-26",
                both("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            ),
            (
                "Asia/Tokyo",
                "2026-11-20T00:00:00Z",
                "2026-11-21T00:00:00+01:00",
                both("2026-11-20T00:00:00Z", "2026-11-20T23:00:00Z"),
            ),
        ] {
            assert_eq!(
                at(zone, &[("from", from), ("to", to)]),
                expected,
                "{zone} {from}"
            );
        }
    }

    #[test]
    fn a_query_of_several_lines_is_shown_and_asked_as_one() {
        let view = View::test("/discover", "q=service.name:a%0Aand+message:%22x%0Ay%22");
        assert_eq!(view.query(), r#"service.name:a and message:"x\ny""#);
        assert!(view.asked.trouble.is_none() && view.asked.expr.is_some());
    }

    #[test]
    fn dates_in_a_query_are_those_of_the_page() {
        let clock = Clock {
            zone: jiff::tz::TimeZone::get("Asia/Tokyo").unwrap(),
            ..View::test("/", "").clock
        };
        let view = View::test_at("/discover", "q=@timestamp:2026-11-20", clock).unwrap();
        let expr = view.asked.expr.unwrap();
        assert!(kql::matches(
            &expr,
            &serde_json::json!({"@timestamp": "2026-11-19T15:00:00.000Z"})
        ));
    }
}
