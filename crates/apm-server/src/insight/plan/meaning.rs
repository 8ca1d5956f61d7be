//! Meanings of the lines of EXPLAIN QUERY PLAN (<https://sqlite.org/eqp.html>).

mod servers;

use schemars::JsonSchema;
use serde::Serialize;

/// Kinds of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, JsonSchema, Serialize)]
#[schemars(rename = "PlanStepKind")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Every row of a table.
    FullScan,
    /// Every entry of an index, and the row of each.
    IndexScan,
    /// Every entry of an index that has all that is needed.
    CoveringScan,
    /// Some rows, found by an index or the key.
    Search,
    /// Some entries of an index that has all that is needed.
    CoveringSearch,
    /// An index made for this one statement and thrown away.
    AutomaticIndex,
    /// Sorting or grouping in a B-tree of its own.
    TempBTree,
    /// A subquery that is run for each row.
    CorrelatedSubquery,
    /// A subquery that is run once.
    Subquery,
    /// Several parts put together.
    Compound,
    /// Anything else.
    Other,
}

impl Kind {
    /// Weight in the comparison of plans.
    pub(super) fn cost(self) -> u32 {
        match self {
            Self::FullScan => 8,
            Self::IndexScan | Self::AutomaticIndex => 7,
            Self::TempBTree | Self::CorrelatedSubquery => 6,
            Self::CoveringScan => 4,
            Self::Search | Self::CoveringSearch | Self::Subquery | Self::Compound => 1,
            Self::Other => 0,
        }
    }
}

/// The meaning of a step.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Meaning {
    /// Its kind.
    pub kind: Kind,
    /// The table, by the name or alias that the statement uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// A sentence.
    pub words: String,
}

impl Meaning {
    /// Reads a line. One that is not known is shown as it is.
    #[must_use]
    pub fn parse(detail: &str) -> Self {
        let detail = detail.trim();
        access(detail)
            .or_else(|| other(detail))
            .or_else(|| servers::meaning(detail))
            .unwrap_or_else(|| Self {
                kind: Kind::Other,
                table: None,
                index: None,
                words: format!("{detail}."),
            })
    }
}

/// `SCAN t …` and `SEARCH t …`.
fn access(detail: &str) -> Option<Meaning> {
    let (is_scan, rest) = match detail.split_once(' ')? {
        ("SCAN", rest) => (true, rest),
        ("SEARCH", rest) => (false, rest),
        _ => return None,
    };
    // Before SQLite 3.36 the word TABLE stood here.
    let rest = rest.strip_prefix("TABLE ").unwrap_or(rest);
    if rest == "CONSTANT ROW" {
        return None;
    }
    let (name, how) = match rest
        .find(" USING ")
        .or_else(|| rest.find(" VIRTUAL TABLE "))
    {
        Some(at) => (&rest[..at], rest[at..].trim_start()),
        None => (rest, ""),
    };
    // Before SQLite 3.36 the alias stood behind AS. A statement knows its table by the alias.
    let table = name.split(" AS ").last().unwrap_or(name).trim();
    let how = how.strip_prefix("USING ").unwrap_or(how);
    // The columns in parentheses: `(city=? AND age>?)`.
    let terms = how
        .find('(')
        .map_or("", |at| how[at..].split(')').next().unwrap_or(""));
    let by = terms.trim_start_matches('(');
    // Automatic indexes are thrown away, and those of virtual tables are numbers: neither has a name to show.
    let index = how
        .split_once("INDEX ")
        .map(|(_, rest)| rest.split([' ', '(']).next().unwrap_or(""))
        .filter(|index| {
            !index.is_empty() && !how.contains("AUTOMATIC") && !how.starts_with("VIRTUAL")
        });
    let (kind, words) = if how.contains("AUTOMATIC") {
        (
            Kind::AutomaticIndex,
            format!(
                "It makes an index on {table} ({}) for this one statement and throws it away.",
                columns(by)
            ),
        )
    } else if how.starts_with("VIRTUAL TABLE") {
        (Kind::Search, format!("It asks the virtual table {table}."))
    } else if let Some(index) = index {
        match (is_scan, how.contains("COVERING")) {
            (true, true) => (
                Kind::CoveringScan,
                format!(
                    "It reads every entry of the index {index}, which has all it needs, and no row of {table}."
                ),
            ),
            (true, false) => (
                Kind::IndexScan,
                format!("It reads every row of {table}, in the order of the index {index}."),
            ),
            (false, true) => (
                Kind::CoveringSearch,
                format!(
                    "It finds entries of the index {index} by {}, and needs no row of {table}.",
                    columns(by)
                ),
            ),
            (false, false) => (
                Kind::Search,
                format!(
                    "It finds rows of {table} by the index {index} on {}.",
                    columns(by)
                ),
            ),
        }
    } else if is_scan {
        (Kind::FullScan, format!("It reads every row of {table}."))
    } else {
        (
            Kind::Search,
            format!("It finds rows of {table} by its key."),
        )
    };
    Some(Meaning {
        kind,
        table: Some(table.to_owned()),
        index: index.map(str::to_owned),
        words,
    })
}

/// `city=? AND age>?` → `city, age`.
fn columns(terms: &str) -> String {
    let names: Vec<&str> = terms
        .split(" AND ")
        .map(|term| term.split(['=', '<', '>']).next().unwrap_or("").trim())
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        "its columns".to_owned()
    } else {
        names.join(", ")
    }
}

fn other(detail: &str) -> Option<Meaning> {
    let said = |kind, words: String| {
        Some(Meaning {
            kind,
            table: None,
            index: None,
            words,
        })
    };
    if let Some(what) = detail.strip_prefix("USE TEMP B-TREE FOR ") {
        return said(
            Kind::TempBTree,
            format!("It sorts for {what} in a temporary B-tree."),
        );
    }
    if detail.contains("USING TEMP B-TREE") {
        return said(
            Kind::TempBTree,
            "It keeps the rows of the parts in a temporary B-tree to drop doubles.".to_owned(),
        );
    }
    if detail.starts_with("CORRELATED ") {
        return said(
            Kind::CorrelatedSubquery,
            "It runs a subquery again for each row.".to_owned(),
        );
    }
    for prefix in ["SCALAR SUBQUERY", "LIST SUBQUERY", "REUSE "] {
        if detail.starts_with(prefix) {
            return said(Kind::Subquery, "It runs a subquery once.".to_owned());
        }
    }
    if let Some(name) = detail.strip_prefix("MATERIALIZE ") {
        return said(
            Kind::Subquery,
            format!("It works out {name} once and keeps its rows."),
        );
    }
    if let Some(name) = detail.strip_prefix("CO-ROUTINE ") {
        return said(
            Kind::Subquery,
            format!("It works out {name} row by row, as they are needed."),
        );
    }
    if let Some(filter) = detail.strip_prefix("BLOOM FILTER ON ") {
        return said(
            Kind::Other,
            format!("It skips rows early with a Bloom filter on {filter}."),
        );
    }
    match detail {
        "MULTI-INDEX OR" => said(
            Kind::Compound,
            "It asks an index for each part of the OR.".to_owned(),
        ),
        "COMPOUND QUERY" => said(
            Kind::Compound,
            "It runs several queries and puts their rows together.".to_owned(),
        ),
        "LEFT-MOST SUBQUERY" => said(Kind::Compound, "First part.".to_owned()),
        "UNION ALL" => said(
            Kind::Compound,
            "The rows of the next part follow.".to_owned(),
        ),
        "SETUP" => said(Kind::Compound, "First step of the recursion.".to_owned()),
        "RECURSIVE STEP" => said(
            Kind::Compound,
            "Each further step of the recursion.".to_owned(),
        ),
        "SCAN CONSTANT ROW" => said(Kind::Other, "It needs no table.".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
