//! Icons from the sprite, and the logo.

use maud::{Markup, html};

use crate::ui::assets;

/// The icon `name` of `icons.svg`, 16 px; decoration only, so the control beside it needs words.
pub(crate) fn icon(name: &str) -> Markup {
    sized(name, "icon", "0 0 16 16")
}

/// The same at 12 px.
pub(crate) fn small(name: &str) -> Markup {
    sized(name, "icon icon-s", "0 0 16 16")
}

/// The triangle of a button that opens a list.
pub(crate) fn caret() -> Markup {
    sized("caret", "icon caret", "0 0 8 8")
}

fn sized(name: &str, class: &str, view_box: &str) -> Markup {
    html! {
        svg class=(class) viewBox=(view_box) aria-hidden="true" {
            use href={ (assets::url("icons.svg")) "#i-" (name) } {}
        }
    }
}

/// A pocket with three spans in it.
pub(crate) fn logo() -> Markup {
    html! {
        svg.logo viewBox="0 0 20 20" aria-hidden="true" {
            path d="M2.5 3.5h15V11a6.5 6.5 0 0 1-6.5 6.5H9A6.5 6.5 0 0 1 2.5 11z" fill="none" stroke="currentColor"
                stroke-width="1.6" stroke-linejoin="round" {}
            path d="M5.6 7h5M8 10h5.4M9.6 13h2.6" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" {}
        }
    }
}
