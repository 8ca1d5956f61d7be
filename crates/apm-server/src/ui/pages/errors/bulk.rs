//! Decisions about several errors at once: a box in each row, and one form for all of them.

use maud::{Markup, html};

use super::change::ignored;
use crate::analytics::errors::{ErrorGroup, Status};
use crate::answers::errors::{Answer as Found, title};
use crate::insight::triage::LONGEST_NAME;
use crate::ui::view::View;
use crate::ui::words;

/// The form that the boxes belong to, wherever they stand.
const FORM: &str = "bulk";

/// The box of a group.
pub(super) fn pick(group: &ErrorGroup) -> Markup {
    html! {
        input.pick type="checkbox" form=(FORM) name="group" value={ (group.key) " " (group.service) }
            aria-label={ "Choose " (words::cut(title(group), 60)) };
    }
}

/// The form that changes the groups whose boxes are ticked. It goes back to the same list.
pub(super) fn actions(view: &View, found: &Found) -> Markup {
    let is_open = found.status.is_none_or(|status| status == Status::Open);
    let is_settled = found.status != Some(Status::Open);
    html! {
        form.bulk.row.row--wrap id=(FORM) method="post" aria-label="Change the chosen errors" {
            input type="hidden" name="back" value=(view.here().to_string());
            label.field hidden data-pick-all=(FORM) { input type="checkbox"; " all" }
            span.dim data-picked { "With the chosen errors:" }
            @if is_open {
                button.btn.btn--small type="submit" formaction="/errors/resolve" { "Resolve" }
                span.row {
                    select.input name="until" aria-label="Ignore the chosen errors" {
                        @for (value, words) in ignored() { option value=(value) { "Ignore " (words) } }
                    }
                    button.btn.btn--small type="submit" formaction="/errors/ignore" { "Ignore" }
                }
            }
            @if is_settled {
                button.btn.btn--small type="submit" formaction="/errors/reopen" { "Reopen" }
            }
            span.row {
                input.input.input--text name="to" maxlength=(LONGEST_NAME) aria-label="Assign the chosen errors to"
                    placeholder="Assign to" autocomplete="off";
                button.btn.btn--small type="submit" formaction="/errors/assign" { "Assign" }
            }
        }
    }
}
