//! Meanings of the steps of PostgreSQL and MariaDB, as the agent writes them (docs/sql-cost.md).

use super::{Kind, Meaning, columns};

/// Ways of MariaDB to find some rows.
const FOUND: [&str; 8] = [
    "const",
    "eq_ref",
    "ref",
    "ref_or_null",
    "range",
    "fulltext",
    "index_merge",
    "system",
];

pub(super) fn meaning(detail: &str) -> Option<Meaning> {
    postgresql(detail).or_else(|| mariadb(detail))
}

/// `Index Scan using people_city on people p (Index Cond: (city = $1))`
fn postgresql(detail: &str) -> Option<Meaning> {
    let (head, terms) = detail.split_once(" (").unwrap_or((detail, ""));
    let head = head.strip_prefix("Parallel ").unwrap_or(head);
    let finds = terms.contains("Index Cond: ");
    match head {
        "Sort" | "Incremental Sort" => return said(Kind::TempBTree, "It sorts."),
        "HashAggregate" | "MixedAggregate" => {
            return said(Kind::TempBTree, "It groups in a table of hashes.");
        }
        _ => {}
    }
    if let Some(index) = head.strip_prefix("Bitmap Index Scan on ") {
        let words = format!("It marks the rows that the index {index} has for its condition.");
        return Some(access(Kind::Search, None, Some(index), words));
    }
    if let Some(name) = head.strip_prefix("Bitmap Heap Scan on ") {
        let table = last(name);
        let words = format!("It reads the rows of {table} that were marked.");
        return Some(access(Kind::Other, Some(table), None, words));
    }
    if let Some(name) = head.strip_prefix("Seq Scan on ") {
        let table = last(name);
        let words = format!("It reads every row of {table}.");
        return Some(access(Kind::FullScan, Some(table), None, words));
    }
    let (covers, rest) = match head.strip_prefix("Index Only Scan using ") {
        Some(rest) => (true, rest),
        None => (false, head.strip_prefix("Index Scan using ")?),
    };
    let (index, name) = rest.split_once(" on ")?;
    Some(by_index(finds, covers, last(name), index, "its condition"))
}

/// `ref people using people_city (city), covering`
fn mariadb(detail: &str) -> Option<Meaning> {
    match detail {
        "filesort" => return said(Kind::TempBTree, "It sorts."),
        "temporary table" => {
            return said(Kind::TempBTree, "It keeps rows in a temporary table.");
        }
        _ => {}
    }
    let (way, rest) = detail.split_once(' ')?;
    let (table, index) = match rest.split_once(" using ") {
        Some((table, index)) => (table, Some(index)),
        None => (rest, None),
    };
    if way == "ALL" && index.is_none() {
        let words = format!("It reads every row of {table}.");
        return Some(access(Kind::FullScan, Some(table), None, words));
    }
    let finds = FOUND.contains(&way);
    if !finds && way != "index" {
        return None;
    }
    let how = index?;
    let name = how.split([' ', ',']).next().unwrap_or(how);
    let terms = how
        .split_once('(')
        .and_then(|(_, rest)| rest.split(')').next());
    let by = columns(&terms.unwrap_or_default().replace(", ", " AND "));
    Some(by_index(
        finds,
        how.ends_with(", covering"),
        table,
        name,
        &by,
    ))
}

fn by_index(finds: bool, covers: bool, table: &str, index: &str, by: &str) -> Meaning {
    let (kind, words) = match (finds, covers) {
        (true, true) => (
            Kind::CoveringSearch,
            format!("It finds entries of the index {index} by {by}, and needs no row of {table}."),
        ),
        (true, false) => (
            Kind::Search,
            format!("It finds rows of {table} by the index {index} on {by}."),
        ),
        (false, true) => (
            Kind::CoveringScan,
            format!(
                "It reads every entry of the index {index}, which has all it needs, and no row of {table}."
            ),
        ),
        (false, false) => (
            Kind::IndexScan,
            format!("It reads every row of {table}, in the order of the index {index}."),
        ),
    };
    access(kind, Some(table), Some(index), words)
}

fn access(kind: Kind, table: Option<&str>, index: Option<&str>, words: String) -> Meaning {
    Meaning {
        kind,
        table: table.map(str::to_owned),
        index: index.map(str::to_owned),
        words,
    }
}

fn said(kind: Kind, words: &str) -> Option<Meaning> {
    Some(access(kind, None, None, words.to_owned()))
}

/// The alias, where there is one.
fn last(name: &str) -> &str {
    name.rsplit(' ').next().unwrap_or(name)
}

#[cfg(test)]
mod tests;
