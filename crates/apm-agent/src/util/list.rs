//! Lists in one text, as options have them.
//!
//! People separate items by commas. A list that code makes of its items may have commas in them: it is joined by a
//! comma and a control character, which nobody types, and which is shown as a blank.

/// Stands behind the comma at the end of each item, where items have commas of their own.
const UNIT_SEPARATOR: char = '\u{1f}';

/// The items of a list, without blanks around them and without empty ones.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    let joined = text.contains(UNIT_SEPARATOR);
    let is_separator = move |letter: char| letter == if joined { UNIT_SEPARATOR } else { ',' };
    text.split(is_separator)
        .map(move |item| {
            if joined {
                item.strip_suffix(',').unwrap_or(item)
            } else {
                item
            }
        })
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// A list of items that may have commas.
pub(crate) fn join(items: impl IntoIterator<Item = impl Into<String>>) -> String {
    let items: Vec<String> = items.into_iter().map(Into::into).collect();
    if !items.iter().any(|item| item.contains(',')) {
        return items.join(",");
    }
    let ended = items
        .into_iter()
        .map(|item| format!("{item},{UNIT_SEPARATOR}"));
    ended.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_is_split_into_the_same_items() {
        let lists: [&[&str]; 5] = [&[], &["a"], &["a,b"], &["a", "b"], &["a,b", "c", "d,"]];
        for list in lists {
            let text = join(list.iter().copied());
            assert_eq!(items(&text).collect::<Vec<_>>(), list, "{text:?}");
        }
    }

    #[test]
    fn what_people_write_is_split_at_commas() {
        assert_eq!(items(" a, ,b ,").collect::<Vec<_>>(), ["a", "b"]);
    }
}
