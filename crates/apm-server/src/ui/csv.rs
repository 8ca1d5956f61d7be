//! Any table of a page as comma-separated values: the cells as they read, the exact number where a cell is short.
//!
//! It reads the page's own markup, which is well-formed and ours, so that every table can be had without being written twice.
//! Cells that a spreadsheet would take for a formula are made text: they come from telemetry.

use std::fmt::Write as _;

use crate::csv::{field, harmless};

/// The table whose caption is `caption`, as RFC 4180 has it; nothing where the page has none.
pub(super) fn table(page: &str, caption: &str) -> Option<String> {
    let table = page
        .split("<table")
        .skip(1)
        .find(|rest| captioned(rest).is_some_and(|found| text(found) == caption))?;
    let table = table.split("</table>").next()?;
    let mut out = String::new();
    for row in table.split("<tr").skip(1) {
        let row = row.split("</tr>").next().unwrap_or(row);
        let cells = cells(row);
        for (i, cell) in cells.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(out, "{comma}{}", field(&harmless(cell)));
        }
        out.push_str("\r\n");
    }
    Some(out)
}

/// The markup of a table's caption.
fn captioned(table: &str) -> Option<&str> {
    let table = table.split("</table>").next()?;
    let (_, rest) = table.split_once("<caption")?;
    rest.split_once('>')?.1.split("</caption>").next()
}

/// The cells of a row's markup.
fn cells(row: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = row;
    while let Some(at) = ["<th", "<td"].iter().filter_map(|tag| rest.find(tag)).min() {
        rest = &rest[at..];
        let Some((tag, after)) = rest.split_once('>') else {
            break;
        };
        let end = if tag.starts_with("<th") {
            "</th>"
        } else {
            "</td>"
        };
        let (body, after) = after.split_once(end).unwrap_or((after, ""));
        let shown = text(body);
        // A short number says the exact one on hover.
        let exact = attribute(tag, "title").filter(|title| {
            title.chars().all(|c| c.is_ascii_digit() || c == ',') && !title.is_empty()
        });
        out.push(match exact {
            Some(exact) => exact.replace(',', ""),
            None => shown,
        });
        rest = after;
    }
    out
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// The words of some markup: no drawings, no sorting arrows, entities resolved, spaces plain.
fn text(markup: &str) -> String {
    let mut out = String::new();
    let mut rest = markup;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        rest = after;
        if tag.starts_with("svg") {
            rest = rest.split_once("</svg>").map_or("", |(_, rest)| rest);
        } else if tag.contains("class=\"sr\"") {
            rest = rest.split_once('<').map_or("", |(_, rest)| rest);
            rest = rest.split_once('>').map_or("", |(_, rest)| rest);
        } else if ["div", "p", "li", "dd", "dt", "br"]
            .iter()
            .any(|block| tag.starts_with(block))
            || tag.contains("class=\"sub")
        {
            out.push(' ');
        }
    }
    out.push_str(rest);
    let plain = out
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace(super::number::NARROW, " ");
    let words: Vec<&str> = plain.split_whitespace().collect();
    let text = words.join(" ");
    // The arrow after a head says how it is sorted; the one before a figure is its sign.
    text.trim_end_matches([' ', '↑', '↓'])
        .replace("↑ ", "+")
        .replace("↓ ", "-")
        .replace('↑', "+")
        .replace('↓', "-")
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;
    use crate::ui::components::cells as parts;
    use crate::ui::number;

    #[test]
    fn a_table_reads_as_it_is_shown() {
        let page = html! {
            table { caption { "Other" } tr { td { "no" } } }
            table.table {
                caption.sr { "Names & figures" }
                thead { tr { th { a href="?sort=x" { "Name ↓" } } th { "Avg" } th { "Count" } } }
                tbody {
                    tr { th { a href="/x" { "=cmd|'<a>', \"b\"" } span.sub { "sub" } } (parts::duration(Some(7_150.0))) (parts::count(28_412)) }
                    tr { th { "-5" } (parts::trend(html! { svg { text { "12" } } }, Some(number::percent(0.5)))) td { span aria-hidden="true" { "↑" } span.sr { "up" } "3" } }
                }
            }
        };
        let csv = table(&page.into_string(), "Names & figures").unwrap();
        assert_eq!(
            csv,
            "Name,Avg,Count\r\n\"'=cmd|'<a>', \"\"b\"\" sub\",7.15 ms,28412\r\n-5,50 %,+3\r\n"
        );
        assert_eq!(table("<table><tr><td>1</td></tr></table>", "x"), None);
    }
}
