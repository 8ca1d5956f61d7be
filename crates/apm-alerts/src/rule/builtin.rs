//! The rules that come with the program. A service that is quiet or healthy triggers none of them.

use super::{Kind, Rule};

/// The rules that come with the program, one of each kind. A kept rule with the same id stands in its place.
#[must_use]
pub fn builtin() -> Vec<Rule> {
    Kind::ALL.into_iter().map(rule).collect()
}

fn rule(kind: Kind) -> Rule {
    let name = match kind {
        Kind::Insight => "A new insight",
        Kind::Error => "A new error",
        Kind::FailureRate => "Many requests fail",
        Kind::P95 => "Requests are slow",
        Kind::NoRequests => "Requests have stopped",
        Kind::Statement => "A statement got slower",
        Kind::Objective => "A budget burns fast",
        Kind::Disk => "The disk is almost full",
        Kind::OutputLag => "The output is behind",
    };
    Rule {
        id: format!("builtin-{}", kind.as_str()),
        name: name.to_owned(),
        ..Rule::new(kind)
    }
}
