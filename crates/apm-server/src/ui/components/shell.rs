//! The document: head, header, navigation, main. Nothing in it loads from elsewhere or runs inline.

use maud::{DOCTYPE, Markup, html};

use super::cells;
use super::header::{QueryState, header};
use super::icon;
use super::surroundings::Surroundings;
use crate::ui::assets;
use crate::ui::number;
use crate::ui::view::{KEPT, View};
use crate::ui::words;

/// The pages that the navigation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Dashboard,
    Services,
    Map,
    Traces,
    Errors,
    Queries,
    Insights,
    Alerts,
    Slos,
    Dependencies,
    Vitals,
    Compare,
    Logs,
    Discover,
    Sql,
    Live,
    Setup,
    Settings,
}

impl Section {
    const fn name(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Services => "services",
            Self::Map => "map",
            Self::Traces => "traces",
            Self::Errors => "errors",
            Self::Queries => "queries",
            Self::Insights => "insights",
            Self::Alerts => "alerts",
            Self::Slos => "slos",
            Self::Dependencies => "dependencies",
            Self::Vitals => "vitals",
            Self::Compare => "compare",
            Self::Logs => "logs",
            Self::Discover => "discover",
            Self::Sql => "sql",
            Self::Live => "live",
            Self::Setup => "setup",
            Self::Settings => "settings",
        }
    }

    /// The section that an address belongs to.
    pub(crate) fn of_path(path: &str) -> Self {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
        // Markers are set on the page that compares around them.
        let first = if first == "markers" { "compare" } else { first };
        FIRST
            .iter()
            .chain(SECOND)
            .chain(LAST)
            .find(|section| section.name() == first)
            .copied()
            .unwrap_or(Self::Services)
    }

    /// The address of its page.
    pub(crate) fn address(self) -> String {
        format!("/{}", self.name())
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Dashboard => "Dashboard",
            Self::Services => "Services",
            Self::Map => "Map",
            Self::Traces => "Traces",
            Self::Errors => "Errors",
            Self::Queries => "Queries",
            Self::Insights => "Insights",
            Self::Alerts => "Alerts",
            Self::Slos => "SLOs",
            Self::Dependencies => "Dependencies",
            Self::Vitals => "Web vitals",
            Self::Compare => "Compare",
            Self::Logs => "Logs",
            Self::Discover => "Discover",
            Self::Sql => "SQL",
            Self::Live => "Live",
            Self::Setup => "Setup",
            Self::Settings => "Settings",
        }
    }
}

/// Sections that exist, in their order; a rule separates the groups.
const FIRST: &[Section] = &[
    Section::Services,
    Section::Dashboard,
    Section::Map,
    Section::Traces,
    Section::Errors,
    Section::Dependencies,
    Section::Vitals,
    Section::Queries,
    Section::Insights,
    Section::Alerts,
    Section::Slos,
    Section::Compare,
];
const SECOND: &[Section] = &[
    Section::Logs,
    Section::Discover,
    Section::Live,
    Section::Sql,
];
const LAST: &[Section] = &[Section::Setup, Section::Settings];

/// A page: what stands in the document around its body.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) section: Section,
    pub(crate) service: Option<String>,
    pub(crate) query: QueryState,
    pub(crate) body: Markup,
    /// True if it refreshes itself unless told otherwise; a page about one thing stays as it is.
    pub(crate) fresh: bool,
}

/// The whole document.
pub(crate) fn document(view: &View, around: &Surroundings, page: &Page) -> Markup {
    let refresh = if page.fresh || view.param("refresh").is_some() {
        view.refresh()
    } else {
        0
    };
    let density = view.param("density").filter(|word| *word == "compact");
    html! {
        (DOCTYPE)
        html lang="en" data-density=[density]
            data-theme=[view.theme.map(|theme| theme.name())] data-zone=[view.clock.zone.iana_name()] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " · Pocket APM" }
                link rel="icon" type="image/svg+xml" href=(assets::url("favicon.svg"));
                @for sheet in assets::SHEETS { link rel="stylesheet" href=(assets::url(sheet)); }
                noscript { link rel="stylesheet" href=(assets::url("noscript.css")); }
                script type="module" src=(assets::url("app.js")) {}
            }
            body data-refresh=[(refresh > 0).then_some(refresh)] {
                (hatch())
                a.skip href="#main" { "Skip to content" }
                div.shell {
                    (header(view, around, page.service.as_deref(), &page.query))
                    (nav(view, around, page.section))
                    main.main id="main" tabindex="-1" { (kept_filter(view, page.section)) (page.body) }
                }
                // A button that asks for a table as a file sends the state of the page along.
                form id="state" method="get" action=(view.path) hidden {
                    @for (key, value) in view.params_but(&["csv"]) { input type="hidden" name=(key) value=(value); }
                }
                div.sr id="announce" role="status" aria-live="polite" {}
            }
        }
    }
}

/// Says that a filter of another page is not applied here, and that it is not lost.
fn kept_filter(view: &View, section: Section) -> Markup {
    // These pages show nothing that a filter could narrow.
    let is_about_data = !matches!(section, Section::Sql | Section::Setup | Section::Settings);
    html! {
        @if let Some(query) = view.kept_query().filter(|_| is_about_data) {
            p.scan-note role="note" {
                "The filter " code { (words::cut(query, 200)) } " cannot be applied to this page. It is kept for "
                "pages that can apply it. " a href=(view.here().without(KEPT)) { "Remove the filter" }
            }
        }
    }
}

/// The pattern of buckets that are not complete; it must stand in the document that uses it.
fn hatch() -> Markup {
    html! {
        svg.sr width="0" height="0" aria-hidden="true" {
            defs {
                pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    path.hatchline d="M0 0v5" {}
                }
            }
        }
    }
}

fn nav(view: &View, around: &Surroundings, current: Section) -> Markup {
    html! {
        nav.nav aria-label="Main" {
            div.nav-in {
                @for section in FIRST { (link(view, *section, current, count(around, *section))) }
                hr;
                @for section in SECOND { (link(view, *section, current, None)) }
                div.nav-foot {
                    @if let Some(covers) = &around.covers {
                        div { a href=(view.to(&["settings"])) { (covers) } }
                    }
                    @if let Some((bytes, limit)) = around.stored {
                        @if limit > 0 {
                            (cells::meter(bytes as f64 / limit as f64, "fill"))
                            div { (number::bytes(bytes).to_string()) " of " (number::bytes(limit).to_string()) }
                        } @else { div { (number::bytes(bytes).to_string()) " stored" } }
                    }
                }
                hr;
                @for section in LAST { (link(view, *section, current, None)) }
            }
        }
    }
}

/// A count, and whether it is something bad.
fn count(around: &Surroundings, section: Section) -> Option<(u64, bool)> {
    match section {
        Section::Alerts => around.firing.filter(|n| *n > 0).map(|n| (n, true)),
        Section::Errors => around.errors.filter(|n| *n > 0).map(|n| (n, true)),
        _ => None,
    }
}

fn link(view: &View, section: Section, current: Section, count: Option<(u64, bool)>) -> Markup {
    let href = view.to(&[section.name()]);
    html! {
        a href=(href) aria-current=[(section == current).then_some("page")] {
            (icon::icon(section.name()))
            span.lbl { (section.title()) }
            @if let Some((n, bad)) = count {
                span class=(if bad { "count bad" } else { "count" }) { (number::compact(n)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_no_inline_script_style_or_foreign_origin() {
        let view = View::test("/services", "q=%3Cscript%3E&env=%22onload%3D1");
        let around = Surroundings {
            services: vec!["<script>alert(1)</script>".into()],
            environments: vec!["\"><img src=x>".into()],
            ..Surroundings::default()
        };
        let page = Page {
            title: "<script>".into(),
            section: Section::Services,
            service: Some("<b>".into()),
            query: QueryState {
                error: Some("<i>".to_owned().into()),
            },
            body: html! {},
            fresh: true,
        };
        let text = document(&view, &around, &page).into_string();
        assert_eq!(text.matches("<script").count(), 1, "only the module");
        assert!(!text.contains("<img") && !text.contains("<b>") && !text.contains("<i>"));
        assert!(
            !text.contains("style=")
                && !text.contains("\"onload")
                && !text.contains("http://")
                && !text.contains("https://")
        );
    }
}
