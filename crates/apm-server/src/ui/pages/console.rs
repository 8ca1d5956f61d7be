//! `/sql`: questions to the telemetry in SQL.

mod chart;

use maud::{Markup, html};

use super::{Answer, Context, Rendered, page};
use crate::answers::console::{Answer as Found, Params};
use crate::insight::console::schema::View as Schema;
use crate::insight::console::{Cell, Cut};
use crate::ui::budget::each;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{nothing, panel};
use crate::ui::components::shell::Section;
use crate::ui::number;
use crate::ui::view::View;
use crate::ui::words;

/// Questions to begin with.
const EXAMPLES: [(&str, &str); 4] = [
    (
        "Slowest requests",
        "SELECT name, count(*) AS n, avg(duration_ms) AS avg_ms, max(duration_ms) AS max_ms\n\
         FROM v_transactions\nGROUP BY name\nORDER BY avg_ms DESC\nLIMIT 20",
    ),
    (
        "Statements by time",
        "SELECT service, statement, calls, total_ms, avg_ms\nFROM v_statements\nORDER BY total_ms DESC\nLIMIT 20",
    ),
    (
        "Newest errors",
        "SELECT time, service, type, message\nFROM v_errors\nORDER BY seq DESC\nLIMIT 20",
    ),
    (
        "A metric over time",
        "SELECT time, value\nFROM v_metrics\n\
         WHERE metric = 'system.process.cpu.total.norm.pct'\nORDER BY seq DESC\nLIMIT 100",
    ),
];

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, text) = (context.view, self.sql.as_str());
        let (answer, why) = match &found.problem {
            Some(problem) => ("This query was not run.".to_owned(), problem.clone()),
            None if !found.is_asked => (
                "Query the telemetry with SQL.".to_owned(),
                "Read-only: v_transactions, v_spans, v_errors, v_statements, v_metrics, and the tables behind them."
                    .to_owned(),
            ),
            None => (
                format!(
                    "{} in {}.",
                    words::count(found.rows.len() as u64, "row", "rows"),
                    number::duration(found.elapsed as f64)
                ),
                match found.cut {
                    None => "All rows are shown.",
                    Some(Cut::Rows) => "There are more rows. Only the first are shown.",
                    Some(Cut::Bytes) => {
                        "There are more rows. Only those that fit into 4 MiB are shown."
                    }
                }
                .to_owned(),
            ),
        };
        let has_rows = found.is_asked && found.problem.is_none();
        let body = html! {
            (page_head(&[Crumb::here("SQL")], answer, why))
            div.cols.cols--side {
                div.stack {
                    section.panel { (form(view, text)) }
                    @if !found.is_asked { (panel("Examples", "", html! {}, examples(view))) }
                }
                div.stack {
                    (panel("Views", "", html! {}, schema(&found.views)))
                    section.panel id="sql-history" hidden {
                        div.panel-head {
                            h2 { "History" }
                            span.note { "kept in this browser only" }
                            button.btn.btn--small.push type="button" data-clear { "Clear" }
                        }
                        ul.changes.pad {}
                    }
                }
            }
            @if has_rows { (result(view, found)) }
        };
        let mut page = page(Section::Sql, "SQL", body);
        // A question is asked when someone asks it.
        page.fresh = false;
        Answer::Page(page)
    }
}

fn form(view: &View, text: &str) -> Markup {
    html! {
        form.picker-form id="sql-form" method="get" action="/sql" {
            @for (key, value) in view.params_but(&["sql"]) { input type="hidden" name=(key) value=(value); }
            label { "One SELECT, at most 2 s and 1,000 rows"
                textarea.input.input--text.lines id="sql" name="sql" rows="8" spellcheck="false" autocomplete="off" {
                    (text)
                }
            }
            div.row {
                button.btn.btn--primary type="submit" title="Ctrl+Enter" { "Run" }
                @if !text.is_empty() {
                    a.btn href={ "/api/v1/sql?format=csv&sql=" (encoded(text)) } { "CSV" }
                    a.btn href={ "/api/v1/sql?sql=" (encoded(text)) } { "JSON" }
                }
            }
        }
    }
}

/// The views with their columns; `console.js` inserts them where they are clicked, and completes their names.
fn schema(views: &[Schema]) -> Markup {
    html! {
        div.pad.schema {
            @for view in views {
                details {
                    summary { code data-word=(view.name) { (view.name) } }
                    ul.plain-list { @for column in &view.columns { li { code data-word=(column) { (column) } } } }
                }
            }
        }
    }
}

fn encoded(text: &str) -> String {
    let href = crate::ui::href::Href::at("").set("x", text).to_string();
    href.trim_start_matches("?x=").to_owned()
}

fn examples(view: &View) -> Markup {
    html! {
        ul.plain-list.pad-all {
            @for (title, text) in EXAMPLES { li { a href=(view.to(&["sql"]).set("sql", text)) { (title) } } }
        }
    }
}

fn result(view: &View, table: &Found) -> Markup {
    if table.rows.is_empty() {
        return panel(
            "Result",
            "",
            html! {},
            nothing("No rows", "The query ran and found no rows."),
        );
    }
    let numeric: Vec<bool> = (0..table.columns.len())
        .map(|at| {
            table
                .rows
                .iter()
                .all(|row| matches!(row[at], Cell::Int(_) | Cell::Real(_) | Cell::Null))
        })
        .collect();
    let heads = table.columns.iter().zip(&numeric);
    let row = |row: &Vec<Cell>| {
        html! {
            tr {
                @for (at, value) in row.iter().enumerate() {
                    (cell(view, &table.columns[at], value, numeric[at]))
                }
            }
        }
    };
    let body = html! {
        (chart::charts(table, &view.clock))
        // Reached by keyboard, since it may be wider than the page.
        div.wide tabindex="0" role="region" aria-label="Rows" {
            table.table data-table="rows" {
                caption.sr { "Result" }
                thead { tr {
                    @for (name, numeric) in heads {
                        th scope="col" class=[numeric.then_some("num num--bare")] { (name) }
                    }
                } }
                tbody { (each(&table.rows, row)) }
            }
        }
    };
    panel(
        "Result",
        number::grouped(table.rows.len() as u64),
        html! {},
        body,
    )
}

/// A number with three decimals, or with its power of ten where these would say nothing or too much.
fn real(value: f64) -> String {
    let size = value.abs();
    if size > 0.0 && !(0.001..1e15).contains(&size) {
        return format!("{value:.3e}");
    }
    number::without_zeros(&format!("{value:.3}"))
}

fn cell(view: &View, column: &str, cell: &Cell, numeric: bool) -> Markup {
    match cell {
        Cell::Null => html! { td.none { "–" } },
        Cell::Real(value) => html! { td.num { (real(*value)) } },
        Cell::Text(id) if column == "trace_id" => {
            html! { td { a href=(view.to(&["traces", id])) { code { (id) } } } }
        }
        cell if numeric => html! { td.num { (cell.to_string()) } },
        cell => {
            let text = cell.to_string();
            html! { td title=(text) { (text) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_number_is_not_shown_as_zero() {
        for (value, want) in [
            (0.0, "0"),
            (12.5, "12.5"),
            (100.0, "100"),
            (0.0004, "4.000e-4"),
            (-0.0004, "-4.000e-4"),
            (1e300, "1.000e300"),
        ] {
            assert_eq!(real(value), want);
        }
    }
}
