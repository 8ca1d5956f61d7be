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
    pub(crate) const fn text(title: &'static str) -> Self {
        Self::new(title, Align::Text)
    }

    pub(crate) const fn figure(title: &'static str) -> Self {
        Self::new(title, Align::Figure)
    }

    pub(crate) const fn bare(title: &'static str) -> Self {
        Self::new(title, Align::Bare)
    }

    const fn new(title: &'static str, align: Align) -> Self {
        let key = None;
        Self { title, align, key }
    }

    /// The same column with a link to sort by it, where the table can be sorted.
    pub(crate) const fn by(self, key: &'static str) -> Self {
        let key = Some(key);
        Self { key, ..self }
    }
}

/// The head row. Without `sort` the table cannot be sorted.
fn head(view: &View, columns: &[Column], sort: Option<Sort>) -> Markup {
    html! {
        thead { tr {
            @for column in columns {
                @let class = match column.align {
                    Align::Text => None,
                    Align::Figure => Some("num"),
                    Align::Bare => Some("num num--bare"),
                };
                @let sorted = sort.filter(|sort| column.key == Some(sort.key));
                @let direction = sorted.map(|sort| if sort.descending { "descending" } else { "ascending" });
                th scope="col" class=[class] aria-sort=[direction] {
                    @match column.key.filter(|_| sort.is_some()) {
                        // Numbers are asked for from the largest down, words from A on; a second click turns it round.
                        Some(key) => {
                            @let down = sorted.map_or(column.align != Align::Text, |sort| !sort.descending);
                            @let value = if down { format!("-{key}") } else { key.to_owned() };
                            a href=(view.here().set("sort", &value).without("page")) {
                                (column.title)
                                @if let Some(sort) = sorted { (if sort.descending { " ↓" } else { " ↑" }) }
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
    /// The order of the rows; none where the table cannot be sorted.
    pub(crate) sort: Option<Sort>,
}

/// A table; `rows` are `tr` elements.
pub(crate) fn framed(view: &View, frame: Frame<'_>, rows: impl Render) -> Markup {
    html! {
        div.wide { table class={ "table " (frame.class) } data-table=(frame.name) {
            caption.sr { (frame.caption) }
            (head(view, frame.columns, frame.sort))
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
    use crate::ui::components::tag_lines;

    const COLUMNS: [Column; 3] = [
        Column::text("Name").by("name"),
        Column::figure("Avg").by("avg"),
        Column::bare("vs prev."),
    ];

    #[test]
    fn heads_are_links_that_sort() {
        let view = View::test("/services", "from=now-1h&sort=-avg&page=2");
        let sort = Sort {
            key: "avg",
            descending: true,
        };
        insta::assert_snapshot!(tag_lines(head(&view, &COLUMNS, Some(sort))), @r#"
        <thead>
        <tr>
        <th scope="col">
        <a href="/services?from=now-1h&amp;sort=name">Name</a>
        </th>
        <th scope="col" class="num" aria-sort="descending">
        <a href="/services?from=now-1h&amp;sort=avg">Avg ↓</a>
        </th>
        <th scope="col" class="num num--bare">vs prev.</th>
        </tr>
        </thead>
        "#);
    }

    #[test]
    fn a_table_without_an_order_has_no_links() {
        let view = View::test("/services", "sort=-avg");
        let head = head(&view, &COLUMNS, None).into_string();
        assert!(
            !head.contains("href") && !head.contains("aria-sort"),
            "{head}"
        );
        assert!(head.contains(">Avg</th>"), "{head}");
    }
}
