//! Tables whose heads are links that sort, so that sorting works without a script and stands in the address.

use maud::{Markup, Render, html};

use super::icon;
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

/// The title of the column that compares with an earlier window.
pub(crate) const COMPARED: &str = "vs prev.";

/// The columns of a list. The one that compares is there where an earlier window is.
pub(crate) fn compared(columns: &[Column], has_earlier: bool) -> Vec<Column> {
    let is_there = |column: &&Column| has_earlier || column.title != COMPARED;
    columns.iter().filter(is_there).copied().collect()
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

/// Tables whose answers know a search.
const SEARCHED: [&str; 8] = [
    "services",
    "instances",
    "transactions",
    "errors",
    "statements",
    "dependencies",
    "vitals",
    "versions",
];

/// The part of an address that names a column: `requests-min`.
fn slug(title: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    title.chars().map(plain).collect()
}

/// The columns that an address hides; the first is always there.
fn hidden<'c>(view: &'c View, columns: &'c [Column]) -> impl Iterator<Item = usize> + 'c {
    let hide = view.param("hide").unwrap_or_default();
    let is_hidden = move |title: &str| hide.split(',').any(|known| known == slug(title));
    let columns = columns.iter().enumerate().skip(1);
    columns
        .filter(move |(_, column)| is_hidden(column.title))
        .map(|(place, _)| place)
}

/// Above a list: a search in its names, and the choice of its columns and of the height of its rows.
fn tools(view: &View, frame: &Frame<'_>) -> Markup {
    let gone: Vec<usize> = hidden(view, frame.columns).collect();
    let toggle = |place: usize| {
        // Those that are hidden after the click: the ones of now, with this one turned.
        let shown = |at: &usize| gone.contains(at) != (*at == place);
        let names = (1..frame.columns.len()).filter(shown);
        let names: Vec<String> = names.map(|at| slug(frame.columns[at].title)).collect();
        view.here().set("hide", &names.join(","))
    };
    let is_compact = view.param("density") == Some("compact");
    let density = if is_compact { "" } else { "compact" };
    html! {
        div.table-tools {
            @if SEARCHED.contains(&frame.name) {
                form.row role="search" method="get" action=(view.path) {
                    @for (key, value) in view.params_but(&["search", "page", "csv"]) {
                        input type="hidden" name=(key) value=(value);
                    }
                    input.input.input--text type="search" name="search" value=[view.param("search")]
                        placeholder="Search in this table" aria-label="Search in this table" autocomplete="off"
                        spellcheck="false";
                    @if view.param("search").is_some() {
                        a href=(view.here().without("search").without("page")) { "Clear" }
                    }
                }
            }
            span.push {}
            details.menu.menu--right {
                summary.btn.btn--ghost.btn--small {
                    "Columns"
                    @if !gone.is_empty() { " (" (gone.len()) " hidden)" }
                    (icon::caret())
                }
                ul.menu-list {
                    @for (place, column) in frame.columns.iter().enumerate().skip(1) {
                        @let is_shown = !gone.contains(&place);
                        li {
                            a href=(toggle(place)) {
                                span.tick aria-hidden="true" { @if is_shown { "✓" } }
                                span.sr { (if is_shown { "Hide " } else { "Show " }) } (column.title)
                            }
                        }
                    }
                }
            }
            a.btn.btn--ghost.btn--small href=(view.here().set("density", density)) {
                (if is_compact { "Normal rows" } else { "Compact rows" })
            }
        }
    }
}

/// A table; `rows` are `tr` elements.
pub(crate) fn framed(view: &View, frame: Frame<'_>, rows: impl Render) -> Markup {
    let gone: String = match frame.sort {
        Some(_) => hidden(view, frame.columns)
            .map(|place| format!(" hide-{}", place + 1))
            .collect(),
        None => String::new(),
    };
    html! {
        @if frame.sort.is_some() { (tools(view, &frame)) }
        div.wide { table class={ "table " (frame.class) (gone) } data-table=(frame.name) {
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
    fn columns_are_hidden_by_the_address_but_never_the_first() {
        let frame = Frame {
            class: "",
            caption: "Services",
            name: "services",
            columns: &COLUMNS,
            sort: Some(Sort {
                key: "name",
                descending: false,
            }),
        };
        let view = View::test("/services", "hide=name,vs-prev-&page=2");
        let text = framed(&view, frame, html! {}).into_string();
        assert!(text.contains("class=\"table  hide-3\""), "{text}");
        assert!(text.contains("Columns (1 hidden)"), "{text}");
        // A click hides one more, or brings one back.
        let both = "href=\"/services?hide=avg,vs-prev-&amp;page=2\"";
        assert!(text.contains(both), "{text}");
        assert!(text.contains("href=\"/services?page=2\""), "{text}");
        let fixed = Frame {
            sort: None,
            ..frame
        };
        let text = framed(&view, fixed, html! {}).into_string();
        assert!(
            !text.contains("hide-3") && !text.contains("Columns"),
            "{text}"
        );
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
