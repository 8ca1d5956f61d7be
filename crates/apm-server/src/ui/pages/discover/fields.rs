//! The list of fields beside the documents, with the top values of the one that is open.

use maud::{Markup, html};

use super::state::State;
use crate::analytics::discover::Field;
use crate::answers::discover::Fields;
use crate::ui::components::cells::{dotted, meter};
use crate::ui::components::controls::plus_minus;
use crate::ui::components::icon;
use crate::ui::number::percent;
use crate::ui::view::{View, quoted};
use crate::ui::words;

/// Fields that a reader looks for first.
const OFTEN: [&str; 9] = [
    "http.request.headers.Host",
    "client.ip",
    "url.path",
    "transaction.name",
    "transaction.result",
    "span.db.statement",
    "error.grouping_key",
    "service.name",
    "service.environment",
];

pub(super) fn aside(view: &View, state: &State, found: &Fields) -> Markup {
    let all = &found.fields;
    let columns: Vec<&Field> = state
        .columns
        .iter()
        .filter_map(|name| all.iter().find(|field| field.name == *name))
        .collect();
    let often: Vec<&Field> = OFTEN
        .iter()
        .filter(|name| !state.columns.iter().any(|column| column == *name))
        .filter_map(|name| all.iter().find(|field| field.name == *name))
        .collect();
    let rest: Vec<&Field> = all
        .iter()
        .filter(|field| {
            !columns
                .iter()
                .chain(&often)
                .any(|shown| shown.name == field.name)
        })
        .collect();
    html! {
        aside.fields aria-label="Fields" {
            div.query.query--field hidden {
                (icon::icon("search"))
                input type="text" id="find-field" placeholder="Find a field" aria-label="Find a field"
                    autocomplete="off" data-narrow;
            }
            @if !columns.is_empty() { h2 { "Columns" } (list(view, state, &columns, found.sample)) }
            @if !often.is_empty() { h2 { "Often used" } (list(view, state, &often, found.sample)) }
            @if !rest.is_empty() {
                h2 { (words::count(all.len() as u64, "field", "fields")) " of the newest " (found.sample) }
                (list(view, state, &rest, found.sample))
            }
        }
    }
}

fn list(view: &View, state: &State, fields: &[&Field], documents: usize) -> Markup {
    html! {
        ul {
            @for field in fields {
                @let open = state.field.as_deref() == Some(&field.name);
                @let href = if open { view.here().without("field") } else { view.here().set("field", &field.name) };
                li data-field=(field.name) {
                    a href=(href) aria-expanded=(if open { "true" } else { "false" }) title=(field.name) {
                        span.ftype aria-hidden="true" { (sign(field)) }
                        span { (dotted(&field.name)) }
                    }
                    @if open { (values(view, state, field, documents)) }
                }
            }
        }
    }
}

/// `#` where every value that is known is a number.
fn sign(field: &Field) -> &'static str {
    if !field.top.is_empty() && field.top.iter().all(|top| top.value.parse::<f64>().is_ok()) {
        "#"
    } else {
        "t"
    }
}

fn values(view: &View, state: &State, field: &Field, documents: usize) -> Markup {
    let share = |count: usize| count as f64 / field.count.max(1) as f64;
    let shown = if state.columns.contains(&field.name) {
        "Remove column"
    } else {
        "Add as column"
    };
    html! {
        ul.top {
            @for top in &field.top {
                li {
                    span.v title=(top.value) { (if top.value.is_empty() { "(empty)" } else { &top.value }) }
                    span.pc { (percent(share(top.count)).to_string()) }
                    @let clause = format!("{}: {}", field.name, quoted(&top.value));
                    @let without = view.filtered(&format!("not {clause}"));
                    (plus_minus(&top.value, view.filtered(&clause), without))
                    (meter(share(top.count), "fill"))
                }
            }
        }
        p.dim { "In " (field.count) " of " (documents) ", " (words::count(field.distinct as u64, "value", "values")) }
        p.row.links.links--s {
            a href=(view.at_first_row().set("group", &field.name)) { "Group by this field" }
            a href=(state.toggle_column(view, &field.name)) { (shown) }
        }
    }
}
