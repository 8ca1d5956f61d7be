//! The statement that a query will be, told from its type before it runs.
//!
//! Diesel writes a query's text anew each time it is asked, which costs more than all else that the agent does for a
//! query. SQLite has the text once the query has run. Only a query that never ends is left without: its values could
//! not be bound, and neither Diesel nor SQLite tell of it. Of most types all queries have the same text, so for these
//! the text of an earlier one is at hand. A type whose texts differ (boxed queries, lists of values), or which the
//! service writes itself (`sql_query`), is written by Diesel each time.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use diesel::connection::DebugQuery;

use super::fold::{Folding, fold};
use super::statement::Statement;

/// Types that are remembered. A program has as many as its source has queries; beyond that, texts are written each
/// time.
const MOST: usize = 1024;

/// The type of a query, as far as it can be told: two types may share a number, which shows when their texts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct QueryType(usize);

impl QueryType {
    /// `None` where it cannot be told.
    pub(super) fn detect(query: &dyn DebugQuery) -> Option<Self> {
        // A wide pointer is hashed as two words: where the query is, and the table of its type's methods.
        let mut words = Words::default();
        std::ptr::hash(query, &mut words);
        (words.seen == 2).then_some(Self(words.last))
    }
}

/// Keeps the last word that is hashed.
#[derive(Default)]
struct Words {
    last: usize,
    seen: u32,
}

impl Hasher for Words {
    fn write(&mut self, _: &[u8]) {
        // Not the two words that are expected.
        self.seen = u32::MAX / 2;
    }

    fn write_usize(&mut self, word: usize) {
        self.last = word;
        self.seen += 1;
    }

    fn finish(&self) -> u64 {
        self.last as u64
    }
}

/// The types that a connection has seen.
#[derive(Debug, Default)]
pub(super) struct QueryTypes {
    all: HashMap<QueryType, Text, BuildHasherDefault<Folding>>,
    /// Those of which a query was met last, each in the place that its number gives it.
    recent: [Option<(QueryType, Arc<Statement>)>; RECENT],
}

/// Places for types that are met often: a power of two.
const RECENT: usize = 8;

/// The text that the queries of a type have.
#[derive(Debug)]
enum Text {
    /// Diesel keeps their prepared statements. Those that it does not keep are texts of the service's own
    /// (`sql_query`).
    Kept,
    /// All had this one.
    Same(Arc<Statement>),
    Various,
}

impl QueryType {
    /// Its place among those that are met often. Types are numbered by addresses.
    fn place(self) -> usize {
        (fold(0, self.0 as u64) as usize) % RECENT
    }
}

impl QueryTypes {
    /// The text that queries of a type have had so far, if it was always the same.
    #[inline]
    pub(super) fn get(&mut self, of: QueryType) -> Option<&Arc<Statement>> {
        let recent = &mut self.recent[of.place()];
        if recent.as_ref().is_none_or(|(known, _)| *known != of) {
            match self.all.get(&of)? {
                Text::Same(statement) => *recent = Some((of, Arc::clone(statement))),
                Text::Kept | Text::Various => return None,
            }
        }
        recent.as_ref().map(|(_, statement)| statement)
    }

    /// Diesel keeps the prepared statement of a query of a type.
    pub(super) fn is_kept(&mut self, of: QueryType) {
        if self.all.len() < MOST {
            self.all.entry(of).or_insert(Text::Kept);
        }
    }

    /// A query of a type has had this text.
    pub(super) fn learn(&mut self, of: QueryType, statement: &Arc<Statement>) {
        let Some(text) = self.all.get_mut(&of) else {
            return;
        };
        match text {
            Text::Kept if statement.is_short() => *text = Text::Same(Arc::clone(statement)),
            Text::Same(known) if Arc::ptr_eq(known, statement) => {}
            Text::Same(known) if known.has_text_of(statement) => {}
            Text::Kept | Text::Same(_) | Text::Various => {
                *text = Text::Various;
                self.recent[of.place()].take_if(|(known, _)| *known == of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::diesel::statement::tests::statements;

    #[test]
    fn each_type_is_expected_to_have_its_own_text_until_it_has_another() {
        let (mut statements, mut types) = (statements(), QueryTypes::default());
        let text = |number: usize| format!("SELECT * FROM table_{number}");
        // More of them than there are places for those that are met often.
        let all: Vec<_> = (0..5 * RECENT)
            .map(|number| (QueryType(16 * number), statements.get(&text(number))))
            .collect();
        for (of, statement) in &all {
            types.learn(*of, statement);
            assert!(
                types.get(*of).is_none(),
                "of a type that Diesel does not keep"
            );
            types.is_kept(*of);
            assert!(types.get(*of).is_none(), "before it was met");
            types.learn(*of, statement);
        }
        for (of, statement) in all.iter().chain(&all) {
            let expected = types.get(*of).unwrap();
            assert!(Arc::ptr_eq(expected, statement));
        }
        let another = statements.get("SELECT 2");
        for (of, _) in &all {
            assert!(types.get(*of).is_some());
            types.learn(*of, &another);
            assert!(types.get(*of).is_none());
        }
    }
}
