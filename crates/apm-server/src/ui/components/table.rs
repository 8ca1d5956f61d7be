//! Tables whose heads are links that sort, so that sorting works without a script and stands in the address.

use std::cmp::Ordering;

use maud::{Markup, Render, html};

use crate::ui::view::View;

/// How a column is aligned.
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

/// By which column rows are sorted: `sort=avg`, or `sort=-avg` for descending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sort {
    pub(crate) key: &'static str,
    pub(crate) descending: bool,
}

impl Sort {
    /// What the address asks for, if one of `columns` has it, else `default`.
    pub(crate) fn of(view: &View, columns: &[Column], default: &str) -> Self {
        let asked = view.param("sort").unwrap_or(default);
        let find = |text: &str| {
            let name = text.strip_prefix('-').unwrap_or(text);
            let key = columns
                .iter()
                .filter_map(|column| column.key)
                .find(|key| *key == name)?;
            Some(Self {
                key,
                descending: text.starts_with('-'),
            })
        };
        find(asked).or_else(|| find(default)).unwrap_or(Self {
            key: "",
            descending: false,
        })
    }

    /// Sorts rows by a number; unknown ones come last either way.
    pub(crate) fn compare(&self, a: Option<f64>, b: Option<f64>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) if self.descending => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }

    /// Sorts rows by their words.
    pub(crate) fn compare_text(&self, a: &str, b: &str) -> Ordering {
        let order = a.to_lowercase().cmp(&b.to_lowercase());
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }
}

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

/// A table with a caption for screen readers; `rows` are `tr` elements. `class` is `""`, `table--lines` or `docs`.
pub(crate) fn table(
    view: &View,
    class: &str,
    caption: &str,
    columns: &[Column],
    sort: &Sort,
    rows: impl Render,
) -> Markup {
    html! {
        div.wide { table class={ "table " (class) } {
            caption.sr { (caption) }
            (head(view, columns, sort))
            tbody { (rows) }
        } }
        (csv(caption))
    }
}

/// A button that fetches the table with this caption as a file; `shell` has the form that it belongs to.
pub(crate) fn csv(caption: &str) -> Markup {
    html! { div.csv { button.btn.btn--ghost.btn--small type="submit" form="state" name="csv" value=(caption) aria-label={ "Download as CSV: " (caption) } { "CSV" } } }
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
    fn the_sort_comes_from_the_address_if_a_column_has_it() {
        for (query, want) in [
            ("", ("avg", true)),
            ("sort=name", ("name", false)),
            ("sort=-name", ("name", true)),
            ("sort=x", ("avg", true)),
            ("sort=%22%3E", ("avg", true)),
        ] {
            let sort = Sort::of(&View::test("/services", query), &COLUMNS, "-avg");
            assert_eq!((sort.key, sort.descending), want, "{query}");
        }
    }

    #[test]
    fn unknown_numbers_come_last_either_way() {
        for descending in [true, false] {
            let sort = Sort {
                key: "avg",
                descending,
            };
            let mut rows = [None, Some(1.0), Some(2.0)];
            rows.sort_by(|a, b| sort.compare(*a, *b));
            assert_eq!(rows[2], None);
        }
    }

    #[test]
    fn heads_are_links_that_sort() {
        let view = View::test("/services", "from=now-1h&sort=-avg&page=2");
        let sort = Sort::of(&view, &COLUMNS, "-avg");
        insta::assert_snapshot!(head(&view, &COLUMNS, &sort).into_string(), @r#"<thead><tr><th scope="col"><a href="/services?from=now-1h&amp;sort=name">Name</a></th><th scope="col" class="num" aria-sort="descending"><a href="/services?from=now-1h&amp;sort=avg">Avg ↓</a></th><th scope="col" class="num num--bare">vs prev.</th></tr></thead>"#);
    }
}
