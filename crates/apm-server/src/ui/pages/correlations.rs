//! `/services/{s}/transactions/correlations`: what slow or failed requests have in common, and others have not.

use maud::{Markup, html};

use super::{Answer, Context, Rendered, narrowed, page, service_crumbs, transaction_href};
use crate::analytics::correlations::{Correlation, Correlations, Set};
use crate::answers::correlations::{Answer as Found, Params};
use crate::answers::trace::named;
use crate::ui::components::cells;
use crate::ui::components::controls::segment;
use crate::ui::components::head::{Crumb, Fact, facts, page_head};
use crate::ui::components::panel::{nothing, panel};
use crate::ui::components::saved::save;
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::{Column, Frame, framed};
use crate::ui::number::{self, NARROW, duration, grouped, percent};
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, service, whole_since) = (context.view, self.service.as_str(), found.whole_since);
        let (found, elsewhere) = (&found.found, &found.elsewhere);
        let mut crumbs = vec![Crumb::link(
            "Transactions",
            view.to(&["services", service, "transactions"]).to_string(),
        )];
        let kind = self.scope.transaction_type.as_deref().unwrap_or_default();
        if let Some(name) = self.scope.transaction_name.as_deref() {
            let href = transaction_href(view, service, kind, name);
            crumbs.push(Crumb::link(words::cut(named(name), 60), href.to_string()));
        }
        crumbs.push(Crumb::here("Correlations"));
        let crumbs = service_crumbs(view, service, &crumbs);
        let (answer, why) = headline(view, self, found);
        let body = html! {
            (page_head(&crumbs, answer, why))
            (super::elsewhere_note(elsewhere))
            (super::kept::note(view, whole_since))
            (totals(self.set, found))
            (panel("Values that stand out", note(found), html! {
                (switch(view, self.set))
                (save(view, &format!("Correlations of {service}")))
            }, list(view, self, found)))
        };
        Answer::Page(Page {
            service: Some(service.to_owned()),
            fresh: false,
            ..page(Section::Services, format!("Correlations · {service}"), body)
        })
    }
}

/// The word for the requests of the set.
fn word(set: Set) -> &'static str {
    match set {
        Set::Failed => "failed",
        Set::Slow => "slow",
        Set::Selected(_) => "selected",
    }
}

fn headline(view: &View, asked: &Params, found: &Correlations) -> (String, String) {
    let set = word(asked.set);
    let of = match asked.scope.transaction_name.as_deref() {
        Some(name) => words::cut(named(name), 60),
        None => words::cut(&asked.service, 60),
    };
    let answer = match found.correlations.first() {
        _ if found.selected == 0 => {
            let that = narrowed::that_matches(view, 1);
            format!(
                "No request to {of}{that} is {set} {}.",
                narrowed::within(view)
            )
        }
        Some(first) => {
            let what = format!(
                "{}: {}",
                words::cut(&first.field, 60),
                words::cut(&first.value, 60)
            );
            format!(
                "{} of {set} requests to {of} have {what}, and {} of the others.",
                percent(first.share),
                percent(first.others_share)
            )
        }
        None => format!("No field sets {set} requests to {of} apart from the others."),
    };
    let mut why = match asked.set {
        Set::Failed => {
            "The fields of requests that failed are compared with those of all others.".to_owned()
        }
        Set::Slow => match found.min {
            Some(min) => format!(
                "Slow requests are the slowest 5{NARROW}%, those of at least {}.",
                duration(min as f64)
            ),
            None => "There is no request to compare.".to_owned(),
        },
        Set::Selected(_) => {
            "The fields of the selected requests are compared with those of all others.".to_owned()
        }
    };
    if !found.complete {
        why.push_str(&format!(
            " Only the newest {} requests were read. Choose a shorter range to compare all of it.",
            grouped(found.requests)
        ));
    }
    (answer, why)
}

fn totals(set: Set, found: &Correlations) -> Markup {
    let label = match set {
        Set::Failed => "Failed",
        Set::Slow => "Slow",
        Set::Selected(_) => "Selected",
    };
    facts(&[
        Fact::new("Requests", grouped(found.requests)),
        Fact::new(label, grouped(found.selected)),
        Fact::new("Fields", grouped(found.fields as u64)),
        Fact::new("Values tested", grouped(found.tested as u64)),
    ])
}

fn note(found: &Correlations) -> Markup {
    html! {
        "least likely by chance first"
        @if !found.varied.is_empty() {
            @let names: Vec<&str> = found.varied.iter().take(3).map(String::as_str).collect();
            "; not compared, for they have too many values: " (words::cut(&words::list(&names), 90))
            @if found.varied.len() > 3 { " and " (words::count(found.varied.len() as u64 - 3, "other", "others")) }
        }
    }
}

fn switch(view: &View, set: Set) -> Markup {
    let slow = view
        .here()
        .without("of")
        .without("min_us")
        .without("max_us");
    let slow = slow.without("min_ms").without("max_ms");
    let failed = slow.clone().set("of", "failed");
    let is_selected = matches!(set, Set::Selected(_));
    let mut choices = vec![
        ("Slow", slow, set == Set::Slow),
        ("Failed", failed, set == Set::Failed),
    ];
    if is_selected {
        choices.push(("Selected", view.here(), true));
    }
    segment("Requests", choices)
}

fn list(view: &View, asked: &Params, found: &Correlations) -> Markup {
    const COLUMNS: [Column; 6] = [
        Column::text("Field and value"),
        Column::figure("Of these"),
        Column::figure("Of others"),
        Column::bare("Times as often"),
        Column::bare("Requests"),
        Column::bare("By chance"),
    ];
    if found.correlations.is_empty() {
        let reason = match found.selected {
            0 => "There is no such request in the range.",
            1..3 => "There are too few such requests to compare.",
            _ => "No value of a field is more frequent among them than chance explains.",
        };
        return nothing("No correlations", reason);
    }
    let row = |one: &Correlation| {
        html! {
            tr {
                th.grow scope="row" {
                    a href=(discover(view, asked, found, one)) title=(one.value) {
                        code { (words::cut(&one.field, 80)) ": " (words::cut(&one.value, 120)) }
                    }
                    @if !one.same.is_empty() { (same(&one.same)) }
                }
                (cells::percent(Some(one.share)))
                (cells::percent(Some(one.others_share)))
                td.num.soft {
                    @match one.lift { Some(lift) => { (words::times(lift)) "×" }, None => span.none { "–" } }
                }
                (cells::count(one.count))
                td.num.soft title={ "p = " (format!("{:.1e}", one.p_value)) } { (chance(one.p_value)) }
            }
        }
    };
    let rows = html! { @for one in &found.correlations { (row(one)) } };
    let frame = Frame {
        class: "table--lines",
        caption: "Values that stand out",
        name: "correlations",
        columns: &COLUMNS,
        sort: None,
    };
    html! {
        (framed(view, frame, rows))
        @if found.left_out > 0 {
            p.panel-foot {
                (words::count(found.left_out as u64, "other value stands", "other values stand")) " out less."
            }
        }
    }
}

/// Values that the same requests have.
fn same(all: &[String]) -> Markup {
    let more = all.len().saturating_sub(3);
    html! {
        span.sub title=(words::cut(&all.join(", "), 1_000)) {
            "the same requests have "
            @for (place, one) in all.iter().take(3).enumerate() { @if place > 0 { ", " } (words::cut(one, 60)) }
            @if more > 0 { " and " (words::count(more as u64, "other value", "other values")) }
        }
    }
}

/// The chance in words: what is below one in a million is not told apart.
fn chance(p: f64) -> String {
    match p {
        p if p < 1e-6 => "< 1 in a million".to_owned(),
        p if p < 0.001 => format!("1 in {}", grouped((1.0 / p).round() as u64)),
        p => number::percent(p).to_string(),
    }
}

/// The requests of the set that have a value, in Discover.
fn discover(
    view: &View,
    asked: &Params,
    found: &Correlations,
    one: &Correlation,
) -> crate::ui::href::Href {
    let mut parts = vec![
        "processor.event: transaction".to_owned(),
        kql::filter("service.name", &asked.service),
    ];
    let scope = &asked.scope;
    let named = [
        ("transaction.type", &scope.transaction_type),
        ("transaction.name", &scope.transaction_name),
    ];
    for (field, value) in named {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            parts.push(kql::filter(field, value));
        }
    }
    if view.asked.expr.is_some() {
        parts.push(format!("({})", view.query()));
    }
    let (min, max) = match asked.set {
        Set::Failed => {
            parts.push(kql::filter("event.outcome", "failure"));
            (None, None)
        }
        Set::Slow => (found.min, None),
        Set::Selected(durations) => (
            Some(durations.min).filter(|min| *min > i64::MIN),
            Some(durations.max).filter(|max| *max < i64::MAX),
        ),
    };
    parts.extend(min.map(|us| format!("transaction.duration.us >= {us}")));
    parts.extend(max.map(|us| format!("transaction.duration.us < {us}")));
    parts.push(kql::filter(&one.field, &one.value));
    view.to(&["discover"]).set("q", &parts.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_said_as_firmly_as_they_are() {
        for (p, want) in [
            (1e-9, "< 1 in a million"),
            (0.000_1, "1 in 10,000"),
            (0.02, "2.0\u{202f}%"),
        ] {
            assert_eq!(chance(p), want);
        }
    }
}
