//! `/slos`: objectives, their budgets, and how fast these burn.

use apm_alerts::slo::{Indicator, Measured, Objective};
use apm_time::SECOND;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, page};
use crate::answers::slos::{Answer as Found, Params, rate};
use crate::ui::chart::spark::spark;
use crate::ui::components::cells::{Tone, flag, meter};
use crate::ui::components::choose;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{nothing, panel};
use crate::ui::components::shell::Section;
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::moment::span_words;
use crate::ui::number::{grouped, percent};
use crate::ui::pages::whole;
use crate::ui::view::View;
use crate::ui::words;

/// Characters of a name that are shown.
const NAME: usize = 60;

/// The burn rate from which a budget ends within some days.
const FAST: f64 = 6.0;

/// The burn rate above which it ends before its window does, as far as a sentence says it.
const ALLOWED: f64 = 1.05;

const COLUMNS: [Column; 7] = [
    Column::text("Objective"),
    Column::text("Service"),
    Column::figure("Good"),
    Column::text("Budget left"),
    Column::bare("Burn 1 h"),
    Column::bare("Burn 6 h"),
    Column::text("Change"),
];

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let (answer, why) = headline(view, &found.objectives);
        let count = grouped(found.objectives.len() as u64);
        let rows = html! { @for one in &found.objectives { (row(view, one)) } };
        let frame = Frame {
            class: "table--lines",
            caption: "Objectives",
            name: "objectives",
            columns: &COLUMNS,
            sort: None,
        };
        let body = html! {
            (page_head(&[Crumb::here("SLOs")], answer, why))
            @if found.objectives.is_empty() {
                section.panel { (nothing("No objectives", "Set one below.")) }
            } @else {
                (panel("Objectives", count, html! {}, framed(view, frame, rows)))
            }
            (form(view, found))
        };
        Answer::Page(page(Section::Slos, "SLOs", body))
    }
}

fn headline(view: &View, objectives: &[Measured]) -> (String, String) {
    let of = |is: fn(f64) -> bool| {
        let budgets = objectives.iter().filter_map(|one| one.budget);
        budgets.filter(|left| is(*left)).count()
    };
    let (known, used_up) = (of(|_| true), of(|left| left <= 0.0));
    let many = |n: usize| words::count(n as u64, "objective", "objectives");
    let answer = match (objectives.len(), known, used_up) {
        (0, ..) => match choose::narrowed(view) {
            Some(services) => format!("No objectives are set for {services}."),
            None => "No objectives are set.".to_owned(),
        },
        (_, _, 1) => "One objective has used up its budget.".to_owned(),
        (_, _, 2..) => format!("{} have used up their budgets.", many(used_up)),
        (1, 0, _) => "The objective has no requests yet.".to_owned(),
        (all, 0, _) => format!("{} have no requests yet.", many(all)),
        (1, ..) => "The objective is within budget.".to_owned(),
        (all, known, _) if all == known => format!("All {} are within budget.", many(all)),
        (all, known, _) => format!(
            "{known} of {} {} within budget, the others have no requests.",
            many(all),
            if known == 1 { "is" } else { "are" }
        ),
    };
    let burns = objectives
        .iter()
        .filter_map(|one| Some((rate(one, 3_600)?, one)));
    let why = match burns.max_by(|a, b| a.0.total_cmp(&b.0)) {
        _ if objectives.is_empty() => {
            "An objective says which share of requests has to be good. The rest is its budget."
                .to_owned()
        }
        None => "No request was counted in the last hour.".to_owned(),
        Some((burn, one)) if burn > ALLOWED => format!(
            "In the last hour, “{}” used its budget {} times as fast as allowed.",
            words::cut(&one.objective.name, NAME),
            words::times(burn)
        ),
        Some(_) => "In the last hour, no budget was used faster than allowed.".to_owned(),
    };
    (answer, why)
}

fn row(view: &View, one: &Measured) -> Markup {
    let objective = &one.objective;
    let edit = view.here().set("edit", &objective.id).anchor("objective");
    let delete = view.acting(&["slos", &objective.id, "delete"]);
    let bad: Vec<Option<f64>> = one
        .days
        .iter()
        .map(|day| (day.total > 0.0).then(|| day.bad / day.total))
        .collect();
    html! {
        tr {
            th.grow scope="row" {
                a.plain href=(edit) title=(objective.name) { (words::cut(&objective.name, NAME)) }
                span.sub { (objective.words()) }
            }
            td.soft {
                a.plain href=(view.to(&["services", &objective.service])) title=(objective.service) {
                    (words::cut(&objective.service, 40))
                }
                @if !objective.transaction.is_empty() { span.sub { (words::cut(&objective.transaction, 40)) } }
                @if !objective.environment.is_empty() { span.sub { (words::cut(&objective.environment, 40)) } }
            }
            td.num title={ (grouped(whole(one.bad))) " bad of " (grouped(whole(one.total))) " requests" } {
                @match one.good_share { Some(share) => (percent(share)), None => span.dim { "–" } }
            }
            td { (budget(view, one)) @if bad.len() > 1 { (spark(&bad, "share of bad requests by day", false)) } }
            td.num { (burn(rate(one, 3_600))) }
            td.num { (burn(rate(one, 21_600))) }
            td {
                form method="post" action=(delete) {
                    button.btn.btn--small type="submit" aria-label={ "Delete " (words::cut(&objective.name, NAME)) } {
                        "Delete"
                    }
                }
            }
        }
    }
}

fn budget(view: &View, one: &Measured) -> Markup {
    let Some(left) = one.budget else {
        return html! { span.dim { "no requests" } };
    };
    let window = i64::from(one.objective.days) * 86_400;
    let known = one.since.map(|since| view.clock.now / SECOND - since);
    let class = if left <= 0.25 { "fill-bad" } else { "fill" };
    html! {
        @if left <= 0.0 { (flag(Tone::Bad, "used up")) " " }
        // A small budget is soon spent many times.
        @if left < -1.0 {
            (grouped((1.0 - left).round() as u64)) " times its budget"
        } @else {
            @if left < 0.0 { "−" }
            (percent(left.abs()))
        }
        (meter(left.clamp(0.0, 1.0), class))
        @if let Some(known) = known.filter(|known| *known < window - 86_400) {
            span.dim { "of " (span_words(known * SECOND)) " that are stored" }
        }
    }
}

fn burn(rate: Option<f64>) -> Markup {
    html! {
        @match rate {
            Some(rate) if rate >= FAST => (flag(Tone::Bad, &format!("{}×", words::times(rate)))),
            Some(rate) => { (words::times(rate)) "×" }
            None => span.dim { "–" },
        }
    }
}

/// The form of the objective that the address names, or of a new one.
fn form(view: &View, found: &Found) -> Markup {
    let edited = view.param("edit").and_then(|id| {
        let all = found.objectives.iter().map(|one| &one.objective);
        all.clone().find(|one| one.id == id)
    });
    let text = |of: fn(&Objective) -> &str| edited.map_or("", of);
    let milliseconds = match edited.map(|one| one.indicator) {
        Some(Indicator::Latency { milliseconds }) => milliseconds.to_string(),
        _ => String::new(),
    };
    let share = edited.map_or(99.9, |one| one.percent);
    let days = edited.map_or(30, |one| one.days);
    let service = edited.map_or(view.param("service").unwrap_or(""), |one| &one.service);
    let close = html! {
        @if edited.is_some() { a.btn.btn--small href=(view.here().without("edit")) { "Close" } }
    };
    let title = if edited.is_some() {
        "Change the objective"
    } else {
        "New objective"
    };
    let body = html! {
        form.form method="post" action=(view.acting(&["slos"])) {
            input type="hidden" name="id" value=(text(|one| &one.id));
            label { "Name" input.input.input--text name="name" value=(text(|one| &one.name)) required maxlength="200"
                autocomplete="off"; }
            label { "Service" input.input.input--text name="service" value=(service) required autocomplete="off"; }
            label {
                "Environment, empty for all"
                input.input.input--text name="environment" value=(text(|one| &one.environment)) autocomplete="off";
            }
            label {
                "Transaction, empty for all requests"
                input.input.input--text name="transaction" value=(text(|one| &one.transaction)) autocomplete="off";
            }
            label {
                "Longest good request, ms (empty: any that does not fail)"
                input.input.input--text name="milliseconds" value=(milliseconds) inputmode="decimal"
                    autocomplete="off";
            }
            label {
                "Good requests, %"
                input.input.input--text type="number" name="percent" step="any" min="50" max="99.999" value=(share)
                    required;
            }
            label {
                "Days that are counted"
                input.input.input--text type="number" name="days" min="1" max="90" value=(days) required;
            }
            div.row { button.btn.btn--primary type="submit" { "Save" } }
        }
    };
    html! { div id="objective" { (panel(title, "", close, body)) } }
}

/// The objective that a form sends.
pub(crate) fn read_objective(form: &[(String, String)]) -> Result<Objective, String> {
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.trim())
    };
    let number = |name: &str, label: &str| {
        let text = field(name).replace(',', ".");
        let text = text.as_str();
        text.parse::<f64>()
            .map_err(|_| format!("{label}: “{}” is not a number.", words::cut(text, 40)))
    };
    let indicator = match field("milliseconds") {
        "" => Indicator::Availability,
        _ => Indicator::Latency {
            milliseconds: number("milliseconds", "Longest good request")?,
        },
    };
    Ok(Objective {
        id: field("id").to_owned(),
        name: field("name").to_owned(),
        service: field("service").to_owned(),
        environment: field("environment").to_owned(),
        transaction: field("transaction").to_owned(),
        indicator,
        percent: number("percent", "Good requests")?,
        days: field("days")
            .parse()
            .map_err(|_| "Days that are counted: give a whole number.".to_owned())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_an_objective() {
        let form = |milliseconds: &str, percent: &str| -> Vec<(String, String)> {
            [
                ("name", " n "),
                ("service", "shop"),
                ("milliseconds", milliseconds),
                ("percent", percent),
                ("days", "7"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec()
        };
        let read = read_objective(&form("", "99,5")).unwrap();
        assert_eq!(
            (read.indicator, read.percent, read.days),
            (Indicator::Availability, 99.5, 7)
        );
        let read = read_objective(&form("200", "99")).unwrap();
        assert_eq!(
            read.indicator,
            Indicator::Latency {
                milliseconds: 200.0
            }
        );
        assert!(
            read_objective(&form("x", "99"))
                .unwrap_err()
                .contains("Longest good request: “x” is not a number.")
        );
        assert!(
            read_objective(&form("", ""))
                .unwrap_err()
                .contains("Good requests")
        );
    }
}
