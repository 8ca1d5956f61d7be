//! `/insights`: what was found, most costly first, with evidence and remedy.

use apm_time::SECOND;
use diesel::QueryResult;
use maud::{Markup, html};

use super::{Answer, Ask, page, transaction_href};
use crate::analytics::Scope;
use crate::insight::finding::{self, Finding, Which};
use crate::insight::severity::Severity;
use crate::ui::components::cells::{Tone, flag};
use crate::ui::components::findings::Mark;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::panel::{empty, panel};
use crate::ui::components::shell::Section;
use crate::ui::number::{self, duration};
use crate::ui::view::View;
use crate::ui::words;

/// The page.
pub(crate) fn all(ask: &mut Ask<'_>) -> QueryResult<Answer> {
    let scope = Scope {
        service: ask.view.param("service").map(str::to_owned),
        ..ask.scope()
    };
    let which = Which {
        ended: true,
        dismissed: true,
        fingerprint: None,
    };
    let found = finding::list(ask.conn, &scope, which)?;
    let (dismissed, found): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|finding| finding.dismissed.is_some());
    let (open, ended): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|finding| finding.ended.is_none());
    let crumbs = [Crumb::here("Insights")];
    let (answer, why) = match open.first() {
        Some(first) => (first.says.title.clone(), format!("{}, most costly first.", words::count(open.len() as u64, "insight", "insights"))),
        None => ("Nothing to mend.".to_owned(), "Growth, repeats, scans, slow commits, errors: services are looked at every few seconds, and what is found stands here.".to_owned()),
    };
    let body = html! {
        (page_head(&crumbs, answer, why))
        @if open.is_empty() { (empty("No insights", "No service at work shows any of them.", html! { a.btn href=(ask.view.to(&["queries"])) { "All queries" } })) }
        @else { (panel("Open", number::grouped(open.len() as u64), html! {}, list(ask.view, &open))) }
        @if !ended.is_empty() { (panel("Ended", number::grouped(ended.len() as u64), html! {}, list(ask.view, &ended))) }
        @if !dismissed.is_empty() { (panel("Dismissed", number::grouped(dismissed.len() as u64), html! {}, list(ask.view, &dismissed))) }
    };
    Ok(Answer::Page(page(Section::Insights, "Insights", body)))
}

/// Findings as a list, each with what to do.
pub(crate) fn list(view: &View, found: &[Finding]) -> Markup {
    html! { ul.findings { @for finding in found { (item(view, finding)) } } }
}

fn item(view: &View, finding: &Finding) -> Markup {
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
    html! {
        li {
            span class=(class) { span.sr { (word) } }
            @match target(view, finding) { Some(href) => { a.plain href=(href) { (says.title) } } None => { span.plain { (says.title) } } }
            span.when {
                @match finding.ended {
                    Some(at) => { "ended " (view.clock.ago(at * SECOND)) }
                    None => { "since " (view.clock.minute(finding.first_seen * SECOND)) }
                }
            }
            p { (says.cause) }
            p { (says.remedy) }
            div.row.links {
                span.dim { (finding.service) }
                @if finding.saving > 0.0 { span.dim title="time per minute that the remedy would save" { "saves " (duration(finding.saving)) " a minute" } }
                @if let Some(trace) = &says.evidence.trace { a href=(view.to(&["traces", trace])) { "A trace that shows it" } }
                @if let (Some(name), Some(kind)) = (&says.evidence.transaction, &says.evidence.transaction_type) {
                    a href=(transaction_href(view, &finding.service, kind, name)) { (name) }
                }
                form method="post" action={ "/insights/" (finding.id) "/" (action) } { button.btn.btn--small type="submit" { (if action == "restore" { "Show again" } else { "Dismiss" }) } }
            }
        }
    }
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
            format!(
                "grows {} / 1k rows",
                duration(figure("micros_per_thousand_rows").unwrap_or(0.0))
            ),
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
        "new_statement" => (Tone::Neutral, "new".to_owned()),
        other => (Tone::Neutral, other.to_owned()),
    };
    flag(tone, &words)
}
