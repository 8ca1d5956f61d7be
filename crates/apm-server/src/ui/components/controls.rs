//! Chips, tabs, segments, pagers, plus and minus: all of them links.

use maud::{Markup, Render, html};

use super::icon;
use crate::ui::number::grouped;

/// An active filter, removable with one click.
pub(crate) fn chip(text: &str, remove: impl Render) -> Markup {
    html! {
        span.chip {
            span { code { (text) } }
            a href=(remove) aria-label={ "Remove filter " (text) } { (icon::small("close")) }
        }
    }
}

/// A 2–4 way switch.
pub(crate) fn segment<'a, H: Render + 'a>(
    label: &str,
    choices: impl IntoIterator<Item = (&'a str, H, bool)>,
) -> Markup {
    html! {
        div.segment role="group" aria-label=(label) {
            @for (text, href, current) in choices { a href=(href) aria-current=[current.then_some("true")] { (text) } }
        }
    }
}

/// One tab. Empty ones stay visible and say why they are empty.
#[derive(Debug, Clone)]
pub(crate) struct Tab {
    pub(crate) title: &'static str,
    pub(crate) href: String,
    pub(crate) count: Option<u64>,
    pub(crate) current: bool,
}

/// Views of one thing, as links.
pub(crate) fn tabs(label: &str, tabs: &[Tab]) -> Markup {
    html! {
        nav.tabs.tabs--in aria-label=(label) {
            @for tab in tabs {
                a href=(tab.href) aria-current=[tab.current.then_some("page")] {
                    (tab.title)
                    @if let Some(count) = tab.count { span.count { (grouped(count)) } }
                }
            }
        }
    }
}

/// The links of a pager: one each, none where there is nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pager {
    pub(crate) label: &'static str,
    pub(crate) position: String,
    pub(crate) first: Option<String>,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) last: Option<String>,
}

impl Render for Pager {
    fn render(&self) -> Markup {
        html! {
            div.pager role="group" aria-label=(self.label) {
                (step("first", "First", self.first.as_deref()))
                (step("left", "Previous", self.previous.as_deref()))
                span.pos { (self.position) }
                (step("right", "Next", self.next.as_deref()))
                (step("last", "Last", self.last.as_deref()))
            }
        }
    }
}

fn step(icon: &str, label: &str, href: Option<&str>) -> Markup {
    html! {
        @match href {
            Some(href) => { a.btn.btn--icon.btn--small href=(href) aria-label=(label) { (icon::small(icon)) } }
            None => {
                button.btn.btn--icon.btn--small type="button" disabled aria-label=(label) { (icon::small(icon)) }
            }
        }
    }
}

/// Filters by a value, or by everything but it.
pub(crate) fn plus_minus(value: &str, only: impl Render, without: impl Render) -> Markup {
    html! {
        span.pm {
            a href=(only) aria-label={ "Only " (value) } { (icon::small("plus")) }
            a href=(without) aria-label={ "Without " (value) } { (icon::small("minus")) }
        }
    }
}

/// A button that copies the text of the element `target`; `copy.js` shows it, since it does nothing without a script.
pub(crate) fn copy(target: &str, label: &str) -> Markup {
    html! { button.btn.btn--ghost.btn--small type="button" data-copy=(target) hidden { (icon::small("copy")) (label) } }
}

/// A link to what is shown now, which `copy.js` copies instead of following it.
pub(crate) fn copy_link(href: impl Render, label: &str) -> Markup {
    html! { a.btn.btn--ghost.btn--small href=(href) data-copy-link { (icon::small("copy")) (label) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::components::tag_lines;

    #[test]
    fn a_pager_at_its_end_has_no_dead_links() {
        let pager = Pager {
            label: "Samples",
            position: "3 of 3".into(),
            first: Some("/a?n=1".into()),
            previous: Some("/a?n=2".into()),
            ..Pager::default()
        };
        insta::assert_snapshot!(tag_lines(pager.render()), @r#"
        <div class="pager" role="group" aria-label="Samples">
        <a class="btn btn--icon btn--small" href="/a?n=1" aria-label="First">
        <svg class="icon icon-s" viewBox="0 0 16 16" aria-hidden="true">
        <use href="/assets/v/icons.svg#i-first">
        </use>
        </svg>
        </a>
        <a class="btn btn--icon btn--small" href="/a?n=2" aria-label="Previous">
        <svg class="icon icon-s" viewBox="0 0 16 16" aria-hidden="true">
        <use href="/assets/v/icons.svg#i-left">
        </use>
        </svg>
        </a>
        <span class="pos">3 of 3</span>
        <button class="btn btn--icon btn--small" type="button" disabled aria-label="Next">
        <svg class="icon icon-s" viewBox="0 0 16 16" aria-hidden="true">
        <use href="/assets/v/icons.svg#i-right">
        </use>
        </svg>
        </button>
        <button class="btn btn--icon btn--small" type="button" disabled aria-label="Last">
        <svg class="icon icon-s" viewBox="0 0 16 16" aria-hidden="true">
        <use href="/assets/v/icons.svg#i-last">
        </use>
        </svg>
        </button>
        </div>
        "#);
    }

    #[test]
    fn a_chip_shows_its_filter_as_sent() {
        insta::assert_snapshot!(tag_lines(chip("user.id: \"<script>\"", "/x")), @r#"
        <span class="chip">
        <span>
        <code>user.id: &quot;&lt;script&gt;&quot;</code>
        </span>
        <a href="/x" aria-label="Remove filter user.id: &quot;&lt;script&gt;&quot;">
        <svg class="icon icon-s" viewBox="0 0 16 16" aria-hidden="true">
        <use href="/assets/v/icons.svg#i-close">
        </use>
        </svg>
        </a>
        </span>
        "#);
    }
}
