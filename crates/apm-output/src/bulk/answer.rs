//! The answer of `_bulk`, which says of each document what became of it.

use serde::Deserialize;

/// The fate of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is new.
    Taken,
    /// It was there.
    Known,
    /// It is to be sent again later. `is_sure`: it is not there.
    Later {
        /// Whether it is certain that it is not there.
        is_sure: bool,
        /// The words of the engine.
        why: String,
    },
    /// It is not taken, however often it is sent.
    Refused {
        /// The type of the error.
        reason: String,
        /// The words of the engine.
        error: String,
    },
}

/// Bytes of the words of an engine that are kept.
const WORDS: usize = 500;

/// Bytes of the type of an error that are kept.
const REASON: usize = 60;

#[derive(Deserialize)]
struct Answer {
    errors: bool,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    create: Create,
}

#[derive(Deserialize)]
struct Create {
    status: u16,
    error: Option<Error>,
}

#[derive(Deserialize)]
struct Error {
    #[serde(rename = "type")]
    kind: Option<String>,
    reason: Option<String>,
    caused_by: Option<Box<Error>>,
}

/// The fates of `count` documents; none where the answer is not that of a bulk request of so many.
pub(crate) fn fates(body: &[u8], count: usize) -> Option<Vec<Fate>> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let is_whole = answer.items.len() == count;
    // An answer that contradicts itself is of something in between.
    let has_errors = answer.items.iter().any(|item| item.create.status > 299);
    (is_whole && has_errors == answer.errors).then(|| {
        answer
            .items
            .into_iter()
            .map(|item| fate(item.create))
            .collect()
    })
}

fn fate(create: Create) -> Fate {
    let error = create.error.as_ref();
    match create.status {
        200..=299 => Fate::Taken,
        409 => Fate::Known,
        // A mapping that does not fit, a name that cannot be, a time that no index takes, a document too large.
        400 | 413 => Fate::Refused {
            reason: cut(
                error
                    .and_then(|error| error.kind.as_deref())
                    .unwrap_or("unknown"),
                REASON,
            ),
            error: words(create.status, error),
        },
        // Too much at once, or what an administrator has to mend: rights, a full disk, a missing template.
        401 | 403 | 404 | 429 => Fate::Later {
            is_sure: true,
            why: words(create.status, error),
        },
        status => Fate::Later {
            is_sure: false,
            why: words(status, error),
        },
    }
}

/// The status and the words for an error and its cause.
fn words(status: u16, error: Option<&Error>) -> String {
    let mut out = status.to_string();
    let mut at = error;
    while let Some(error) = at {
        for text in [&error.kind, &error.reason].into_iter().flatten() {
            out += if out.len() == 3 { " " } else { ": " };
            out += text;
        }
        at = error.caused_by.as_deref();
    }
    cut(&out, WORDS)
}

/// The beginning of a text.
fn cut(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_decides_over_a_document() {
        let body = br#"{"errors":true,"items":[
            {"create":{"status":201}},
            {"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"exists"}}},
            {"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}},
            {"create":{"status":503,"error":{"type":"unavailable_shards_exception","reason":"no primary"}}},
            {"create":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"no",
                "caused_by":{"type":"illegal_argument_exception","reason":"why"}}}}]}"#;
        let fates = fates(body, 5).unwrap();
        assert_eq!(fates[..2], [Fate::Taken, Fate::Known]);
        assert!(matches!(fates[2], Fate::Later { is_sure: true, .. }));
        assert!(matches!(fates[3], Fate::Later { is_sure: false, .. }));
        assert_eq!(
            fates[4],
            Fate::Refused {
                reason: "mapper_parsing_exception".to_owned(),
                error: "400 mapper_parsing_exception: no: illegal_argument_exception: why"
                    .to_owned(),
            }
        );
    }

    #[test]
    fn an_answer_of_another_request_is_none() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"errors":false}"#,
            r#"{"errors":false,"items":[]}"#,
            r#"{"errors":false,"items":[{"create":{"status":400}}]}"#,
            r#"{"errors":true,"items":[{"create":{"status":201}}]}"#,
            r#"{"errors":false,"items":[{"index":{"status":201}}]}"#,
        ] {
            assert_eq!(fates(body.as_bytes(), 1), None, "{body}");
        }
    }
}
