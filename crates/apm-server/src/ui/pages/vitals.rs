//! `/vitals`: how fast, how responsive and how steady pages are for those who read them.

use apm_store::OTHER;
use apm_store::rollup::Vital;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, narrowed, page, transaction_href};
use crate::analytics::vitals::{Figures, Page};
use crate::answers::vitals::{Answer as Found, Params};
use crate::ui::budget::each;
use crate::ui::components::cells;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{empty, panel};
use crate::ui::components::shell::Section;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number::{self, Figure, NARROW, percent};
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 7] = [
    Column::text("Page").by("page"),
    Column::figure("LCP p75").by("lcp"),
    Column::figure("INP p75").by("inp"),
    Column::figure("CLS p75").by("cls"),
    Column::figure("FCP p75").by("fcp"),
    Column::figure("TTFB p75").by("ttfb"),
    Column::bare("Loads").by("loads"),
];

const SUMMARY: [Column; 6] = [
    Column::text("Vital"),
    Column::figure("p50"),
    Column::figure("p75"),
    Column::figure("p95"),
    Column::text("Good, needs improvement, poor"),
    Column::bare("Measured"),
];

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let (answer, why) = headline(view, found);
        let body = html! {
            (page_head(&[Crumb::here("Web vitals")], answer, why))
            @if found.rows.total == 0 {
                (nothing(view))
            } @else {
                (panel("All pages", "as browsers measured them", html! {}, summary(view, found)))
                (panel("Pages", number::grouped(found.rows.total as u64), html! {}, pages(view, found)))
            }
        };
        Answer::Page(page(Section::Vitals, "Web vitals", body))
    }
}

fn headline(view: &View, found: &Found) -> (String, String) {
    let Some(lcp) = found.all.lcp else {
        let answer = format!("No web vitals were received {}.", narrowed::within(view));
        return (answer, String::new());
    };
    let answer = format!(
        "75{NARROW}% of page loads show their main content within {}.",
        number::duration(lcp.p75)
    );
    let poor: Vec<_> = Vital::ALL
        .into_iter()
        .filter(|vital| found.all.figures(*vital).is_some_and(|of| of.rating == 2))
        .map(Vital::name)
        .collect();
    let why = match poor.is_empty() {
        true => format!(
            "{} of page loads are good by this measure.",
            percent(lcp.good)
        ),
        false => format!("Poor at the 75th percentile: {}.", words::list(&poor)),
    };
    (answer, why)
}

fn nothing(view: &View) -> Markup {
    let reason = html! {
        "Web vitals come from Elastic's agent for browsers. Start the server with " code { "--rum" }
        ", and load the agent in your pages."
    };
    empty("No page loads", reason, super::wider(view))
}

/// The vitals of all pages together.
fn summary(view: &View, found: &Found) -> Markup {
    let told = Vital::ALL
        .into_iter()
        .filter_map(|vital| Some((vital, found.all.figures(vital)?)));
    let rows = html! {
        @for (vital, figures) in told {
            tr {
                th.grow scope="row" { abbr title=(meaning(vital)) { (vital.name()) } " " span.dim { (meaning(vital)) } }
                @for value in [figures.p50, figures.p75, figures.p95] { (cells::figure(Some(value_of(vital, value)))) }
                td { (shares(figures)) }
                (cells::count(super::whole(figures.count)))
            }
        }
    };
    let frame = Frame {
        class: "table--lines",
        caption: "Web vitals of all pages",
        name: "summary",
        columns: &SUMMARY,
        sort: None,
    };
    framed(view, frame, rows)
}

/// The shares of the judgements, as badges that say them.
fn shares(figures: Figures) -> Markup {
    html! {
        span.row.row--c {
            @for (class, share, words) in [
                ("badge--good", figures.good, "good"),
                ("badge--warn", figures.needs_improvement, "needs improvement"),
                ("badge--bad", figures.poor, "poor"),
            ] {
                span class={ "badge badge--s " (class) } title=(words) { (percent(share)) span.sr { " " (words) } }
            }
        }
    }
}

fn pages(view: &View, found: &Found) -> Markup {
    let row = |one: &Page| {
        let href = transaction_href(view, &one.service, "page-load", &one.page);
        html! {
            tr {
                th.grow scope="row" {
                    span.row.row--c {
                        a href=(href) title=(one.page) { (one.page) }
                        span.dim title=(one.service) { (words::cut(&one.service, 40)) }
                    }
                }
                @for vital in [Vital::Lcp, Vital::Inp, Vital::Cls, Vital::Fcp, Vital::Ttfb] {
                    (judged(vital, one.vitals.figures(vital)))
                }
                (cells::count(super::whole(one.vitals.loads())))
            }
        }
    };
    let frame = Frame {
        class: "",
        caption: "Web vitals by page",
        name: "vitals",
        columns: &COLUMNS,
        sort: Some(found.sort),
    };
    let other = found.pages.iter().any(|one| one.page == OTHER);
    html! {
        (framed(view, frame, each(&found.pages, row)))
        (super::pager(view, &found.rows, "loads", other))
    }
}

/// A cell with the 75th percentile and its judgement.
fn judged(vital: Vital, figures: Option<Figures>) -> Markup {
    let Some(figures) = figures else {
        return cells::figure(None);
    };
    let (class, words) = match figures.rating {
        0 => ("badge--good", "good"),
        1 => ("badge--warn", "needs improvement"),
        _ => ("badge--bad", "poor"),
    };
    let value = value_of(vital, figures.p75);
    let title = format!("{words}: {} of the loads are good", percent(figures.good));
    html! {
        td.num { span class={ "badge badge--s " (class) } title=(title) { (value) span.sr { " " (words) } } }
    }
}

/// A value with its unit; a shift of the layout has none.
fn value_of(vital: Vital, value: f64) -> Figure {
    match vital {
        Vital::Cls => Figure {
            figure: format!("{value:.3}"),
            unit: "",
        },
        _ => number::duration(value),
    }
}

fn meaning(vital: Vital) -> &'static str {
    match vital {
        Vital::Lcp => "Largest contentful paint",
        Vital::Inp => "Interaction to next paint",
        Vital::Cls => "Cumulative layout shift",
        Vital::Fcp => "First contentful paint",
        Vital::Ttfb => "Time to first byte",
        Vital::Fid => "First input delay",
        Vital::Tbt => "Total blocking time",
    }
}
