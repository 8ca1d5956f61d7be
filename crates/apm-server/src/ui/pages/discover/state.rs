//! The address of Discover besides the range: query, filters, columns, group, the open document.

use crate::analytics::chosen::Choice;
use crate::ui::href::Href;
use crate::ui::view::{View, quoted};

/// Filters and columns that an address may carry.
const MOST: usize = 20;

/// The state, read from the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// One condition each; all of them hold. In the address they are the lines of `filter`.
    pub(super) filters: Vec<String>,
    pub(super) columns: Vec<String>,
    pub(super) group: Option<String>,
    /// Number of the document that is open.
    pub(super) open: Option<i64>,
    /// Name of the field whose values are listed.
    pub(super) field: Option<String>,
}

impl State {
    pub(super) fn from_view(view: &View) -> Self {
        let list = |key: &str, separator: char| -> Vec<String> {
            view.param(key)
                .unwrap_or("")
                .split(separator)
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .take(MOST)
                .map(str::to_owned)
                .collect()
        };
        Self {
            filters: list("filter", '\n'),
            columns: list("cols", ','),
            group: view
                .param("group")
                .map(|field| field.trim().to_owned())
                .filter(|field| !field.is_empty()),
            open: view.param("open").and_then(|seq| seq.parse().ok()),
            field: view.param("field").map(str::to_owned),
        }
    }

    /// True if anything narrows the documents besides the range.
    pub(super) fn is_filtered(&self, view: &View) -> bool {
        !self.filters.is_empty() || !view.query().trim().is_empty()
    }

    /// Query, filters, service and environment as one text.
    pub(super) fn text(&self, view: &View) -> String {
        let one = [
            ("service.name", view.service()),
            ("service.environment", view.environment()),
        ];
        let one = one
            .into_iter()
            .filter_map(|(field, value)| Some(format!("{field}: {}", quoted(value?))));
        let several = view.chosen();
        let several = [
            ("service.name", &several.services),
            ("service.environment", &several.environments),
        ];
        let chosen = one.chain(
            several
                .into_iter()
                .filter_map(|(field, choice)| condition(field, choice)),
        );
        let query = Some(view.query().trim().to_owned()).filter(|query| !query.is_empty());
        let parts: Vec<String> = query
            .into_iter()
            .chain(self.filters.iter().cloned())
            .chain(chosen)
            .collect();
        match parts.as_slice() {
            [one] => one.clone(),
            parts => parts
                .iter()
                .map(|part| format!("({part})"))
                .collect::<Vec<_>>()
                .join(" and "),
        }
    }

    pub(super) fn without_filter(&self, view: &View, place: usize) -> Href {
        let kept: Vec<&str> = self
            .filters
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != place)
            .map(|(_, filter)| filter.as_str())
            .collect();
        view.at_first_row().set("filter", &kept.join("\n"))
    }

    /// The address with a column more, or one less.
    pub(super) fn toggle_column(&self, view: &View, name: &str) -> Href {
        let mut columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        match columns.iter().position(|column| *column == name) {
            Some(place) => drop(columns.remove(place)),
            None => columns.push(name),
        }
        view.here().set("cols", &columns.join(","))
    }

    /// The columns that are shown: those of the address, or the usual ones.
    pub(super) fn columns_or<'a>(&'a self, usual: &'a [&'a str]) -> Vec<&'a str> {
        match self.columns.is_empty() {
            true => usual.to_vec(),
            false => self.columns.iter().map(String::as_str).collect(),
        }
    }

    /// The address with a column that was chosen moved by one; nothing where it is at that end already.
    pub(super) fn move_column(&self, view: &View, name: &str, by: isize) -> Option<Href> {
        let mut columns = self.columns.clone();
        let place = columns.iter().position(|column| column == name)?;
        let other = place.checked_add_signed(by)?;
        if other >= columns.len() {
            return None;
        }
        columns.swap(place, other);
        Some(view.here().set("cols", &columns.join(",")))
    }
}

/// A choice of several names as it is typed.
fn condition(field: &str, choice: &Choice) -> Option<String> {
    let any = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        format!("{field}: ({})", names.join(" or "))
    };
    match choice {
        Choice::All => None,
        Choice::Only(names) => Some(any(names)),
        Choice::Without(names) => Some(format!("not {}", any(names))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_filters_and_environment_are_one_condition() {
        for (address, want) in [
            ("q=a:1", "a:1"),
            (
                "q=a:1+or+b:2&filter=c:3%0Anot+d:4",
                "(a:1 or b:2) and (c:3) and (not d:4)",
            ),
            ("env=dev", "service.environment: \"dev\""),
            (
                "service=a&service=b&not_env=dev&q=x:1",
                "(x:1) and (service.name: (\"a\" or \"b\")) and (not service.environment: (\"dev\"))",
            ),
            ("", ""),
        ] {
            let view = View::test("/discover", address);
            let state = State::from_view(&view);
            assert_eq!(state.text(&view), want, "{address}");
        }
    }

    #[test]
    fn filters_and_columns_come_and_go() {
        let view = View::test("/discover", "filter=a:1%0Ab:2&cols=x,y&after=1,2");
        let state = State::from_view(&view);
        assert_eq!(
            state.without_filter(&view, 0).to_string(),
            "/discover?filter=b:2&cols=x,y"
        );
        assert_eq!(
            state.toggle_column(&view, "x").to_string(),
            "/discover?filter=a:1%0Ab:2&cols=y&after=1,2"
        );
        assert_eq!(
            state.toggle_column(&view, "z").to_string(),
            "/discover?filter=a:1%0Ab:2&cols=x,y,z&after=1,2"
        );
        let moved = |name, by| {
            let href = state.move_column(&view, name, by);
            href.map(|href| href.to_string())
        };
        let turned = "/discover?filter=a:1%0Ab:2&cols=y,x&after=1,2";
        assert_eq!(moved("x", 1).as_deref(), Some(turned));
        assert_eq!(moved("y", -1).as_deref(), Some(turned));
        assert_eq!(
            (moved("x", -1), moved("y", 1), moved("z", 1)),
            (None, None, None)
        );
    }
}
