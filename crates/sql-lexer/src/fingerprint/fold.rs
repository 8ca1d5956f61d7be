//! Folding of lists and rows of a normalised statement that hold nothing but values.

/// Folds a list: `(1, 2)` and `($1::int)` both become `(?…)`, `(lower('a'), lower('b'))` becomes
/// `(lower(?)…)`. Nothing where it is no list of values.
pub(super) fn folded(list: &str, open: char, close: char) -> Option<String> {
    let inner = list.strip_prefix(open)?;
    fold(inner.strip_suffix(close).unwrap_or(inner)).map(|left| format!("{open}{left}{close}"))
}

/// The same of a list that ends where an agent has cut the text: its last item may not be whole.
pub(super) fn folded_cut(list: &str, open: char, close: char) -> Option<String> {
    let inner = list.strip_prefix(open)?.trim_end_matches([',', ' ']);
    let left = fold(inner).or_else(|| {
        let last = items(inner).last()?;
        let whole = inner[..inner.len() - last.len()].trim_end_matches([',', ' ']);
        fold(whole)
    });
    left.map(|left| format!("{open}{left}{close}"))
}

fn fold(inner: &str) -> Option<String> {
    if is_values(inner) {
        return Some("?…".to_owned());
    }
    // A list without a value is one of names, and a subquery is no list at all.
    if !inner.contains('?') || is_query(inner) {
        return None;
    }
    let mut items = items(inner);
    let first = items.next()?;
    let (mut count, mut same) = (1, true);
    for item in items {
        count += 1;
        same &= item == first;
    }
    // A single item may be an expression of its own. A call alone is folded, so that one and many are alike.
    (same && (count > 1 || is_call(first))).then(|| format!("{first}…"))
}

/// Whether a text holds nothing but values, their casts, and rows and arrays of them.
fn is_values(text: &str) -> bool {
    let mut rest = text;
    let mut found = false;
    while let Some(char) = rest.chars().next() {
        let skipped = match char {
            '(' | ')' | '[' | ']' | ',' | ' ' | '…' => char.len_utf8(),
            '?' => {
                found = true;
                1
            }
            ':' if rest.starts_with("::") => 2 + type_len(&rest[2..]),
            'A' | 'a'
                if rest
                    .get(..5)
                    .is_some_and(|word| word.eq_ignore_ascii_case("array")) =>
            {
                5
            }
            _ => return false,
        };
        rest = &rest[skipped..];
    }
    found
}

/// Length of a type's name: `double precision`, `"my"."type"`, `numeric(?, ?)`, `int[]`.
fn type_len(text: &str) -> usize {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | ' ');
    let name = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let precision = text[name..].strip_prefix('(').and_then(|inside| {
        let len = inside.find(')')?;
        let is_plain = inside[..len].chars().all(|c| matches!(c, '?' | ',' | ' '));
        is_plain.then_some(len + 2)
    });
    name + precision.unwrap_or(0)
}

/// Whether a list is a question of its own.
fn is_query(list: &str) -> bool {
    ["SELECT", "WITH", "VALUES", "TABLE"]
        .iter()
        .any(|word| list.trim_start_matches(['(', ' ']).starts_with(word))
}

/// Whether an item is a function of values: `lower(?)`, `CAST (? AS uuid)`.
fn is_call(item: &str) -> bool {
    item.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && item.ends_with(')')
        && item.contains('(')
}

/// The items between the commas of a list.
fn items(list: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut start) = (0i64, 0);
    let mut chars = list.char_indices();
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        for (at, char) in chars.by_ref() {
            match char {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                ',' if depth == 0 => {
                    let item = list[start..at].trim();
                    start = at + 1;
                    return Some(item);
                }
                _ => {}
            }
        }
        done = true;
        Some(list[start..].trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_values_are_told_from_others() {
        for (list, left) in [
            ("(?)", Some("(?…)")),
            (
                "(?, ?::uuid, ?::double precision, ?::numeric(?, ?))",
                Some("(?…)"),
            ),
            ("((?, ?), (?, ?::\"my\".\"t\"))", Some("(?…)")),
            ("(lower(?), lower(?))", Some("(lower(?)…)")),
            ("(CAST (? AS uuid))", Some("(CAST (? AS uuid)…)")),
            ("(?, a)", None),
            ("(a, a)", None),
            ("(a + ?)", None),
            ("(SELECT ?)", None),
            ("()", None),
        ] {
            assert_eq!(folded(list, '(', ')').as_deref(), left, "{list}");
        }
        assert_eq!(folded("[[?, ?], [?]]", '[', ']').as_deref(), Some("[?…]"));
        for cut in ["(?, ?,", "(?, ?::uu", "(f(?), f(?), f(", "(f(?), "] {
            assert!(folded_cut(cut, '(', ')').is_some(), "{cut}");
        }
        assert_eq!(folded_cut("(a, b", '(', ')'), None);
    }
}
