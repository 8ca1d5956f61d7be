//! `/insights`: what was found, most costly first, with evidence and remedy.

use apm_time::SECOND;
use maud::{Markup, html};

use super::{Answer, Context, Rendered, page, transaction_href};
use crate::answers::insights::{Answer as Found, Params};
use crate::insight::finding::Finding;
use crate::insight::severity::Severity;
use crate::ui::components::cells::{Tone, flag};
use crate::ui::components::choose;
use crate::ui::components::findings::Mark;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{empty, panel};
use crate::ui::components::shell::Section;
use crate::ui::href::Href;
use crate::ui::number::{self, duration};
use crate::ui::view::View;
use crate::ui::words;

/// The reason why no insight is listed.
const NONE: &str = "No service has an open insight.";

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let is_dismissed = |finding: &&Finding| finding.dismissed.is_some();
        let (dismissed, shown): (Vec<_>, Vec<_>) = found.insights.iter().partition(is_dismissed);
        let is_open = |finding: &&Finding| finding.ended.is_none();
        let (open, ended): (Vec<_>, Vec<_>) = shown.into_iter().partition(is_open);
        let chosen = choose::narrowed(view);
        let (answer, why) = match open.first() {
            Some(first) => {
                let count = words::count(open.len() as u64, "insight", "insights");
                (first.says.title.clone(), format!("{count}. Most costly first."))
            }
            None => (
                match &chosen {
                    Some(services) => format!("No insights are open for {services}."),
                    None => "No insights are open.".to_owned(),
                },
                "Services are checked every few seconds for slow queries, repeated queries, table scans, slow \
                 commits and errors."
                    .to_owned(),
            ),
        };
        let queries = html! { a.btn href=(view.to(&["queries"])) { "All queries" } };
        let several = are_several(&found.insights);
        let part = |title: &str, list: &[&Finding]| {
            let count = number::grouped(list.len() as u64);
            let items =
                html! { ul.findings { @for finding in list { (item(view, finding, several)) } } };
            html! { @if !list.is_empty() { (panel(title, count, html! {}, items)) } }
        };
        let body = html! {
            (page_head(&[Crumb::here("Insights")], answer, why))
            @if open.is_empty() {
                @let none = if chosen.is_some() { "Other services may have open insights." } else { NONE };
                (empty("No issues found", none, queries))
            }
            (part("Open", &open))
            (part("Ended", &ended))
            (part("Dismissed", &dismissed))
        };
        Answer::Page(page(Section::Insights, "Insights", body))
    }
}

/// Findings as a list, each with what to do.
pub(crate) fn list(view: &View, found: &[Finding]) -> Markup {
    let several = are_several(found);
    html! { ul.findings { @for finding in found { (item(view, finding, several)) } } }
}

/// Whether findings are of several environments.
fn are_several(found: &[Finding]) -> bool {
    words::are_several(found.iter().map(|finding| &finding.environment))
}

fn item(view: &View, finding: &Finding, names_environment: bool) -> Markup {
    let (class, word) = match mark(finding) {
        Mark::Failure => ("mark mark--bad", "grave"),
        Mark::Cost => ("mark", "cost"),
        Mark::Notice => ("mark mark--info", "notice"),
    };
    let action = if finding.dismissed.is_some() {
        "restore"
    } else {
        "dismiss"
    };
    let says = &finding.says;
    // Links lead to a time when it was there. The form leads back to this page as it is.
    let seen = finding.last_seen * SECOND;
    let (here, view) = (view, &view.reaching(seen, seen));
    html! {
        li {
            span class=(class) { span.sr { (word) } }
            @match target(view, finding) {
                Some(href) => a.plain href=(href) { (says.title) },
                None => span.plain { (says.title) },
            }
            span.when {
                @match finding.ended {
                    Some(at) => { "ended " (view.clock.ago(at * SECOND)) }
                    None => { "since " (view.clock.minute(finding.first_seen * SECOND)) }
                }
            }
            p { (says.cause) }
            p { (says.remedy) }
            div.row.links {
                a.plain.dim href=(view.to(&["services", &finding.service])) { (words::cut(&finding.service, 60)) }
                @if names_environment || !finding.environment.is_empty() {
                    span.dim { (words::environment(&finding.environment)) }
                }
                @if finding.saving > 0.0 { (time(finding)) }
                @if let Some(trace) = &says.evidence.trace {
                    a href=(view.to(&["traces", trace])) { "A trace that shows it" }
                }
                @if let (Some(name), Some(kind)) = (&says.evidence.transaction, &says.evidence.transaction_type) {
                    a href=(transaction_href(view, &finding.service, kind, name)) { (name) }
                }
                @if let Some(marker) = says.evidence.marker {
                    a href=(comparison(view, finding, marker)) { "Compare before and after" }
                }
                form method="post" action=(here.acting(&["insights", &finding.id, action])) {
                    button.btn.btn--small type="submit" { (if action == "restore" { "Show again" } else { "Dismiss" }) }
                }
            }
        }
    }
}

/// The time that a remedy would save; of what is slower than before, the time that this costs.
fn time(finding: &Finding) -> Markup {
    let (verb, title) = match finding.kind.as_str() {
        "regression" => (
            "costs ",
            "time per minute that its requests take more than before",
        ),
        _ => ("saves ", "time per minute that the remedy would save"),
    };
    html! { span.dim title=(title) { (verb) (duration(finding.saving)) " per minute" } }
}

/// Before and after the marker that a finding is about.
fn comparison(view: &View, finding: &Finding, marker: i64) -> Href {
    view.to(&["compare"])
        .set("marker", &marker.to_string())
        .set("service", &finding.service)
        .set("env", &finding.environment)
}

fn mark(finding: &Finding) -> Mark {
    match finding.severity {
        Severity::Grave => Mark::Failure,
        Severity::Cost => Mark::Cost,
        Severity::Notice => Mark::Notice,
    }
}

fn target(view: &View, finding: &Finding) -> Option<String> {
    let evidence = &finding.says.evidence;
    if let Some(key) = &evidence.error {
        return Some(
            view.to(&["services", &finding.service, "errors", key])
                .to_string(),
        );
    }
    if let Some(fingerprint) = &evidence.fingerprint {
        return Some(
            view.to(&["queries", fingerprint])
                .set("service", &finding.service)
                .to_string(),
        );
    }
    let (name, kind) = (
        evidence.transaction.as_ref()?,
        evidence.transaction_type.as_ref()?,
    );
    Some(transaction_href(view, &finding.service, kind, name).to_string())
}

/// A finding in two words, for the row of what it is about.
pub(crate) fn badge(finding: &Finding) -> Markup {
    let figure = |name: &str| {
        finding
            .says
            .figures
            .get(name)
            .and_then(serde_json::Value::as_f64)
    };
    let (tone, words) = match finding.kind.as_str() {
        "growth" => (
            Tone::Warn,
            match (
                figure("steps_per_thousand_rows"),
                figure("micros_per_thousand_rows"),
            ) {
                (Some(steps), _) => format!(
                    "grows {} steps / 1k rows",
                    number::grouped(super::whole(steps))
                ),
                (None, Some(micros)) => format!("grows {} / 1k rows", duration(micros)),
                (None, None) => "grows".to_owned(),
            },
        ),
        "repeat" => (
            Tone::Warn,
            format!(
                "repeated {:.0}×",
                figure("calls_per_request").unwrap_or(0.0)
            ),
        ),
        "scan" => (Tone::Warn, "full scan".to_owned()),
        "commit" => (Tone::Warn, "slow commits".to_owned()),
        "string_built" => (Tone::Warn, "values in SQL text".to_owned()),
        "select_star" => (Tone::Neutral, "SELECT *".to_owned()),
        "no_where" => (Tone::Warn, "no WHERE".to_owned()),
        "regression" => (Tone::Bad, "slower".to_owned()),
        "plan_change" => (Tone::Warn, "new plan".to_owned()),
        "new_statement" => (Tone::Neutral, "new".to_owned()),
        other => (Tone::Neutral, other.to_owned()),
    };
    flag(tone, &words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(environment: &str, figures: serde_json::Value) -> Finding {
        let says = serde_json::json!({
            "title": "t", "cause": "c", "remedy": "r", "evidence": {}, "figures": figures,
        });
        Finding {
            id: String::new(),
            kind: "growth".to_owned(),
            service: "shop".to_owned(),
            environment: environment.to_owned(),
            severity: Severity::Cost,
            saving: 0.0,
            says: serde_json::from_value(says).unwrap(),
            first_seen: 0,
            last_seen: 0,
            ended: None,
            dismissed: None,
        }
    }

    #[test]
    fn a_row_says_that_it_has_no_environment_where_another_has_one() {
        let view = View::test("/insights", "");
        let of = |environments: &[&str]| {
            let found = environments.iter();
            let found: Vec<_> = found
                .map(|name| finding(name, serde_json::json!({})))
                .collect();
            let page = list(&view, &found).into_string();
            (page.contains(">lab<"), page.contains(">no environment<"))
        };
        assert_eq!(of(&["lab", ""]), (true, true));
        assert_eq!(of(&["lab", "lab"]), (true, false));
        assert_eq!(of(&["", ""]), (false, false));
    }

    #[test]
    fn a_regression_says_what_it_costs_and_any_other_finding_what_its_remedy_saves() {
        let view = View::test("/insights", "");
        let shown = |kind: &str, saving: f64| {
            let finding = Finding {
                kind: kind.to_owned(),
                saving,
                ..finding("lab", serde_json::json!({}))
            };
            list(&view, &[finding]).into_string()
        };
        let slower = shown("regression", 52_480.0);
        assert!(
            slower.contains(">costs ") && slower.contains("52.5"),
            "{slower}"
        );
        assert!(slower.contains(" per minute<") && !slower.contains("saves "));
        let growing = shown("growth", 52_480.0);
        assert!(
            growing.contains(">saves ") && !growing.contains("costs "),
            "{growing}"
        );
        let neither = shown("scan", 0.0);
        assert!(!neither.contains("per minute"), "{neither}");
    }

    #[test]
    fn a_badge_of_growth_has_the_figure_that_was_measured() {
        let of = |figures| badge(&finding("", figures)).into_string();
        let steps = of(serde_json::json!({"steps_per_thousand_rows": 12_000.0}));
        assert!(steps.contains("grows 12,000 steps / 1k rows"), "{steps}");
        let time = of(serde_json::json!({"micros_per_thousand_rows": 220.0}));
        assert!(time.contains("/ 1k rows") && time.contains("220"), "{time}");
        let neither = of(serde_json::json!({}));
        assert!(!neither.contains('0'), "nothing was measured: {neither}");
    }

    #[test]
    fn links_of_a_finding_lead_to_a_time_when_it_was_there() {
        let view = View::test("/insights", "refresh=0");
        let shown = |at: i64| {
            let finding = Finding {
                last_seen: at / SECOND,
                ..finding("a", serde_json::json!({}))
            };
            item(&view, &finding, false).into_string()
        };
        let now = shown(view.range.to - 60 * SECOND);
        assert!(now.contains("href=\"/services/shop?refresh=0\""), "{now}");
        let earlier = shown(view.range.from - 3_600 * SECOND);
        assert!(earlier.contains("&amp;from=20"), "{earlier}");
        // Dismissing it leads back to the page as it is.
        assert!(earlier.contains("/dismiss?refresh=0\""), "{earlier}");
    }
}
