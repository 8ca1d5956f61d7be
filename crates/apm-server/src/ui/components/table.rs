//! Tables whose heads are links that sort, so that sorting works without a script and stands in the address.

use maud::{Markup, Render, html};

use crate::answers::listing::Sort;
use crate::ui::view::View;

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Text,
    /// Figures with a unit slot.
    Figure,
    /// Figures without one.
    Bare,
}

/// A column; those with a key can be sorted by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) align: Align,
    pub(crate) key: Option<&'static str>,
}

impl Column {
    pub(crate) const fn text(title: &'static str, key: &'static str) -> Self {
        Self {
            title,
            align: Align::Text,
            key: Some(key),
        }
    }

    pub(crate) const fn figure(title: &'static str, key: &'static str) -> Self {
        Self {
            title,
            align: Align::Figure,
            key: Some(key),
        }
    }

    pub(crate) const fn bare(title: &'static str, key: &'static str) -> Self {
        Self {
            title,
            align: Align::Bare,
            key: Some(key),
        }
    }

    /// The same column without a link to sort by it.
    pub(crate) const fn fixed(self) -> Self {
        Self { key: None, ..self }
    }
}

/// No column is sorted by.
pub(crate) const UNSORTED: Sort = Sort {
    key: "",
    descending: false,
};

/// The head row.
fn head(view: &View, columns: &[Column], sort: &Sort) -> Markup {
    html! {
        thead { tr {
            @for column in columns {
                @let class = match column.align { Align::Text => None, Align::Figure => Some("num"), Align::Bare => Some("num num--bare") };
                @let sorted = column.key.is_some_and(|key| key == sort.key);
                @let direction = if sort.descending { "descending" } else { "ascending" };
                th scope="col" class=[class] aria-sort=[sorted.then_some(direction)] {
                    @match column.key {
                        // Numbers are asked for from the largest down, words from A on; a second click turns it round.
                        Some(key) => {
                            @let down = if sorted { !sort.descending } else { column.align != Align::Text };
                            @let value = if down { format!("-{key}") } else { key.to_owned() };
                            a href=(view.here().set("sort", &value).without("page")) {
                                (column.title) @if sorted { (if sort.descending { " ↓" } else { " ↑" }) }
                            }
                        }
                        None => { (column.title) }
                    }
                }
            }
        } }
    }
}

/// The parts of a table around its rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// `""`, `table--lines` or `docs`.
    pub(crate) class: &'a str,
    /// For screen readers.
    pub(crate) caption: &'a str,
    /// The name of the answer's table, for its file.
    pub(crate) name: &'a str,
    pub(crate) columns: &'a [Column],
    pub(crate) sort: Sort,
}

/// A table; `rows` are `tr` elements.
pub(crate) fn framed(view: &View, frame: Frame<'_>, rows: impl Render) -> Markup {
    html! {
        div.wide { table class={ "table " (frame.class) } data-table=(frame.name) {
            caption.sr { (frame.caption) }
            (head(view, frame.columns, &frame.sort))
            tbody { (rows) }
        } }
        (file_button(frame.name, frame.caption))
    }
}

/// A button that fetches a table of the page's answer as a file; `shell` has the form that it belongs to.
pub(crate) fn file_button(name: &str, caption: &str) -> Markup {
    html! {
        div.csv {
            button.btn.btn--ghost.btn--small type="submit" form="state" name="csv" value=(name)
                aria-label={ "Download as CSV: " (caption) } { "CSV" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column::text("Name", "name"),
        Column::figure("Avg", "avg"),
        Column::bare("vs prev.", "x").fixed(),
    ];

    #[test]
    fn heads_are_links_that_sort() {
        let view = View::test("/services", "from=now-1h&sort=-avg&page=2");
        let sort = Sort {
            key: "avg",
            descending: true,
        };
        insta::assert_snapshot!(head(&view, &COLUMNS, &sort).into_string(), @r#"<thead><tr><th scope="col"><a href="/services?from=now-1h&amp;sort=name">Name</a></th><th scope="col" class="num" aria-sort="descending"><a href="/services?from=now-1h&amp;sort=avg">Avg ↓</a></th><th scope="col" class="num num--bare">vs prev.</th></tr></thead>"#);
    }
}
