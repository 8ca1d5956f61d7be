//! Elastic's wildcard patterns: `*` stands for any run of characters, everything else for itself.
//!
//! A pattern covers the whole text. Case is ignored unless the pattern starts with `(?-i)`.
//! No pattern takes more than `len(text) × len(pattern)` steps, so hostile text cannot stall a request.

use std::fmt;

use super::list::items;

/// One pattern, such as `*token*` or `(?-i)/health`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WildcardMatcher {
    pattern: Box<str>,
    case_sensitive: bool,
    /// The literal pieces between the stars. One piece means that there is no star at all.
    pieces: Box<[Box<[char]>]>,
}

impl WildcardMatcher {
    pub(crate) fn new(pattern: &str) -> Self {
        let (case_sensitive, body) = if let Some(body) = pattern.strip_prefix("(?-i)") {
            (true, body)
        } else {
            (false, pattern.strip_prefix("(?i)").unwrap_or(pattern))
        };
        let pieces = body
            .split('*')
            .map(|piece| piece.chars().collect())
            .collect();
        Self {
            pattern: pattern.into(),
            case_sensitive,
            pieces,
        }
    }

    /// The pattern as it was configured.
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = &*self.pieces else {
            let [only] = &*self.pieces else { return false };
            return self.strip_prefix(text, only) == Some("");
        };
        let Some(mut rest) = self.strip_prefix(text, first) else {
            return false;
        };
        // The leftmost place for each piece leaves the most room for those that follow.
        for piece in middle {
            let Some(after) = self.find(rest, piece) else {
                return false;
            };
            rest = after;
        }
        self.ends_with(rest, last)
    }

    /// The text behind the first place where `piece` occurs in `text`.
    fn find<'t>(&self, text: &'t str, piece: &[char]) -> Option<&'t str> {
        let mut rest = text;
        loop {
            if let Some(after) = self.strip_prefix(rest, piece) {
                return Some(after);
            }
            let mut chars = rest.chars();
            chars.next()?;
            rest = chars.as_str();
        }
    }

    fn strip_prefix<'t>(&self, text: &'t str, piece: &[char]) -> Option<&'t str> {
        let mut chars = text.chars();
        piece
            .iter()
            .all(|&expected| chars.next().is_some_and(|found| self.same(expected, found)))
            .then_some(chars.as_str())
    }

    fn ends_with(&self, text: &str, piece: &[char]) -> bool {
        let mut chars = text.chars().rev();
        piece
            .iter()
            .rev()
            .all(|&expected| chars.next().is_some_and(|found| self.same(expected, found)))
    }

    /// Whether two patterns are equal but for the case of letters that does not count.
    fn is_same(&self, other: &Self) -> bool {
        let equal = |(ours, theirs): (&[char], &[char])| {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| self.same(*ours, *theirs))
        };
        let pairs = self.pieces.iter().zip(&other.pieces);
        self.case_sensitive == other.case_sensitive
            && self.pieces.len() == other.pieces.len()
            && pairs.map(|(ours, theirs)| (&**ours, &**theirs)).all(equal)
    }

    fn same(&self, expected: char, found: char) -> bool {
        expected == found
            || !self.case_sensitive
                && (expected.eq_ignore_ascii_case(&found)
                    || !(expected.is_ascii() && found.is_ascii())
                        && expected.to_lowercase().eq(found.to_lowercase()))
    }
}

impl fmt::Debug for WildcardMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WildcardMatcher({:?})", self.pattern)
    }
}

/// The patterns of one option, in the order in which they were configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WildcardList(Box<[WildcardMatcher]>);

impl WildcardList {
    /// Reads comma-separated patterns; blanks around them and empty ones are left out.
    pub(crate) fn parse(list: &str) -> Self {
        Self(items(list).map(WildcardMatcher::new).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// Whether each pattern of `other` is also one of these.
    pub(crate) fn holds_all_of(&self, other: &Self) -> bool {
        let mut wanted = other.0.iter();
        wanted.all(|wanted| self.0.iter().any(|ours| ours.is_same(wanted)))
    }

    /// The first pattern that covers `text`.
    pub(crate) fn find(&self, text: &str) -> Option<&WildcardMatcher> {
        self.0.iter().find(|matcher| matcher.matches(text))
    }
}

impl fmt::Display for WildcardList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, matcher) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(&matcher.pattern)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::fixtures;

    #[test]
    fn elastics_shared_cases_match_as_published() {
        type Groups = BTreeMap<String, BTreeMap<String, BTreeMap<String, bool>>>;
        let Some(groups) = fixtures::json::<Groups>("json-specs/wildcard_matcher_tests.json")
        else {
            return;
        };
        let mut assertions = 0;
        for (group, patterns) in groups {
            for (pattern, texts) in patterns {
                let matcher = WildcardMatcher::new(&pattern);
                for (text, expected) in texts {
                    assert_eq!(
                        matcher.matches(&text),
                        expected,
                        "{group}: {pattern:?} on {text:?}"
                    );
                    assertions += 1;
                }
            }
        }
        assert_eq!(assertions, 86);
    }

    #[test]
    fn a_list_keeps_its_order_and_forgets_blanks() {
        let list = WildcardList::parse(" /health* ,, (?-i)/Ready ,");
        assert_eq!(list.to_string(), "/health*, (?-i)/Ready");
        assert_eq!(
            list.find("/HEALTHZ").map(WildcardMatcher::pattern),
            Some("/health*")
        );
        assert!(list.matches("/Ready") && !list.matches("/ready"));
        assert!(WildcardList::parse("").is_empty());
    }

    #[test]
    fn letters_outside_ascii_fold_too() {
        assert!(WildcardMatcher::new("*GRÖSSE").matches("schuhgrösse"));
        assert!(!WildcardMatcher::new("(?-i)GRÖSSE").matches("grösse"));
    }

    #[test]
    fn a_hostile_pair_ends_in_bounded_time() {
        let text = "a".repeat(2_000);
        let started = std::time::Instant::now();
        assert!(!WildcardMatcher::new(&"*a".repeat(200)).matches(&format!("{text}b")));
        assert!(started.elapsed() < std::time::Duration::from_secs(2));
    }
}
