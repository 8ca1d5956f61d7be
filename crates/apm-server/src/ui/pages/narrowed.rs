//! The words for what narrows a page: a search, a filter, durations, environments. All headlines take them from here,
//! so that none says that nothing was recorded where only nothing matches.

use crate::analytics::chosen::Choice;
use crate::ui::number::duration;
use crate::ui::view::View;
use crate::ui::words;

/// Characters of a name, or of what is searched for, in a sentence.
const NAME: usize = 60;

/// The environments and the time of a page: `in the environment prod in the last 15 minutes`.
pub(crate) fn within(view: &View) -> String {
    let range = words::range(view);
    match environments(&view.environments) {
        Some(environments) => format!("in {environments} {range}"),
        None => range,
    }
}

/// Words for a choice of environments; nothing where all are chosen.
fn environments(choice: &Choice) -> Option<String> {
    let several = |names: &[String]| match names {
        [one] => words::cut(one, NAME),
        names => words::count(names.len() as u64, "environment", "environments"),
    };
    match choice {
        Choice::All => None,
        Choice::Only(names) if names.is_empty() => Some("no environment".to_owned()),
        Choice::Only(names) if names.len() == 1 => {
            Some(format!("the environment {}", several(names)))
        }
        Choice::Only(names) => Some(several(names)),
        Choice::Without(names) => Some(format!("all environments but {}", several(names))),
    }
}

/// True if a filter decides what the page counts.
pub(crate) fn is_filtered(view: &View) -> bool {
    view.asked.expr.is_some()
}

/// The words behind a noun in the plural that tell of the filter: ` that match the filter`; nothing without one.
pub(crate) fn that_match(view: &View) -> &'static str {
    if is_filtered(view) {
        " that match the filter"
    } else {
        ""
    }
}

/// The same behind a noun that is counted: ` that matches the filter` behind `1 trace`.
pub(crate) fn that_matches(view: &View, n: u64) -> &'static str {
    match that_match(view) {
        "" => "",
        _ if n == 1 => " that matches the filter",
        many => many,
    }
}

/// A selection of durations, µs, as the verb of a sentence: `took at least 15.0 ms`; nothing without one.
pub(crate) fn took((least, most): (Option<i64>, Option<i64>)) -> Option<String> {
    let length = |us: i64| duration(us as f64).to_string();
    Some(match (least, most) {
        (None, None) => return None,
        (Some(least), None) => format!("took at least {}", length(least)),
        (None, Some(most)) => format!("took less than {}", length(most)),
        (Some(least), Some(most)) => {
            format!(
                "took at least {} and less than {}",
                length(least),
                length(most)
            )
        }
    })
}

/// The headline of a page without a row, and its reason. `what` is one of its rows, such as `request to shop`;
/// `otherwise` and `why` are the words where neither a search nor a filter leaves some out.
pub(crate) fn none(view: &View, what: &str, otherwise: &str, why: &str) -> (String, String) {
    if let Some(said) = not_found(view, what) {
        return said;
    }
    if is_filtered(view) {
        return (
            format!("No {what} matches the filter {}.", within(view)),
            "There may be others: remove the filter to see them.".to_owned(),
        );
    }
    (format!("{otherwise} {}.", within(view)), why.to_owned())
}

/// The headline of a list of which a search leaves no `what`: nothing was found, which does not mean that nothing was
/// sent.
pub(crate) fn not_found(view: &View, what: &str) -> Option<(String, String)> {
    let search = words::cut(view.param("search")?, NAME);
    let place = match what.split(' ').next() {
        Some("statement") => "text",
        _ => "name",
    };
    Some((
        format!("No {what} has “{search}” in its {place} {}.", within(view)),
        "There may be others: clear the search to see them.".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_a_row_says_what_leaves_none() {
        for (query, want) in [
            ("", "No trace began in the last 15 minutes."),
            (
                "env=prod",
                "No trace began in the environment prod in the last 15 minutes.",
            ),
            (
                "env=a&env=b",
                "No trace began in 2 environments in the last 15 minutes.",
            ),
            (
                "not_env=a",
                "No trace began in all environments but a in the last 15 minutes.",
            ),
            (
                "q=a:1",
                "No trace matches the filter in the last 15 minutes.",
            ),
            (
                "q=a:1&env=prod",
                "No trace matches the filter in the environment prod in the last 15 minutes.",
            ),
            (
                "q=a:1&search=x",
                "No trace has “x” in its name in the last 15 minutes.",
            ),
        ] {
            let view = View::test("/traces", query);
            let (answer, why) = none(&view, "trace", "No trace began", "Because.");
            assert_eq!(answer, want, "{query}");
            let is_plain = view.param("search").is_none() && !is_filtered(&view);
            assert_eq!(why == "Because.", is_plain, "{query}: {why}");
        }
    }

    #[test]
    fn a_selection_of_durations_is_a_verb() {
        let said =
            |durations| took(durations).map(|said| said.replace(crate::ui::number::NARROW, " "));
        assert_eq!(said((None, None)), None);
        for (durations, want) in [
            ((Some(15_000), None), "took at least 15.0 ms"),
            ((None, Some(15_000)), "took less than 15.0 ms"),
            (
                (Some(1_000), Some(15_000)),
                "took at least 1.00 ms and less than 15.0 ms",
            ),
        ] {
            assert_eq!(said(durations).unwrap(), want);
        }
    }
}
