//! The button that saves a page with its query on the dashboard, as a view. It works without a script.

use maud::{Markup, html};

use super::icon;
use crate::dashboard::LONGEST_TITLE;
use crate::ui::view::View;
use crate::ui::words;

/// The button and its form. `title`: what the view is called unless somebody says otherwise.
pub(crate) fn save(view: &View, title: &str) -> Markup {
    // The place in the list and the refresh are of this reader, not of the view.
    let address = view.at_first_row().without("refresh").without("tail");
    html! {
        details.menu.menu--right {
            summary.btn.btn--small { "Save view" (icon::caret()) }
            form.menu-list.choose.row method="post" action="/dashboard" aria-label="Save this view on the dashboard" {
                input type="hidden" name="address" value=(address.to_string());
                input.input.input--text name="title" value=(words::cut(title, 60)) required maxlength=(LONGEST_TITLE)
                    aria-label="Title" autocomplete="off";
                button.btn.btn--small type="submit" { "Save" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_its_address_without_the_place_in_the_list() {
        let view = View::test("/errors", "state=all&page=3&search=%3Cb%3E&open=9");
        let drawn = save(&view, "Errors <b>").into_string();
        assert!(
            drawn.contains("value=\"/errors?state=all&amp;search=%3Cb%3E\""),
            "{drawn}"
        );
        assert!(drawn.contains("value=\"Errors &lt;b&gt;\""), "{drawn}");
    }
}
