//! One statement.

mod growth;
mod lists;
mod places;
mod plans;

use maud::{Markup, html};

use self::growth::growth_panel;
use self::lists::{samples, who};
use self::places::{Total, places};
use super::{average, short, whole};
use crate::analytics::samples::Durations;
use crate::analytics::statements::{Cost, Statement};
use crate::answers::Problem;
use crate::answers::statement::{Answer as Found, Params};
use crate::insight::plan::has_plan;
use crate::ui::components::cells::{self, Rise};
use crate::ui::components::choose;
use crate::ui::components::code;
use crate::ui::components::controls::copy;
use crate::ui::components::head::{Crumb, Fact, dim, facts, page_head};
use crate::ui::components::panel::{nothing, panel};
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::sql;
use crate::ui::number::{self, delta};
use crate::ui::pages::{
    Answer, Context, Rendered, charts, distribution, insights, nothing_here, page,
};
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let Some(row) = found.statements.first() else {
            let page = Self::missing(
                context,
                &Problem::Unknown {
                    what: "statement",
                    name: String::new(),
                },
            );
            return Answer::Missing(page);
        };
        let (answer, why) = headline(view, found, row);
        let insights = html! { a href=(view.to(&["insights"])) { "All insights" } };
        let count = |n: usize| number::grouped(n as u64);
        let text = html! {
            div.snippet.snippet--first {
                (code::block("statement", sql::highlight(&sql::pretty(&row.normalized))))
            }
        };
        let runs = if self.is_chosen() {
            "of the durations selected, newest first"
        } else {
            "newest first"
        };
        let callers = count(found.callers.len());
        let instance = match found.statements.as_slice() {
            [one] => one.instance.as_str(),
            _ => "",
        };
        let body = html! {
            (page_head(&crumbs(view, &row.fingerprint), answer, why))
            (totals(view, found))
            @if let ([one], 0) = (found.statements.as_slice(), found.left_out) && let Some(cost) = &one.cost {
                (did(cost))
            }
            @if !found.insights.is_empty() {
                @let list = insights::list(view, &found.insights);
                (panel("Insights", count(found.insights.len()), insights, list))
            }
            (places(view, found))
            div.cols.cols--2 {
                (panel("Statement", instance, copy("statement", "Copy"), text))
                (growth_panel(view, &found.growth))
            }
            (spread(context, self, found))
            (plan_panel(view, found, row, self.index.as_deref()))
            (panel("Callers", callers, html! {}, who(view, &found.callers)))
            (panel("Runs", runs, html! {}, samples(view, self, found)))
        };
        Answer::Page(page(Section::Queries, short(row), body))
    }

    fn missing(context: &Context<'_>, _: &Problem) -> Page {
        let view = context.view;
        let crumbs = crumbs(view, view.path.rsplit('/').next().unwrap_or_default());
        let answer = format!("This statement was not run {}.", words::range(view));
        let body = html! {
            (page_head(&crumbs, answer, "It may have run at another time."))
            (nothing_here(view, "No runs"))
        };
        page(Section::Queries, "Query", body)
    }
}

impl Params {
    /// True if a range of durations is selected.
    fn is_chosen(&self) -> bool {
        self.durations != Durations::default()
    }
}

fn crumbs(view: &View, fingerprint: &str) -> [Crumb; 2] {
    [
        Crumb::link("Queries", view.to(&["queries"]).to_string()),
        Crumb::here(words::cut(fingerprint, 16)),
    ]
}

fn headline(view: &View, found: &Found, row: &Statement) -> (String, String) {
    match found.insights.first() {
        Some(finding) => (finding.says.title.clone(), finding.says.cause.clone()),
        None => {
            let average = Total::of(found).average;
            let average =
                average.map_or_else(|| "–".to_owned(), |us| number::duration(us).to_string());
            (
                format!("{} takes {average} on average.", short(row)),
                format!("Run by {} {}.", places::words(found), words::range(view)),
            )
        }
    }
}

fn totals(view: &View, found: &Found) -> Markup {
    let total = Total::of(found);
    let before = found.previous.as_ref();
    let (then, is_covered) = before.map_or((None, true), |before| {
        (Some(&before.latency.total), before.is_covered)
    });
    let events = (whole(total.calls), then.map_or(0, |then| whole(then.count)));
    let change = delta(total.average, then.and_then(|then| then.avg), events);
    let change = cells::delta(change.if_covered(is_covered), Rise::Worse, &view.against());
    // Of what its list is narrowed to, so that both say the same.
    let of = choose::narrowed(view).map(|of| dim(format!("of {of}")));
    let time = |us: Option<f64>| {
        html! { @match us { Some(us) => (number::duration(us)), None => { span.none { "–" } } } }
    };
    facts(&[
        Fact::new("Calls", number::grouped(whole(total.calls))),
        Fact::new("Total", time(Some(total.time))),
        Fact::with(
            "Share of database time",
            number::percent(total.share),
            of.unwrap_or_default(),
        ),
        Fact::with("Average", time(total.average), change),
        Fact::new("p95", time(total.p95)),
        Fact::new("Longest", time(Some(total.longest as f64))),
    ])
}

/// The cost of a call in SQLite.
fn did(cost: &Cost) -> Markup {
    let mut all = vec![
        Fact::with(
            "Steps per call",
            average(cost.steps),
            dim(format!(
                "{} at most",
                number::grouped(cost.steps_max.unsigned_abs())
            )),
        ),
        Fact::new("Rows scanned", average(cost.scan_steps)),
        Fact::new("Sorts", average(cost.sorts)),
        Fact::new("Rows returned", average(cost.rows_returned)),
    ];
    if let Some(changed) = cost.rows_changed {
        all.push(Fact::new("Rows changed", average(changed)));
    }
    let pages = [("read", cost.pages_read), ("written", cost.pages_written)];
    let pages = pages.into_iter().filter(|(_, pages)| *pages > 0.0);
    let pages: Vec<String> = pages
        .map(|(what, pages)| format!("{} {what}", average(pages)))
        .collect();
    if !pages.is_empty() {
        all.push(Fact::new("Pages of the file", pages.join(", ")));
    }
    if cost.autoindex_steps > 0.0 {
        let steps = average(cost.autoindex_steps);
        all.push(Fact::new("Rows into automatic indexes", steps));
    }
    if cost.reprepares > 0.0 {
        all.push(Fact::new("Prepared again", average(cost.reprepares)));
    }
    facts(&all)
}

/// Its trend, and its distribution, in which a range can be chosen for the runs below.
fn spread(context: &Context<'_>, params: &Params, found: &Found) -> Markup {
    let before = found.previous.as_ref();
    let (latency, bars) = (&found.latency, &found.distribution);
    let then = before.map(|before| &before.latency);
    let trend = charts::latency(context, "calls", latency, then);
    let bars_then = before.map(|before| &before.distribution);
    let range = (params.durations, bars_then);
    let spread = distribution::chart(context.view, "calls", bars, range, None);
    html! {
        section.panel { (trend) }
        section.panel { (spread) }
    }
}

fn plan_panel(view: &View, found: &Found, row: &Statement, index: Option<&str>) -> Markup {
    let sent = &found.plans;
    // Of a text without a verb it is not known. What an agent sent is shown in any case.
    if sent.is_empty() && !row.verb.is_empty() && !has_plan(&row.verb) {
        let why = format!(
            "{} has no plan. A database plans only statements that read or change rows.",
            words::cut(&row.verb, 30)
        );
        return panel("Query plan", "", html! {}, nothing("No plan", why));
    }
    let Some(plan) = &found.plan else {
        if !sent.is_empty() {
            return panel(
                "Query plan",
                "as agents sent it",
                html! {},
                plans::sent(view, sent),
            );
        }
        let how = format!(
            "Agents send it for SQLite files in WAL mode. Or start the server with --explain {}=FILE: the file is only \
             read.",
            row.service
        );
        return panel("Query plan", "", html! {}, nothing("No plan", how));
    };
    let problem = plan.problem.as_deref().unwrap_or_default();
    let body = html! {
        @match &plan.today {
            Some(explained) => (plans::side_by_side(explained, plan.with_index.as_ref())),
            None => (nothing("No plan", problem)),
        }
        (what_if_form(view, index, plan.index_problem.as_deref()))
        @if !sent.is_empty() { (plans::sent(view, sent)) }
    };
    // It is that of the place with most time.
    let note = match found.statements.as_slice() {
        [first, _, ..] => format!("of {}: worked out, not run", words::cut(&first.service, 60)),
        _ => "worked out, not run".to_owned(),
    };
    panel("Query plan", note, html! {}, body)
}

fn what_if_form(view: &View, index: Option<&str>, problem: Option<&str>) -> Markup {
    let example = "CREATE INDEX people_city ON people (city)";
    html! {
        form.picker-form.what-if method="get" action=(view.path) {
            @for (key, value) in view.params_but(&["index"]) { input type="hidden" name=(key) value=(value); }
            label { "What if there were this index?"
                input.input.input--text type="text" name="index" value=(index.unwrap_or_default())
                    placeholder=(example) spellcheck="false";
            }
            @if let Some(problem) = problem { p.bad role="alert" { (problem) } }
            div.row { button.btn type="submit" { "Try" } }
        }
    }
}
