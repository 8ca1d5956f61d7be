//! Finding items of a trace: by their words, by how long they took, by how they ended.

use apm_store::id::StoredId;

use super::Trace;
use super::item::Item;

/// Letters of a search that are looked at.
const MOST_LETTERS: usize = 200;

/// A search in a trace.
#[derive(Debug, Clone, PartialEq)]
pub enum Find {
    /// Letters in the name, the service, or what it calls, in either case; or a whole id.
    Words(String, StoredId),
    /// More than this long, µs.
    Longer(f64),
    /// Items that failed, or have an error.
    Failed,
}

impl Find {
    /// Reads `select`, `> 5 ms` or `is:failed`; nothing where nothing is asked for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().take(MOST_LETTERS).collect();
        if text.is_empty() {
            return None;
        }
        if text.eq_ignore_ascii_case("is:failed") {
            return Some(Self::Failed);
        }
        if let Some(longer) = longer(&text) {
            return Some(Self::Longer(longer));
        }
        let words = text.to_lowercase();
        let id = StoredId::from(words.as_str());
        Some(Self::Words(words, id))
    }

    /// The indexes of the items that match, in the order of the lines.
    #[must_use]
    pub fn all(&self, trace: &Trace) -> Vec<u32> {
        // Whether each of the different names has the words: there are fewer of them than items.
        let mut known: Vec<Option<bool>> = vec![None; trace.whats];
        let mut found: Vec<u32> = (0..trace.items.len() as u32)
            .filter(|index| self.matches(trace, *index, &mut known))
            .collect();
        found.sort_by_key(|index| trace.lines.of_item[*index as usize]);
        found
    }

    fn matches(&self, trace: &Trace, index: u32, known: &mut [Option<bool>]) -> bool {
        let item = &trace.items[index as usize];
        match self {
            Self::Words(words, id) => {
                item.id == *id
                    || *known[item.what.number as usize].get_or_insert_with(|| has(item, words))
            }
            Self::Longer(us) => item.duration as f64 > *us,
            Self::Failed => item.failed() || trace.errors_of.contains_key(&index),
        }
    }
}

fn has(item: &Item, words: &str) -> bool {
    let what = &item.what;
    let name = match &*what.name {
        "" => "(no name)",
        name => name,
    };
    [name, &what.service, &what.destination]
        .iter()
        .any(|text| text.to_lowercase().contains(words))
}

/// `> 5 ms`, in µs. A number without a unit is milliseconds.
fn longer(text: &str) -> Option<f64> {
    let text = text.strip_prefix('>')?.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = match text[end..].trim() {
        "µs" | "μs" | "us" => 1.0,
        "" | "ms" => 1e3,
        "s" => 1e6,
        "min" | "m" => 6e7,
        "h" => 3.6e9,
        _ => return None,
    };
    Some(number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_for_words_or_for_a_time() {
        for (text, want) in [
            ("> 5 ms", Find::Longer(5e3)),
            (">5", Find::Longer(5e3)),
            (">1.5s", Find::Longer(1.5e6)),
            ("> 7 µs", Find::Longer(7.0)),
            ("> 2 h", Find::Longer(7.2e9)),
            ("IS:failed", Find::Failed),
        ] {
            assert_eq!(Find::parse(text), Some(want), "{text}");
        }
        for text in ["> x", ">", "> 5 apples", "Select", "a > 5"] {
            let found = Find::parse(text).unwrap();
            assert!(
                matches!(&found, Find::Words(words, _) if *words == text.to_lowercase()),
                "{text}: {found:?}"
            );
        }
        assert_eq!(Find::parse("  "), None);
    }
}
