//! The fields of a `multipart/form-data` body, and the names of its files; never what is in the files.

use serde_json::{Map, Value};

use super::{REDACTED, add, without_secrets};
use crate::encode::json;
use crate::util::wildcard::WildcardList;

/// The longest boundary that the format allows.
const MAX_BOUNDARY: usize = 70;
/// The member that holds the names of files, by field.
const FILES: &str = "_files";

/// The boundary that a content type names.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let boundary = parameter(content_type, "boundary")?;
    (1..=MAX_BOUNDARY)
        .contains(&boundary.len())
        .then_some(boundary)
}

/// The fields of a body, which may be cut anywhere; values have `most` characters in all.
pub(crate) fn fields(
    body: &str,
    boundary: &str,
    most: usize,
    secrets: &WildcardList,
) -> Map<String, Value> {
    let (mut fields, mut files) = (Map::new(), Map::new());
    let mut left = most;
    let delimiter = format!("--{boundary}");
    // No field stands before the first delimiter.
    for part in body.split(&delimiter).skip(1) {
        // The last delimiter ends in dashes; without a blank line the part was cut in its head.
        let Some((head, value)) = part.split_once("\r\n\r\n") else {
            break;
        };
        let disposition = head.lines().find(|line| {
            line.get(..20)
                .is_some_and(|name| name.eq_ignore_ascii_case("content-disposition:"))
        });
        let Some(disposition) = disposition else {
            continue;
        };
        let name = parameter(disposition, "name").unwrap_or_default();
        if let Some(file) = parameter(disposition, "filename") {
            add(&mut files, name, keyword(file));
        } else if secrets.matches(name) {
            add(&mut fields, name, REDACTED.to_owned());
        } else {
            let value = value.strip_suffix("\r\n").unwrap_or(value);
            let value = shortened(value, left);
            left -= value.chars().count().min(left);
            add(&mut fields, name, without_secrets(&value, secrets));
        }
    }
    if !files.is_empty() {
        fields.insert(FILES.to_owned(), Value::Object(files));
    }
    fields
}

/// The value of `key=value` or `key="value"` behind a semicolon.
fn parameter<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    let mut rest = header;
    loop {
        let (_, parameter) = rest.split_once(';')?;
        let (name, value) = parameter.split_once('=')?;
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if name.trim().eq_ignore_ascii_case(key) {
            return Some(value.trim());
        }
        rest = behind;
    }
}

fn keyword(text: &str) -> String {
    shortened(text, json::KEYWORD)
}

fn shortened(text: &str, most: usize) -> String {
    if most == 0 {
        return String::new();
    }
    json::cut(text, most).map_or_else(|| text.to_owned(), |kept| format!("{kept}…"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BODY: &str = "--X\r\nContent-Disposition: form-data; name=\"city\"\r\n\r\nKöln\r\n\
        --X\r\ncontent-disposition: form-data; name=password\r\n\r\nhunter2\r\n\
        --X\r\nContent-Type: image/png\r\n\
         Content-Disposition: form-data; name=\"photo\"; filename=\"me; you.png\"\r\n\r\n\u{0}\u{1}PNG\r\n\
        --X\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\na\r\nb\r\n\
        --X\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\nc\r\n--X--\r\n";

    fn read_fields(body: &str, most: usize) -> Value {
        fields(body, "X", most, &WildcardList::parse("pass*")).into()
    }

    #[test]
    fn fields_lose_their_secrets_and_files_their_contents() {
        assert_eq!(
            read_fields(BODY, 100),
            json!({
                "city": "Köln",
                "password": "[REDACTED]",
                "tag": ["a\r\nb", "c"],
                "_files": {"photo": "me; you.png"},
            })
        );
    }

    #[test]
    fn values_have_a_length_in_all() {
        assert_eq!(
            read_fields(BODY, 6),
            json!({"city": "Köln", "password": "[REDACTED]", "tag": ["a…", ""], "_files": {"photo": "me; you.png"}})
        );
    }

    #[test]
    fn a_body_may_be_cut_anywhere_and_be_anything() {
        for end in (0..=BODY.len()).filter(|end| BODY.is_char_boundary(*end)) {
            let fields = read_fields(&BODY[..end], 100);
            assert!(!fields.to_string().contains("hunter"), "{fields}");
        }
        for body in [
            "",
            "--X",
            "X",
            "--X\r\n\r\n",
            "--X\r\n\r\nvalue",
            "--X--\r\n\r\n",
        ] {
            assert_eq!(read_fields(body, 100), json!({}), "{body:?}");
        }
    }

    #[test]
    fn a_boundary_is_read_from_the_content_type() {
        let table = [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "multipart/form-data; charset=utf-8; Boundary=\"a b\"",
                Some("a b"),
            ),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"open", None),
            ("multipart/form-data", None),
        ];
        for (content_type, expected) in table {
            assert_eq!(boundary(content_type), expected, "{content_type}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        assert_eq!(boundary(&long), None);
    }
}
