//! The room that a page has: rows are rendered one after the other, and rendering ends where the page becomes too
//! large.
//!
//! A page is rendered on one thread. Rows charge what they take; the page itself is refused when nothing was left.

use std::cell::Cell;

use maud::{Markup, Render};

/// Bytes of the largest page, before it is compressed: browsers stall long before.
pub(crate) const MOST: usize = 32 << 20;

thread_local! {
    /// Bytes that may still be rendered; none outside of [`within`].
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Renders a page; nothing where it would be too large.
pub(crate) fn within<T>(render: impl FnOnce() -> T) -> Option<T> {
    LEFT.set(Some(MOST));
    let made = render();
    // The thread goes on with other pages, and with rows of streams, which have no room of their own.
    LEFT.take().is_some_and(|left| left > 0).then_some(made)
}

/// True if so many bytes fit; what does not fit leaves nothing.
fn charge(bytes: usize) -> bool {
    let Some(left) = LEFT.get() else {
        return true;
    };
    let left = left.saturating_sub(bytes);
    LEFT.set(Some(left));
    left > 0
}

/// Rows of a table or a list, as far as there is room.
pub(crate) fn each<'a, T: 'a>(
    rows: impl IntoIterator<Item = &'a T>,
    row: impl Fn(&'a T) -> Markup,
) -> impl Render {
    let mut out = String::new();
    for one in rows {
        let before = out.len();
        row(one).render_to(&mut out);
        if !charge(out.len() - before) {
            break;
        }
    }
    maud::PreEscaped(out)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use maud::html;

    use super::*;

    #[test]
    fn rendering_ends_where_the_page_becomes_too_large() {
        let text = "x".repeat(1 << 20);
        let rendered = Cell::new(0);
        let rows = |count: usize| {
            let rows = vec![text.as_str(); count];
            each(&rows, |row| {
                rendered.set(rendered.get() + 1);
                html! { p { (row) } }
            })
            .render()
            .into_string()
            .len()
        };
        assert!(within(|| rows(31)).is_some_and(|bytes| bytes > 31 << 20));
        rendered.set(0);
        assert_eq!(within(|| rows(1_000)), None);
        assert_eq!(rendered.get(), 32, "the other rows are not rendered");
        rendered.set(0);
        rows(3);
        assert_eq!(
            rendered.get(),
            3,
            "a page of an error shows all of its rows"
        );
        assert!(
            within(|| rows(1)).is_some(),
            "the next page has its own room"
        );
    }

    #[test]
    fn tables_of_a_page_share_its_room() {
        let text = "x".repeat(1 << 20);
        let rows = vec![text.as_str(); 20];
        let table = || each(&rows, |row| html! { (row) }).render();
        assert!(within(table).is_some());
        assert!(within(|| (table(), table())).is_none());
    }
}
