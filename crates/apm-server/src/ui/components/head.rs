//! The page head: where am I, the answer, the reason, the key numbers.

use maud::{Markup, PreEscaped, Render, html};

/// One step of the path to this page; the last has no link.
#[derive(Debug, Clone)]
pub(crate) struct Crumb {
    pub(crate) text: String,
    pub(crate) href: Option<String>,
}

impl Crumb {
    pub(crate) fn link(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            href: Some(href.into()),
        }
    }

    pub(crate) fn here(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            href: None,
        }
    }
}

/// Crumbs, the answer of the page as its `h1`, and the reason. Both are computed from the page's data.
pub(crate) fn page_head(crumbs: &[Crumb], answer: impl Render, why: impl Render) -> Markup {
    html! {
        div {
            nav.crumbs aria-label="Breadcrumb" {
                @for crumb in crumbs {
                    @match &crumb.href {
                        Some(href) => { a href=(href) { (crumb.text) } span.sep aria-hidden="true" { "/" } }
                        None => { span aria-current="page" { (crumb.text) } }
                    }
                }
            }
            h1.answer { (ended_once(&answer)) }
            p.why { (ended_once(&why)) }
        }
    }
}

/// A sentence that ends in a name which was cut has its dots: a full stop after them reads as a mistake. What stands
/// within a sentence stays as it was sent.
fn ended_once(sentences: &impl Render) -> Markup {
    let mut text = sentences.render().into_string().replace("…. ", "… ");
    if text.ends_with("….") {
        text.pop();
    }
    PreEscaped(text)
}

/// A key number: label, value, and what it did against the comparison.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) value: Markup,
}

impl Fact {
    pub(crate) fn new(label: &'static str, value: impl Render) -> Self {
        Self {
            label,
            value: value.render(),
        }
    }

    /// A value with its delta or an explanation after it.
    pub(crate) fn with(label: &'static str, value: impl Render, after: impl Render) -> Self {
        Self {
            label,
            value: html! { (value) (after) },
        }
    }
}

/// The strip of four to seven key numbers.
pub(crate) fn facts(facts: &[Fact]) -> Markup {
    html! { dl.facts { @for fact in facts { div { dt { (fact.label) } dd { (fact.value) } } } } }
}

/// Grey words after a value.
pub(crate) fn dim(text: impl Render) -> Markup {
    html! { span.dim { (text) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::components::tag_lines;
    use crate::ui::number;

    #[test]
    fn a_sentence_that_ends_in_a_cut_name_has_no_stop_behind_its_dots() {
        let head = page_head(&[], "It waits for a-long-na…. It failed.", "In a-long-na….");
        let head = head.into_string();
        assert!(
            head.contains("It waits for a-long-na… It failed.<"),
            "{head}"
        );
        assert!(head.contains("In a-long-na…<"), "{head}");
        let head = page_head(&[], "“Loading….” occurred once.", "a….js").into_string();
        assert!(head.contains("“Loading….” occurred"), "{head}");
        assert!(head.contains("a….js<"), "{head}");
    }

    #[test]
    fn a_head_names_the_path_and_escapes_what_telemetry_sent() {
        let crumbs = [Crumb::link("<svc>", "/services/x"), Crumb::here("GET /")];
        insta::assert_snapshot!(tag_lines(page_head(&crumbs, "95 % of GET / finish.", "Because.")), @r#"
        <div>
        <nav class="crumbs" aria-label="Breadcrumb">
        <a href="/services/x">&lt;svc&gt;</a>
        <span class="sep" aria-hidden="true">/</span>
        <span aria-current="page">GET /</span>
        </nav>
        <h1 class="answer">95 % of GET / finish.</h1>
        <p class="why">Because.</p>
        </div>
        "#);
    }

    #[test]
    fn facts_keep_label_value_and_delta_together() {
        let facts_ = [
            Fact::new("p95", number::duration(47_700.0)),
            Fact::with("SQL per request", "1", dim("30.6 ms")),
        ];
        insta::assert_snapshot!(tag_lines(facts(&facts_)), @r#"
        <dl class="facts">
        <div>
        <dt>p95</dt>
        <dd>
        <span>47.7<span class="u"> ms</span>
        </span>
        </dd>
        </div>
        <div>
        <dt>SQL per request</dt>
        <dd>1<span class="dim">30.6 ms</span>
        </dd>
        </div>
        </dl>
        "#);
    }
}
