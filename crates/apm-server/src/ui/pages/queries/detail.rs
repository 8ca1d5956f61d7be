//! One statement.

use std::path::Path;

use apm_store::StoreError;
use apm_time::SECOND;
use kql::pasted;
use maud::{Markup, html};

use super::{short, whole};
use crate::analytics::Scope;
use crate::analytics::samples::Durations;
use crate::analytics::statement::{self, Detail};
use crate::analytics::statements::{self, Statement};
use crate::insight::Files;
use crate::insight::callers::{self, Caller, Of};
use crate::insight::finding::{self, Which};
use crate::insight::growth;
use crate::insight::plan::{self, Explained, Plan, PlanError, Step, WhatIf};
use crate::ui::chart::growth::{Fit, Growth};
use crate::ui::components::cells::{self, Tone, flag};
use crate::ui::components::code;
use crate::ui::components::controls::copy;
use crate::ui::components::head::{Crumb, Fact, facts, page_head};
use crate::ui::components::panel::{empty, nothing, panel};
use crate::ui::components::shell::Section;
use crate::ui::components::sql;
use crate::ui::components::table::csv;
use crate::ui::number::{self, NARROW};
use crate::ui::pages::{
    Answer, Ask, charts, distribution, insights, page, transaction_href, wider,
};
use crate::ui::words;

/// The page.
pub(crate) fn one(
    ask: &mut Ask<'_>,
    fingerprint: &str,
    files: &Files,
) -> Result<Answer, StoreError> {
    let crumbs = [
        Crumb::link("Queries", ask.view.to(&["queries"]).to_string()),
        Crumb::here(words::cut(fingerprint, 16)),
    ];
    let scope = Scope {
        service: ask.view.param("service").map(str::to_owned),
        ..ask.scope()
    };
    let number = pasted::hash(fingerprint);
    let found = match number {
        Some(number) => statement::detail(
            ask.conn,
            &scope,
            number,
            distribution::durations(ask.view),
            &ask.window,
        )?,
        None => {
            return Ok(Answer::Missing(page(
                Section::Queries,
                "Query",
                missing(ask, &crumbs),
            )));
        }
    };
    let (Some(number), Some(row)) = (number, found.statements.first()) else {
        return Ok(Answer::Missing(page(
            Section::Queries,
            "Query",
            missing(ask, &crumbs),
        )));
    };
    let callers = callers::list(ask.conn, &scope, Of::Statement(number), &ask.window)?;
    let which = Which {
        fingerprint: Some(fingerprint),
        ..Which::default()
    };
    let findings = finding::list(ask.conn, &scope, which)?;
    let answer = match findings.first() {
        Some(finding) => finding.says.title.clone(),
        None => format!(
            "{} takes {} on average.",
            short(row),
            row.latency_avg
                .map_or_else(|| "–".to_owned(), |us| number::duration(us).to_string())
        ),
    };
    let why = findings.first().map_or_else(
        || format!("Run by {} {}.", row.service, words::range(ask.view)),
        |finding| finding.says.cause.clone(),
    );
    let body = html! {
        (page_head(&crumbs, answer, why))
        (totals(row))
        @if !findings.is_empty() { (panel("Insights", number::grouped(findings.len() as u64), html! { a href=(ask.view.to(&["insights"])) { "All insights" } }, insights::list(ask.view, &findings))) }
        div.cols.cols--2 {
            (panel("Statement", row.instance.as_str(), copy("statement", "Copy"), html! { div.snippet.snippet--first { (code::block("statement", sql::highlight(&sql::pretty(&row.normalized)))) } }))
            (growth_panel(ask, &scope, number)?)
        }
        (spread(ask, &scope, number)?)
        (plan_panel(ask, row, files.get(&row.service).map(|file| file.as_path())))
        (panel("Callers", number::grouped(callers.len() as u64), html! {}, who(ask, &callers)))
        (panel("Runs", if is_chosen(ask) { "of the durations selected, newest first" } else { "newest first" }, html! {}, samples(ask, &found)))
    };
    Ok(Answer::Page(page(Section::Queries, short(row), body)))
}

fn missing(ask: &Ask<'_>, crumbs: &[Crumb]) -> Markup {
    html! {
        (page_head(crumbs, format!("This statement was not run {}.", words::range(ask.view)), "It may have run at another time."))
        (empty("No runs", words::range(ask.view), wider(ask.view)))
    }
}

fn totals(row: &Statement) -> Markup {
    let time = |us: Option<f64>| html! { @match us { Some(us) => (number::duration(us)), None => { span.none { "–" } } } };
    facts(&[
        Fact::new("Calls", number::grouped(whole(row.calls))),
        Fact::new("Total", time(Some(row.total))),
        Fact::new("Share of SQL", number::percent(row.share)),
        Fact::new("Average", time(row.latency_avg)),
        Fact::new("p95", time(row.latency.map(|p| p.p95))),
        Fact::new("Longest", time(Some(row.latency_max as f64))),
    ])
}

/// Its trend, and its distribution, in which a range can be chosen for the runs below.
fn spread(ask: &mut Ask<'_>, scope: &Scope, fingerprint: u64) -> Result<Markup, StoreError> {
    let cut = distribution::scale(ask.view);
    let window = ask.window.clone();
    let before = ask.before.clone();
    let now = statement::trend(ask.conn, scope, fingerprint, &window)?;
    let then = before
        .as_ref()
        .map(|window| statement::trend(ask.conn, scope, fingerprint, window))
        .transpose()?;
    let bars = statement::distribution(ask.conn, scope, fingerprint, &window, cut)?;
    let bars_then = before
        .as_ref()
        .map(|window| statement::distribution(ask.conn, scope, fingerprint, window, cut))
        .transpose()?;
    let trend_sql = statements::series_sql(scope, Some(fingerprint), &window).shell();
    let bars_sql = statement::distribution_sql(scope, fingerprint, &window).shell();
    let trend = charts::latency(ask, "calls", &now, then.as_ref(), Some(&trend_sql));
    let spread = distribution::chart(
        ask.view,
        "calls",
        &bars,
        bars_then.as_ref(),
        None,
        &bars_sql,
    );
    Ok(html! {
        section.panel { (trend) }
        section.panel { (spread) }
    })
}

fn growth_panel(ask: &mut Ask<'_>, scope: &Scope, fingerprint: u64) -> Result<Markup, StoreError> {
    let mut parts = Vec::new();
    for (i, known) in growth::subjects(ask.conn, scope, fingerprint)?
        .into_iter()
        .take(3)
        .enumerate()
    {
        let Some(found) = growth::read(ask.conn, known.subject(), ask.view.clock.now / SECOND)?
        else {
            continue;
        };
        let Some(regime) = found.growing().or(found.regimes.last()) else {
            continue;
        };
        let runs: Vec<(f64, f64)> = found
            .points
            .iter()
            .map(|point| (point.rows, point.micros))
            .collect();
        let id = format!("growth-{i}");
        let chart = Growth {
            id: &id,
            table: &found.table,
            runs: &runs,
            // A line that the words beside it deny would mislead.
            fit: regime
                .fit
                .filter(|_| found.growing().is_some())
                .map(|fit| Fit {
                    at_zero: fit.at_zero,
                    per_row: fit.per_row,
                    r_squared: fit.r_squared,
                }),
            height: 140,
            sql: Some(&found.sql),
        };
        let words = match found.growing() {
            Some(_) => chart.words(),
            None => Some(match found.ended() {
                Some(at) => format!(
                    "It grew with {} until {}, and no longer does.",
                    found.table,
                    ask.view.clock.minute((at * 1e6) as i64)
                ),
                None => format!("It does not follow the rows of {}.", found.table),
            }),
        };
        parts.push(html! {
            (chart.render())
            @if let Some(words) = words { p.soft.pad { (words) } }
        });
    }
    let body = html! {
        @if parts.is_empty() { (nothing("No growth to show", "It needs the rows of the table: INSERTs that were seen, or a gauge named after the table, such as people.rows.")) }
        @for part in &parts { (part) }
    };
    Ok(panel(
        "Duration against rows",
        "last 6 hours",
        html! {},
        body,
    ))
}

fn plan_panel(ask: &Ask<'_>, row: &Statement, file: Option<&Path>) -> Markup {
    let Some(file) = file else {
        let how = format!(
            "Start the server with --explain {}=FILE to see how SQLite answers it. The file is only read.",
            row.service
        );
        return panel("Query plan", "", html! {}, nothing("No plan", how));
    };
    let explained = plan::explain(file, &row.sample);
    let asked = ask
        .view
        .param("index")
        .map(|index| (index, plan::what_if(file, &row.sample, index)));
    let body = html! {
        @match &explained {
            Ok(explained) => (plans(explained, asked.as_ref().and_then(|(_, tried)| tried.as_ref().ok()))),
            Err(error) => (nothing("No plan", error.to_string())),
        }
        (what_if_form(ask, asked.as_ref()))
    };
    panel("Query plan", "worked out, not run", html! {}, body)
}

fn plans(explained: &Explained, asked: Option<&WhatIf>) -> Markup {
    let other = asked.or(explained.proposal.as_ref());
    html! {
        div.cols.cols--2.pad-all {
            div { h3 { "Today" } (tree(&explained.plan)) p.soft { (explained.summary) } }
            @if let Some(other) = other {
                div {
                    h3 { (if asked.is_some() { "With your index" } else { "With an index" }) }
                    (tree(&other.after))
                    div.note-box.note-box--warn[!other.helps] {
                        div { (other.summary) }
                        @for sentence in &other.assumed { div.soft { (sentence) } }
                        div.row { code #index { (sql::highlight(&other.index)) } (copy("index", "Copy")) }
                    }
                }
            }
        }
    }
}

fn tree(plan: &Plan) -> Markup {
    html! { ul.plan { @for step in &plan.steps { (branch(step)) } } }
}

fn branch(step: &Step) -> Markup {
    let (tone, words) = match step.meaning.kind {
        plan::Kind::FullScan => (Tone::Warn, "full scan"),
        plan::Kind::TempBTree => (Tone::Warn, "sorts"),
        plan::Kind::AutomaticIndex => (Tone::Warn, "automatic index"),
        plan::Kind::CorrelatedSubquery => (Tone::Warn, "for each row"),
        plan::Kind::CoveringScan | plan::Kind::CoveringSearch => (Tone::Good, "covering index"),
        plan::Kind::Search => (Tone::Good, "index"),
        plan::Kind::IndexScan => (Tone::Neutral, "index scan"),
        _ => (Tone::Neutral, ""),
    };
    html! {
        li { span title=(step.meaning.words) { (sql::highlight(&step.detail)) } @if !words.is_empty() { (flag(tone, words)) } }
        @if !step.steps.is_empty() { li { ul.plan { @for step in &step.steps { (branch(step)) } } } }
    }
}

fn what_if_form(ask: &Ask<'_>, asked: Option<&(&str, Result<WhatIf, PlanError>)>) -> Markup {
    html! {
        form.picker-form.what-if method="get" action=(ask.view.path) {
            @for (key, value) in ask.view.params_but(&["index"]) { input type="hidden" name=(key) value=(value); }
            label { "What if there were this index?"
                input.input.input--text type="text" name="index" value=(asked.map_or("", |(index, _)| index)) placeholder="CREATE INDEX people_city ON people (city)" spellcheck="false";
            }
            @if let Some((_, Err(error))) = asked { p.bad role="alert" { (error) } }
            div.row { button.btn type="submit" { "Try" } }
        }
    }
}

fn who(ask: &Ask<'_>, callers: &[Caller]) -> Markup {
    if callers.is_empty() {
        return nothing(
            "No callers counted",
            "They are counted a few seconds after their requests.",
        );
    }
    html! {
            div.wide { table.table.table--lines {
                caption.sr { "Requests that run this statement" }
                thead { tr { th scope="col" { "Request" } th.num.num--bare scope="col" { "Requests" } th.num.num--bare scope="col" { "Calls per request" } th.num.num--bare scope="col" { "At most" } th.num scope="col" { "Time per request" } th.num scope="col" { "Share of request" } } }
                tbody {
                    @for caller in callers.iter().take(50) {
                        tr {
                            th scope="row" { a href=(transaction_href(ask.view, &caller.service, &caller.kind, &caller.transaction)) { (caller.transaction) } span.sub { (caller.service) } }
                            (cells::count(caller.requests.unsigned_abs()))
                            td.num { (format!("{:.1}", caller.calls)) }
                            td.num { a href=(ask.view.to(&["traces", &caller.trace])) title="A request with the most calls" { (format!("{:.0}", caller.most)) } }
                            (cells::duration(Some(caller.time)))
                            (cells::percent(caller.share))
                        }
                    }
                }
            } }
    (csv("Requests that run this statement"))
        }
}

/// Whether a range of durations is selected.
fn is_chosen(ask: &Ask<'_>) -> bool {
    distribution::durations(ask.view) != Durations::default()
}

fn samples(ask: &Ask<'_>, found: &Detail) -> Markup {
    if found.samples.is_empty() && is_chosen(ask) {
        return nothing(
            "No run took as long",
            "Select other durations in the distribution, or clear the selection.",
        );
    }
    if found.samples.is_empty() {
        return nothing(
            "No runs kept",
            "Single runs are kept for a shorter time than their counts.",
        );
    }
    html! {
            div.wide { table.table {
                caption.sr { "Newest runs" }
                thead { tr { th scope="col" { "Time" } th.num scope="col" { "Duration" } th scope="col" { "Trace" } } }
                tbody {
                    @for run in found.samples.iter().take(20) {
                        tr {
                            th scope="row" { (ask.view.clock.stamp(run.timestamp)) }
                            td.num { (number::duration(run.duration as f64).figure) span.u { (NARROW) (number::duration(run.duration as f64).unit) } }
                            td { a href=(ask.view.to(&["traces", &run.trace_id])) { code { (words::cut(&run.trace_id, 16)) } } @if run.calls > 1 { " " (flag(Tone::Neutral, &format!("{}×", run.calls))) } @if run.outcome == "failure" { " " (flag(Tone::Bad, "failed")) } }
                        }
                    }
                }
            } }
    (csv("Newest runs"))
        }
}
