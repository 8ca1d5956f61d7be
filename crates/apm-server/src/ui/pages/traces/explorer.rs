//! The chart of the trace explorer, and what chooses its traces.

use maud::{Markup, html};

use crate::analytics::traces::grid::durations;
use crate::analytics::traces::{ENTRIES, Entry, Order, Question, Traces};
use crate::ui::chart::density::{Cell, DensityChart};
use crate::ui::components::controls::segment;
use crate::ui::components::saved::save;
use crate::ui::number::typed_duration;
use crate::ui::view::View;
use crate::ui::words;

/// Parameters of the selection.
const OWN: [&str; 3] = ["min_us", "max_us", "after"];

/// Fields by which entries are often grouped.
const FIELDS: [&str; 9] = [
    "transaction.name",
    "service.name",
    "service.version",
    "service.environment",
    "host.hostname",
    "transaction.result",
    "http.response.status_code",
    "user.id",
    "client.ip",
];

/// Durations of the entries over time.
pub(super) fn chart(view: &View, question: &Question, found: &Traces) -> Markup {
    let density = &found.density;
    let length = (density.to - density.from) as f64 / density.columns.max(1) as f64;
    let cells: Vec<Cell> = density
        .cells
        .iter()
        .map(|cell| {
            let at = density.from as f64 + length * cell.column as f64;
            Cell {
                at: (at, at + length),
                durations: durations(cell.row),
                count: cell.count,
                failed: cell.failed,
            }
        })
        .collect();
    let of = match density.complete {
        true => "",
        false => ". The search was cut: these are the newest.",
    };
    DensityChart {
        id: "density",
        title: "Durations over time",
        note: html! { (words::count(density.count, "entry", "entries")) (of) },
        range: (density.from, density.to),
        cells: &cells,
        selected: question.durations,
        controls: selection(view, question),
        sql: &found.density_sql,
        file: "density",
    }
    .render(view)
}

/// The selection as durations that are typed, which work without a script.
fn selection(view: &View, question: &Question) -> Markup {
    let (least, most) = question.durations;
    let clear = || OWN.iter().fold(view.here(), |href, key| href.without(key));
    let field = |name: &str, words: &str, value: Option<i64>| {
        html! {
            label.field {
                (words) " "
                input.input name=(name) value=[value.map(typed_duration)] placeholder="5 ms" autocomplete="off"
                    spellcheck="false";
            }
        }
    };
    html! {
        form.row method="get" action=(view.path) {
            @for (key, value) in view.params_but(&OWN) { input type="hidden" name=(key) value=(value); }
            span.field { (field("min_us", "from", least)) (field("max_us", "to", most)) }
            button.btn.btn--small type="submit" { "Select" }
            @if question.durations != (None, None) { a.btn.btn--small href=(clear()) { "Clear" } }
        }
    }
}

/// The order of the list, what has to match, and the way to Discover.
pub(super) fn choices(view: &View, question: &Question) -> Markup {
    let sorted = |value: &str| view.at_first_row().set("sort", value);
    let orders = [
        ("Newest", sorted(""), question.order == Order::Newest),
        (
            "Slowest",
            sorted("-duration"),
            question.order == Order::Longest,
        ),
        (
            "Fastest",
            sorted("duration"),
            question.order == Order::Shortest,
        ),
    ];
    let matched = |value: &str| view.at_first_row().set("match", value);
    let parts = [
        ("Any event matches", matched(""), question.any),
        ("Entry matches", matched("entry"), !question.any),
    ];
    let is_narrowed = view.asked.expr.is_some() || question.service.is_some();
    let in_discover = match view.asked.expr.is_some() {
        true if !question.any => format!("{ENTRIES} and ({})", view.query()),
        true => view.query().to_owned(),
        false => ENTRIES.to_owned(),
    };
    html! {
        @if is_narrowed { (segment("What matches", parts)) }
        (segment("Order", orders))
        a href=(view.to(&["kept"])) { "Kept traces" }
        a href=(view.discover(&in_discover)) { "Show in Discover" }
        (save(view, "Traces"))
    }
}

/// The choice of the field by whose values entries are grouped.
pub(super) fn grouping(view: &View, field: &str) -> Markup {
    let is_known = FIELDS.contains(&field);
    html! {
        form.line-form method="get" action=(view.path) {
            @for (key, value) in view.params_but(&["group"]) { input type="hidden" name=(key) value=(value); }
            input.input.input--text name="group" value=(field) list="group-fields" aria-label="Group by field"
                autocomplete="off" spellcheck="false" maxlength="200";
            datalist id="group-fields" {
                @for known in FIELDS { option value=(known) {} }
                @if !is_known { option value=(field) {} }
            }
            button.btn.btn--small type="submit" { "Group" }
        }
    }
}

/// A trace that waits for another to be compared with.
pub(super) fn comparing(view: &View, first: &str) -> Markup {
    html! {
        div.panel.pad.row {
            span { "Choose the trace that " code { (words::cut(first, 40)) } " is compared with." }
            a.btn.btn--small href=(view.here().without("compare")) { "Cancel" }
        }
    }
}

/// The link that compares a trace with the one that was chosen before, or chooses it.
pub(super) fn compare_link(view: &View, entry: &Entry) -> Markup {
    let name = words::cut(&entry.name, 60);
    match view.param("compare") {
        Some(first) if first == entry.trace => html! { span.dim { "chosen" } },
        Some(first) => {
            let href = view.to(&["traces", first, "compare", &entry.trace]);
            html! { a href=(href) aria-label={ "Compare with it: " (name) } { "Compare with it" } }
        }
        None => {
            let href = view.here().set("compare", &entry.trace);
            html! { a.plain href=(href) aria-label={ "Compare " (name) } { "Compare" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::traces::Density;

    #[test]
    fn the_number_of_entries_is_told_and_that_it_was_cut() {
        let view = View::test("/traces", "");
        let question = Question {
            query: kql::Expr::All,
            service: None,
            environment: None,
            range: view.range,
            size: 50,
            after: None,
            order: Order::Newest,
            durations: (None, None),
            any: true,
        };
        let density = Density {
            from: view.range.from,
            to: view.range.to,
            columns: 120,
            cells: vec![],
            count: 0,
            failed: 0,
            complete: false,
        };
        let found = Traces {
            traces: vec![],
            total: 0,
            complete: false,
            next: None,
            density,
            density_sql: vec![],
            looked_up: None,
            page: None,
        };
        let drawn = chart(&view, &question, &found).into_string();
        assert!(drawn.contains("The search was cut"), "{drawn}");
        let said = super::super::headline(&view, (None, None), &found);
        assert_eq!(
            said,
            "The search stopped before it found a trace in the last 15 minutes."
        );
    }
}
