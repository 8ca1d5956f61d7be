//! The change of error groups that a form asks for.

use crate::insight::triage::Change;

/// The choices of how long a group is ignored: the value of the form, its words, and the change.
const IGNORED: [(&str, &str, Change); 7] = [
    ("hour", "for one hour", ignore(Some(3_600), None, false)),
    ("day", "for one day", ignore(Some(86_400), None, false)),
    (
        "week",
        "for one week",
        ignore(Some(7 * 86_400), None, false),
    ),
    (
        "100",
        "until 100 more occurrences",
        ignore(None, Some(100), false),
    ),
    (
        "1000",
        "until 1,000 more occurrences",
        ignore(None, Some(1_000), false),
    ),
    (
        "version",
        "until it occurs in a new version",
        ignore(None, None, true),
    ),
    ("forever", "for good", ignore(None, None, false)),
];

const fn ignore(seconds: Option<i64>, occurrences: Option<i64>, in_next_version: bool) -> Change {
    Change::Ignore {
        seconds,
        occurrences,
        in_next_version,
    }
}

/// The choices of how long a group is ignored: their values and words.
pub(crate) fn ignored() -> impl Iterator<Item = (&'static str, &'static str)> {
    IGNORED.into_iter().map(|(value, words, _)| (value, words))
}

/// The change that a form asks for; nothing where there is no such action.
pub(crate) fn read_change(
    action: &str,
    form: &[(String, String)],
) -> Result<Option<Change>, String> {
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim().to_owned())
    };
    let needed = |name: &str| field(name).ok_or_else(|| format!("The form has no field {name}."));
    Ok(Some(match action {
        "resolve" => Change::Resolve {
            in_next_version: field("in").is_some_and(|when| when == "version"),
        },
        "ignore" => {
            let until = needed("until")?;
            let found = IGNORED.into_iter().find(|(value, ..)| *value == until);
            found.ok_or("Choose for how long the error is ignored.")?.2
        }
        "reopen" => Change::Reopen,
        "assign" => Change::Assign { to: needed("to")? },
        "merge" => Change::Merge {
            into: needed("into")?,
        },
        "separate" => Change::Separate {
            key: needed("key")?,
        },
        "undo" => Change::Undo {
            id: needed("id")?
                .parse()
                .map_err(|_| "The form names no change.".to_owned())?,
        },
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests;
