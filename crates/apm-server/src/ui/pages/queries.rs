//! `/queries`: what services ask their databases, by statement. `/queries/{fingerprint}`: one of them, with its
//! growth, its plan, who runs it, and what was found about it.

mod detail;

use std::collections::HashMap;

use apm_store::OTHER;
use maud::{Markup, html};

use super::insights::badge;
use super::{Answer, Context, Rendered, narrowed, nothing_here, page, whole};
use crate::analytics::statements::{Cost, Statement};
use crate::answers::queries::{
    Answer as Found, ByStatement, Params, by_statement, most, per_request,
};
use crate::ui::budget::each;
use crate::ui::chart::buckets::settled;
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{self, Rise, Tone, flag};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::shell::Section;
use crate::ui::components::sql;
use crate::ui::components::table::{COMPARED, Column, Frame, compared, framed};
use crate::ui::number::{self, Delta};
use crate::ui::view::View;
use crate::ui::words;

const COLUMNS: [Column; 12] = [
    Column::text("Statement").by("statement"),
    Column::bare("Calls").by("calls"),
    Column::bare("Per request").by("per_request"),
    Column::figure("Total").by("total"),
    Column::figure("Share").by("share"),
    Column::figure("Average").by("avg"),
    Column::bare(COMPARED).by("change"),
    Column::figure("p95").by("p95"),
    Column::figure("Longest").by("max"),
    Column::bare("Steps").by("steps"),
    Column::bare("Rows scanned").by("scanned"),
    Column::bare("Sorts").by("sorts"),
];

/// The columns of what SQLite did, which a list has where that was measured.
const MEASURED: usize = 3;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let crumbs = [Crumb::here("Queries")];
        // The statement with most time is that of all, also where a search leaves none.
        let most = found.most_time.as_ref().filter(|_| found.rows.total > 0);
        let Some(most) = most else {
            let (answer, why) = narrowed::none(
                view,
                "statement",
                "No statement was run",
                "Agents that trace SQL send one span for each statement.",
            );
            let body = html! {
                (page_head(&crumbs, answer, why))
                (nothing_here(view, "No statements"))
            };
            return Answer::Page(page(Section::Queries, "Queries", body));
        };
        let (answer, why) = headline(view, most, found);
        let body = html! {
            (page_head(&crumbs, answer, why))
            section.panel { (rows(context, found)) }
        };
        Answer::Page(page(Section::Queries, "Queries", body))
    }
}

/// The statement with most time of all, and the number of those that are listed.
fn headline(view: &View, most: &Statement, found: &Found) -> (String, String) {
    let of = match narrowed::is_filtered(view) {
        true => "the time of statements that match the filter",
        false => "the time in databases",
    };
    let answer = format!(
        "{} takes {} of {of}.",
        short(most),
        number::percent(most.share)
    );
    let total = found.rows.total as u64;
    let statements = words::count(total, "statement", "statements");
    let (verb, them) = match total {
        1 => ("has", "it"),
        _ => ("have", "them"),
    };
    let why = match (view.param("search"), found.insights.len()) {
        // Insights are not searched for.
        (Some(search), _) => {
            let search = words::cut(search, 60);
            format!("{statements} {verb} “{search}” in the text.")
        }
        (None, 0) => format!("{statements}. No insights about {them}."),
        (None, n) => format!(
            "{statements}, with {} about {them}.",
            words::count(n as u64, "insight", "insights")
        ),
    };
    (answer, why)
}

type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

fn key(row: &Statement) -> Key<'_> {
    (&row.service, &row.instance, &row.subtype, &row.fingerprint)
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

fn rows(context: &Context<'_>, found: &Found) -> Markup {
    let view = context.view;
    let before: HashMap<Key<'_>, &Statement> = found
        .previous
        .iter()
        .flat_map(|previous| &previous.statements)
        .map(|row| (key(row), row))
        .collect();
    let callers = by_statement(&found.callers);
    let widest = found.statements.iter().map(|row| row.share);
    let widest = widest.fold(0.0, f64::max);
    let measured = found.statements.iter().any(|row| row.cost.is_some());
    let several = words::are_several(found.statements.iter().flat_map(|row| &row.environments));
    // The databases of a service have a row each.
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for row in &found.statements {
        *places.entry((&row.service, &row.fingerprint)).or_default() += 1;
    }
    let is_repeated = |row: &Statement| places[&(&*row.service, &*row.fingerprint)] > 1;
    let body = each(&found.statements, |row| {
        line(
            view,
            found,
            row,
            before.get(&key(row)).copied(),
            &callers,
            (widest, measured),
            (several, is_repeated(row)),
        )
    });
    let all = match measured {
        true => &COLUMNS[..],
        false => &COLUMNS[..COLUMNS.len() - MEASURED],
    };
    let columns = compared(all, found.previous.is_some());
    let frame = Frame {
        class: "table--lines",
        caption: &format!("Statements {}", words::range(view)),
        name: "statements",
        columns: &columns,
        sort: Some(found.sort),
    };
    let other = found.statements.iter().any(|row| row.normalized == OTHER);
    html! {
        (framed(view, frame, body))
        (super::pager(view, &found.rows, "time", other))
    }
}

fn line(
    view: &View,
    found: &Found,
    row: &Statement,
    before: Option<&Statement>,
    callers: &ByStatement<'_>,
    (widest, measured): (f64, bool),
    (names_environments, names_database): (bool, bool),
) -> Markup {
    let href = view
        .to(&["queries", &row.fingerprint])
        .set("service", &row.service);
    let side = |row: &Statement| (row.latency_avg, whole(row.calls));
    let previous = found.previous.as_ref();
    let change = previous.map(|all| Delta::of_row(side(row), before.map(side), all.is_covered));
    let average = settled(&found.axis, row.series.latency.iter().copied());
    let is_slower = change.is_some_and(|change| cells::is_worse(change, Rise::Worse));
    let average = spark(&average, "average per call over time", is_slower);
    let own = callers.get(&(&*row.service, &*row.fingerprint));
    let caller = own.and_then(|own| own.first());
    let mut whose = Vec::new();
    if caller.is_none() || view.service().is_none() {
        whose.push(words::cut(&row.service, 40));
    }
    if names_database {
        whose.push(words::cut(database(row), 40));
    }
    whose.extend(caller.map(|caller| caller.transaction.clone()));
    if names_environments {
        whose.push(words::environments(&row.environments));
    }
    let most = most(callers, row).unwrap_or(0.0);
    let lately = if found.callers_are_recent {
        ", in the last 6 hours"
    } else {
        ""
    };
    let insights = found
        .insights
        .iter()
        .filter(|finding| finding.service == row.service)
        .filter(|finding| finding.says.evidence.fingerprint.as_deref() == Some(&row.fingerprint));
    let failed = row.failed_rate.filter(|rate| *rate > 0.0);
    html! {
        tr {
            th.grow scope="row" {
                a.qlink href=(href) {
                    span.qtext {
                        code.sql title=(row.normalized) { (sql::highlight(&row.normalized)) }
                        span.qsub {
                            span.dim { (whose.join(" · ")) }
                            @for finding in insights.take(2) { (badge(finding)) }
                            @if let Some(rate) = failed {
                                (flag(Tone::Bad, &format!("{} failed", number::percent(rate))))
                            }
                        }
                    }
                }
            }
            (cells::count(whole(row.calls)))
            td.num title=(format!("{most:.0} at most{lately}")) {
                @match per_request(callers, row) {
                    Some(calls) => (number::rate(calls)),
                    None => { span.none { "–" } }
                }
            }
            (cells::duration(Some(row.total)))
            (cells::share(Some(row.share), widest, "fill-db"))
            (cells::trend(average, row.latency_avg.map(number::duration)))
            @if let Some(change) = change { (cells::delta_cell(change, Rise::Worse, &view.against())) }
            (cells::duration(row.latency.map(|p| p.p95)))
            (cells::duration(Some(row.latency_max as f64)))
            @if measured { (cost(row.cost.as_ref())) }
        }
    }
}

/// The name of the database that a statement runs on, where its place is told.
fn database(row: &Statement) -> &str {
    match row.instance.as_str() {
        "" => "no database name",
        name => name,
    }
}

/// Characters of a statement in a short table: its page has all of it.
const MOST_TEXT: usize = 500;

/// The short table of another page, most time first.
pub(crate) fn short_table(
    view: &View,
    caption: &str,
    rows: &[Statement],
    names_service: bool,
) -> Markup {
    const COLUMNS: [Column; 5] = [
        Column::text("Statement"),
        Column::bare("Calls"),
        Column::figure("Total"),
        Column::figure("Avg"),
        Column::figure("p95"),
    ];
    let href = |row: &Statement| {
        view.to(&["queries", &row.fingerprint])
            .set("service", &row.service)
    };
    let body = html! {
        @for row in rows {
            // Statements of some databases have a line for each command.
            @let text = words::cut(&row.normalized.replace('\n', " "), MOST_TEXT);
            tr {
                th.grow scope="row" {
                    a.qlink href=(href(row)) { code.sql title=(text) { (sql::highlight(&text)) } }
                    @if names_service {
                        span.sub { a.plain href=(view.to(&["services", &row.service])) { (row.service) } }
                    } @else if !row.instance.is_empty() {
                        span.sub { (row.instance) }
                    }
                }
                (cells::count(whole(row.calls)))
                (cells::duration(Some(row.total)))
                (cells::duration(row.latency_avg))
                (cells::duration(row.latency.map(|p| p.p95)))
            }
        }
    };
    let frame = Frame {
        class: "table--lines",
        caption,
        name: "statements",
        columns: &COLUMNS,
        sort: None,
    };
    framed(view, frame, body)
}

/// The cells of the cost of a call in SQLite.
fn cost(cost: Option<&Cost>) -> Markup {
    let Some(cost) = cost else {
        return html! { @for _ in 0..3 { td.num.none title="not measured" { "–" } } };
    };
    let most = format!(
        "per call, {} at most",
        number::grouped(cost.steps_max.unsigned_abs())
    );
    html! {
        td.num title=(most) { (average(cost.steps)) }
        td.num title="per call, in full scans of tables" { (average(cost.scan_steps)) }
        td.num title="per call" { (average(cost.sorts)) }
    }
}

/// A mean count: whole where it is large or whole.
fn average(mean: f64) -> String {
    if mean >= 10.0 || (mean - mean.round()).abs() < 0.05 {
        number::compact(whole(mean))
    } else {
        format!("{mean:.1}")
    }
}
