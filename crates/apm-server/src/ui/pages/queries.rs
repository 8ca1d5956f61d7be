//! `/queries`: what services ask their databases, by statement. `/queries/{fingerprint}`: one of them, with its growth, its plan,
//! who runs it, and what was found about it.

mod detail;

use std::collections::HashMap;

use apm_store::OTHER;
use diesel::QueryResult;
use maud::{Markup, html};

use super::insights::badge;
use super::{Answer, Ask, page, whole, wider};
use crate::analytics::Scope;
use crate::analytics::series::Axis;
use crate::analytics::statements::{self, Statement, Statements};
use crate::insight::callers::{self, Caller, Of};
use crate::insight::finding::{self, Finding, Which};
use crate::insight::repeats::BADGE;
use crate::ui::chart::buckets::settled;
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{self, Rise, Tone, flag};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::empty;
use crate::ui::components::shell::Section;
use crate::ui::components::sql;
use crate::ui::components::table::{Column, Sort, table};
use crate::ui::number::{self, delta};
use crate::ui::words;

pub(crate) use detail::one;

const COLUMNS: [Column; 9] = [
    Column::text("Statement", "statement"),
    Column::bare("Calls", "calls"),
    Column::bare("Per request", "per_request"),
    Column::figure("Total", "total"),
    Column::figure("Share", "share").fixed(),
    Column::figure("Average", "avg"),
    Column::bare("vs prev.", "change").fixed(),
    Column::figure("p95", "p95"),
    Column::figure("Longest", "max"),
];

/// The page.
pub(crate) fn list(ask: &mut Ask<'_>) -> QueryResult<Answer> {
    let scope = Scope {
        service: ask.view.param("service").map(str::to_owned),
        ..ask.scope()
    };
    let now = statements::list(ask.conn, &scope, None, &ask.window)?;
    let crumbs = [Crumb::here("Queries")];
    if now.statements.is_empty() {
        let head = page_head(
            &crumbs,
            format!("No statement was run {}.", words::range(ask.view)),
            "Agents that trace SQL send one span for each statement.",
        );
        let body =
            html! { (head) (empty("No statements", words::range(ask.view), wider(ask.view))) };
        return Ok(Answer::Page(page(Section::Queries, "Queries", body)));
    }
    let before = match &ask.before {
        Some(window) => statements::list(ask.conn, &scope, None, window)?.statements,
        None => Vec::new(),
    };
    let before: HashMap<_, _> = before.into_iter().map(|row| (key(&row), row)).collect();
    let callers = callers::list(ask.conn, &scope, Of::Each, &ask.window)?;
    let found = finding::list(ask.conn, &scope, Which::default())?;
    let (answer, why) = headline(&now, found.len());
    let body = html! {
        (page_head(&crumbs, answer, why))
        section.panel { (rows(ask, &now, &before, &callers, &found)) }
    };
    Ok(Answer::Page(page(Section::Queries, "Queries", body)))
}

type Key = (String, String, String, String);

fn key(row: &Statement) -> Key {
    (
        row.service.clone(),
        row.instance.clone(),
        row.subtype.clone(),
        row.fingerprint.clone(),
    )
}

fn headline(list: &Statements, findings: usize) -> (String, String) {
    let first = list
        .statements
        .iter()
        .max_by(|a, b| a.total.total_cmp(&b.total));
    let answer = first.map_or_else(String::new, |row| {
        format!(
            "{} takes {} of the time in SQL.",
            short(row),
            number::percent(row.share)
        )
    });
    let statements = words::count(
        (list.statements.len() + list.left_out) as u64,
        "statement",
        "statements",
    );
    let why = match findings {
        0 => format!("{statements}, and nothing to be said against them."),
        n => format!(
            "{statements}, and {} about them.",
            words::count(n as u64, "insight", "insights")
        ),
    };
    (answer, why)
}

/// `SELECT FROM people`
fn short(row: &Statement) -> String {
    match (row.verb.as_str(), row.table.as_str()) {
        ("", _) => words::cut(&row.normalized, 60),
        (verb, "") => verb.to_owned(),
        ("SELECT" | "DELETE", table) => format!("{} FROM {table}", row.verb),
        ("INSERT" | "REPLACE", table) => format!("{} INTO {table}", row.verb),
        (verb, table) => format!("{verb} {table}"),
    }
}

fn rows(
    ask: &Ask<'_>,
    known: &Statements,
    before: &HashMap<Key, Statement>,
    callers: &[Caller],
    found: &[Finding],
) -> Markup {
    let of = |row: &Statement| {
        callers
            .iter()
            .filter(|caller| caller.fingerprint == row.fingerprint && caller.service == row.service)
            .collect::<Vec<_>>()
    };
    let per_request = |row: &Statement| of(row).iter().map(|caller| caller.calls).reduce(f64::max);
    let filter = ask.view.query().to_lowercase();
    let mut list: Vec<&Statement> = known
        .statements
        .iter()
        .filter(|row| filter.is_empty() || row.normalized.to_lowercase().contains(&filter))
        .collect();
    let sort = Sort::of(ask.view, &COLUMNS, "-total");
    list.sort_by(|a, b| match sort.key {
        "statement" => sort.compare_text(&a.normalized, &b.normalized),
        "calls" => sort.compare(Some(a.calls), Some(b.calls)),
        "per_request" => sort.compare(per_request(a), per_request(b)),
        "avg" => sort.compare(a.latency_avg, b.latency_avg),
        "p95" => sort.compare(a.latency.map(|p| p.p95), b.latency.map(|p| p.p95)),
        "max" => sort.compare(Some(a.latency_max as f64), Some(b.latency_max as f64)),
        _ => sort.compare(Some(a.total), Some(b.total)),
    });
    let widest = list.iter().map(|row| row.share).fold(0.0, f64::max);
    let caption = format!("Statements {}", words::range(ask.view));
    let body = html! {
        @for row in &list[super::shown(ask.view, list.len())] {
            (line(ask, row, &known.axis, before.get(&key(row)), &of(row), found, widest))
        }
    };
    html! {
        (table(ask.view, "table--lines", &caption, &COLUMNS, &sort, body))
        (super::beyond(ask.view, (list.len(), known.left_out), "time", list.iter().any(|row| row.normalized == OTHER)))
    }
}

fn line(
    ask: &Ask<'_>,
    row: &Statement,
    axis: &Axis,
    before: Option<&Statement>,
    callers: &[&Caller],
    found: &[Finding],
    widest: f64,
) -> Markup {
    let href = ask
        .view
        .to(&["queries", &row.fingerprint])
        .set("service", &row.service);
    let events = (whole(row.calls), before.map_or(0, |row| whole(row.calls)));
    let change = delta(
        row.latency_avg,
        before.and_then(|row| row.latency_avg),
        events,
    );
    let average = settled(axis, row.series.latency.iter().copied());
    let most = callers.iter().map(|caller| caller.most).fold(0.0, f64::max);
    let calls = callers.iter().map(|caller| caller.calls).reduce(f64::max);
    let own = found
        .iter()
        .filter(|finding| finding.service == row.service)
        .filter(|finding| finding.says.evidence.fingerprint.as_deref() == Some(&row.fingerprint));
    let failed = row.failed_rate.filter(|rate| *rate > 0.0);
    let is_cut = ask.window.asked.micros() > callers::LATELY;
    let lately = if is_cut { ", in the last 6 hours" } else { "" };
    html! {
        tr {
            th.grow scope="row" {
                a.qlink href=(href) {
                    span.qtext {
                        code.sql title=(row.normalized) { (sql::highlight(&row.normalized)) }
                        span.qsub {
                            span.dim { (callers.first().map_or(row.service.as_str(), |caller| caller.transaction.as_str())) }
                            @for finding in own.take(2) { (badge(finding)) }
                            @if let Some(rate) = failed { (flag(Tone::Bad, &format!("{} failed", number::percent(rate)))) }
                        }
                    }
                }
            }
            (cells::count(whole(row.calls)))
            td.num title=(format!("{most:.0} at most{lately}")) {
                @match calls { Some(calls) if calls >= BADGE => { (format!("{calls:.1}")) } Some(_) => "1" None => { span.none { "–" } } }
            }
            (cells::duration(Some(row.total)))
            (cells::share(Some(row.share), widest, "fill-db"))
            (cells::trend(spark(&average, "average per call over time", cells::is_worse(change, Rise::Worse)), row.latency_avg.map(number::duration)))
            (cells::delta_cell(change, Rise::Worse, &ask.view.against()))
            (cells::duration(row.latency.map(|p| p.p95)))
            (cells::duration(Some(row.latency_max as f64)))
        }
    }
}
