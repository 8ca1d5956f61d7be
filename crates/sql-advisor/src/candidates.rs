//! Indexes that might help a statement. A candidate is only tried: SQLite decides what it is worth.

use crate::schema::{Schema, Table, quote};
use crate::statement::{Reading, Term, Use};

/// Columns of an index that serves reading; more make writing dear.
const WIDEST: usize = 5;

/// Longest name of an index.
const LONGEST_NAME: usize = 60;

/// An index that might help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) table: String,
    pub(crate) terms: Vec<Term>,
    /// The condition of a partial index.
    pub(crate) condition: Option<String>,
}

impl Candidate {
    /// `people_city`, or with a number if that name is taken.
    pub(crate) fn name(&self, is_free: impl Fn(&str) -> bool) -> String {
        let mut words = vec![self.table.clone()];
        words.extend(self.terms.iter().map(|term| term.text.clone()));
        words.extend(self.condition.clone());
        let words: Vec<String> = words
            .iter()
            .flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let mut name = words.join("_");
        // Only ASCII is left, so that no character is split.
        name.truncate(LONGEST_NAME);
        if is_free(&name) {
            return name;
        }
        (2..)
            .map(|number| format!("{name}_{number}"))
            .find(|name| is_free(name))
            .unwrap_or(name)
    }

    /// `CREATE INDEX people_city ON people (city)`
    pub(crate) fn statement(&self, name: &str) -> String {
        let terms: Vec<String> = self
            .terms
            .iter()
            .map(|term| match term.descending {
                true => format!("{} DESC", term.text),
                false => term.text.clone(),
            })
            .collect();
        let condition = self
            .condition
            .as_ref()
            .map_or_else(String::new, |condition| format!(" WHERE {condition}"));
        format!(
            "CREATE INDEX {} ON {} ({}){condition}",
            quote(name),
            quote(&self.table),
            terms.join(", ")
        )
    }

    /// Whether an index of the table begins with the same columns.
    fn exists(&self, table: &Table) -> bool {
        self.condition.is_none()
            && table.indexes.iter().any(|index| {
                !index.is_partial
                    && index.columns.len() >= self.terms.len()
                    && self.terms.iter().zip(&index.columns).all(|(term, column)| {
                        // The schema as it was read does not say which columns of an index descend.
                        !term.descending
                            && column
                                .as_ref()
                                .is_some_and(|column| quote(column) == term.text)
                    })
            })
    }
}

/// Candidates for a statement, the simplest first.
pub(crate) fn candidates(reading: &Reading, schema: &Schema) -> Vec<Candidate> {
    let mut found = Found {
        schema,
        list: Vec::new(),
    };
    for used in &reading.uses {
        if let Some(table) = schema.table(&used.table)
            && table.view.is_none()
            && !table.is_virtual
        {
            found.look_at(used, table);
        }
    }
    found.list
}

struct Found<'s> {
    schema: &'s Schema,
    list: Vec<Candidate>,
}

impl Found<'_> {
    fn look_at(&mut self, used: &Use, table: &Table) {
        let rowid = table.rowid.as_deref().map_or("rowid".to_owned(), quote);
        if used.by_key && used.equal.iter().any(|term| term.text == rowid) {
            // One row, or a few, by the key: no index does that better.
            return;
        }
        let plain = |terms: &[Term]| -> Vec<Term> {
            terms
                .iter()
                .filter(|term| term.text != rowid)
                .cloned()
                .collect()
        };
        let (equal, range) = (plain(&used.equal), plain(&used.range));
        let (group, order) = (plain(&used.group), plain(&used.order));
        // Behind a first range an index narrows nothing any more.
        let first = &range[..range.len().min(1)];
        let mut bases: Vec<Vec<Term>> = vec![equal.clone()];
        // Within equal values of its first columns an index is sorted by the next one, which serves one of these.
        for tail in [&order[..], &group[..], first] {
            if !tail.is_empty() {
                bases.push([&equal[..], tail].concat());
            }
        }
        // Behind a range the order is lost, but the index alone may have all columns that are compared.
        if !first.is_empty() && !order.is_empty() {
            bases.push([&equal[..], first, &order[..]].concat());
        }
        // One column each: the simplest indexes, and those that pairs are made of.
        bases.extend(equal.iter().chain(&range).map(|term| vec![term.clone()]));
        bases.extend([group.clone(), order.clone()]);
        bases.extend(used.either.iter().map(|term| vec![term.clone()]));
        for base in &bases {
            self.push(table, base, None);
        }
        self.partial(used, table, [&equal, &range, &group, &order]);
        self.covering(used, table, &bases);
    }

    /// Indexes with only the rows that a constant condition leaves.
    fn partial(&mut self, used: &Use, table: &Table, [equal, range, group, order]: [&[Term]; 4]) {
        let mut conditions: Vec<String> = used.constant.iter().take(2).cloned().collect();
        if used.constant.len() == 2 {
            conditions.push(used.constant.join(" AND "));
        }
        for condition in conditions {
            // The condition has decided already what the index would compare.
            let is_left = |term: &&Term| {
                !condition
                    .split(" AND ")
                    .any(|part| begins(part, &term.text))
            };
            let left =
                |terms: &[Term]| -> Vec<Term> { terms.iter().filter(is_left).cloned().collect() };
            let (equal, range) = (left(equal), left(range));
            let (group, order) = (left(group), left(order));
            let tails = [&order, &group, &range];
            let mut bases: Vec<Vec<Term>> = tails
                .iter()
                .filter(|tail| !tail.is_empty())
                .map(|tail| [&equal[..], tail].concat())
                .collect();
            bases.push(equal);
            if bases.iter().all(Vec::is_empty) {
                // The condition is all there is.
                let own = used
                    .equal
                    .iter()
                    .chain(&used.range)
                    .find(|term| begins(&condition, &term.text));
                bases.extend(own.map(|term| vec![term.clone()]));
            }
            for base in bases {
                self.push(table, &base, Some(&condition));
            }
        }
    }

    /// Indexes that hold every column which the statement reads, so that the table is not looked at.
    fn covering(&mut self, used: &Use, table: &Table, bases: &[Vec<Term>]) {
        // An index of all columns would be the table once more.
        if used.columns.len() >= table.columns.len() {
            return;
        }
        for base in bases.iter().filter(|base| !base.is_empty()) {
            let mut terms = base.clone();
            for column in &used.columns {
                // Every index holds the rowid anyway.
                if !terms.iter().any(|term| term.text == *column)
                    && table.rowid.as_deref().map(quote).as_ref() != Some(column)
                {
                    terms.push(Term {
                        text: column.clone(),
                        descending: false,
                    });
                }
            }
            if terms.len() > base.len() && terms.len() <= WIDEST {
                self.push(table, &terms, None);
            }
        }
    }

    fn push(&mut self, table: &Table, terms: &[Term], condition: Option<&str>) {
        let mut own: Vec<Term> = Vec::new();
        for term in terms {
            if !own.iter().any(|known| known.text == term.text) {
                own.push(term.clone());
            }
        }
        own.truncate(WIDEST);
        let candidate = Candidate {
            table: table.name.clone(),
            terms: own,
            condition: condition.map(str::to_owned),
        };
        let known = self
            .schema
            .table(&table.name)
            .is_some_and(|table| candidate.exists(table));
        if !candidate.terms.is_empty() && !known && !self.list.contains(&candidate) {
            self.list.push(candidate);
        }
    }
}

/// Whether a condition is about a term: `status = 'open'` is about `status`.
fn begins(condition: &str, term: &str) -> bool {
    condition
        .strip_prefix(term)
        .is_some_and(|rest| rest.starts_with([' ', ')']))
}
