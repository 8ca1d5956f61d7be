//! The query bar: what is typed, what could be, and below it what is wrong and where.

use kql::filter as condition;
use maud::{Markup, html};

use super::icon;
use crate::analytics::filter::List;
use crate::ui::components::surroundings::Surroundings;
use crate::ui::query_bar::{QueryBar, Trouble};
use crate::ui::view::{KEPT, View};

/// Fields that a reader filters events by most often.
const OFTEN: [&str; 8] = [
    "processor.event",
    "service.name",
    "transaction.name",
    "transaction.result",
    "transaction.duration.us",
    "span.db.statement",
    "url.path",
    "http.request.headers.Host",
];
/// Names that the list without a script offers of each field.
const OFFERED: usize = 20;
/// Characters shown on either side of the place of an error.
const AROUND: usize = 36;

/// The bar. `service` is the one that the page is about.
pub(crate) fn query_bar(
    view: &View,
    around: &Surroundings,
    service: Option<&str>,
    error: Option<&Trouble>,
) -> Markup {
    let bar = view.bar;
    let elsewhere = bar == QueryBar::Elsewhere;
    let kept = if elsewhere {
        view.shared_params()
    } else {
        view.params_at_first_row(&["q", KEPT]).collect()
    };
    let action = if elsewhere { "/discover" } else { &view.path };
    html! {
        form.query role="search" aria-label="Filter" method="get" action=(action) {
            (icon::icon("search"))
            @for (key, value) in kept { input type="hidden" name=(key) value=(value); }
            @if elsewhere && view.services.is_all() && let Some(service) = service.or(view.service()) {
                input type="hidden" name="service" value=(service);
            }
            input type="text" name="q" id="q" aria-label="Filter" value=(view.query()) placeholder=(bar.example())
                spellcheck="false" autocomplete="off" list="q-names"
                data-suggest=(action) aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "q-error")];
            kbd aria-hidden="true" { "/" }
            datalist id="q-names" { @for text in offered(bar, around) { option value=(text) {} } }
            @if let Some(error) = error { div.query-error id="q-error" role="alert" { (shown(view.query(), error)) } }
        }
    }
}

/// Names that can be typed here, for readers without a script.
fn offered(bar: QueryBar, around: &Surroundings) -> Vec<String> {
    let fields: &[&str] = match bar {
        QueryBar::List(list) => list.fields(),
        QueryBar::Requests | QueryBar::Documents | QueryBar::Elsewhere => &OFTEN,
    };
    let values = |field: &'static str, names: &[String]| -> Vec<String> {
        let names = names.iter().take(OFFERED);
        names.map(|name| condition(field, name)).collect()
    };
    let mut out: Vec<String> = fields.iter().map(|field| format!("{field}: ")).collect();
    out.extend(values("service.name", &around.services));
    if bar != QueryBar::List(List::Metrics) {
        out.extend(values("service.environment", &around.environments));
    }
    out
}

/// The part of a query around the place of an error, with carets under it, and the words.
pub(crate) fn shown(query: &str, error: &Trouble) -> Markup {
    html! {
        @if let Some((at, len)) = error.place {
            @let from = at.saturating_sub(AROUND);
            @let part: String = query.chars().skip(from).take(AROUND + len + AROUND).collect();
            pre.caret {
                (if from > 0 { "…" } else { "" }) (part) "\n" (" ".repeat(at - from + usize::from(from > 0)))
                ("^".repeat(len.clamp(1, 2 * AROUND)))
            }
        }
        span { (error.says) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_place() {
        let error = |at, len| Trouble {
            says: "no <such> field".into(),
            place: Some((at, len)),
        };
        insta::assert_snapshot!(shown("é and url:1", &error(6, 3)).into_string(), @r#"
        <pre class="caret">é and url:1
              ^^^</pre><span>no &lt;such&gt; field</span>
        "#);
        let long = format!("{}:", "a".repeat(100));
        let text = shown(&long, &error(101, 1)).into_string();
        let lines: Vec<&str> = text
            .trim_start_matches("<pre class=\"caret\">")
            .lines()
            .collect();
        let caret = lines[1].find('^').unwrap();
        assert_eq!(lines[0].chars().count(), caret, "after the last character");
    }
}
