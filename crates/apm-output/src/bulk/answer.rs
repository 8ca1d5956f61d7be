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
        /// Whether the status tells neither of load nor of something that an administrator has to mend.
        is_odd: bool,
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

/// Parts of the reasons of errors with the status 400 that an administrator can mend.
const MENDABLE: [[&str; 2]; 3] = [
    ["this action would add [", "shards open"],
    ["pipeline with id [", "does not exist"],
    ["exceeds the limit of [", "documents per shard"],
];

/// Types of errors that tell of a document that is no JSON to the engine.
const UNREADABLE: [&str; 5] = [
    "parse_exception",
    "parsing_exception",
    "x_content_parse_exception",
    "document_parsing_exception",
    "mapper_parsing_exception",
];

/// The answer to a request that was refused as a whole.
#[derive(Deserialize)]
struct Refused {
    error: Error,
}

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
    /// The part that the failure store of a data stream of Elasticsearch has in this.
    failure_store: Option<String>,
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
    let status = create.status;
    let refused = |reason: &str| Fate::Refused {
        reason: cut(reason, REASON),
        error: words(status, error),
    };
    let later = |is_sure, is_odd| Fate::Later {
        is_sure,
        is_odd,
        why: words(status, error),
    };
    let kind = error.and_then(|error| error.kind.as_deref());
    match status {
        // The data stream could not index it. No search of the data stream finds it.
        200..=299 if create.failure_store.as_deref() == Some("used") => refused("failure_store"),
        200..=299 => Fate::Taken,
        409 => Fate::Known,
        400 if error.is_some_and(Error::can_be_mended) => later(true, false),
        // A mapping that does not fit, a name that cannot be, a time that no index takes, a document too large.
        400 | 413 => refused(kind.unwrap_or("unknown")),
        // A pipeline of a user is made to refuse it.
        500 if kind == Some("fail_processor_exception") => refused("fail_processor_exception"),
        // Too much at once, or what an administrator has to mend: rights, a full disk, a missing template.
        401 | 403 | 404 | 429 => later(true, false),
        502..=504 => later(false, false),
        _ => later(false, true),
    }
}

impl Error {
    /// True if an administrator can mend it though the status blames the document: no room for another index, a shard
    /// that is full, a pipeline that is missing.
    fn can_be_mended(&self) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        let has = |parts: [&str; 2]| parts.iter().all(|part| reason.contains(part));
        let cause = self.caused_by.as_ref();
        MENDABLE.into_iter().any(has) || cause.is_some_and(|cause| cause.can_be_mended())
    }
}

/// The error of a request that was refused as a whole because a document in it cannot be read: its type, and the words.
/// Versions of Elasticsearch answer so where a data stream has a pipeline.
pub(crate) fn unreadable(body: &[u8]) -> Option<(String, String)> {
    let refused: Refused = serde_json::from_slice(body).ok()?;
    let kind = refused.error.kind.as_deref()?;
    let is_of_document = UNREADABLE.contains(&kind);
    is_of_document.then(|| (kind.to_owned(), words(400, Some(&refused.error))))
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

    /// An answer of an engine, and what it means.
    #[derive(Deserialize)]
    struct Recorded {
        /// The documents that were sent, or a setting of the engine.
        of: String,
        status: u16,
        answer: Box<serde_json::value::RawValue>,
        /// Of each document: `taken`, `known`, `later`, `unsure`, `odd`, or the reason of a refusal. Of a request that
        /// was refused as a whole: `waits`, or the reason.
        fates: Vec<String>,
    }

    fn word(fate: Fate) -> String {
        match fate {
            Fate::Taken => "taken".to_owned(),
            Fate::Known => "known".to_owned(),
            Fate::Later { is_odd: true, .. } => "odd".to_owned(),
            Fate::Later { is_sure: true, .. } => "later".to_owned(),
            Fate::Later { .. } => "unsure".to_owned(),
            Fate::Refused { reason, .. } => reason,
        }
    }

    #[test]
    fn answers_of_both_engines_mean_what_they_say() {
        for (engine, text) in [
            ("OpenSearch", include_str!("answer/opensearch.json")),
            ("Elasticsearch", include_str!("answer/elasticsearch.json")),
        ] {
            let all: Vec<Recorded> = serde_json::from_str(text).unwrap();
            assert!(all.len() >= 8, "{engine}");
            for Recorded {
                of,
                status,
                answer,
                fates,
            } in all
            {
                let body = answer.get().as_bytes();
                let found = match status {
                    200 => {
                        let found = super::fates(body, fates.len()).expect(&of);
                        found.into_iter().map(word).collect()
                    }
                    _ => {
                        assert_eq!(super::fates(body, 1), None, "{engine}: {of}");
                        let refused = unreadable(body).filter(|_| status == 400);
                        vec![refused.map_or_else(|| "waits".to_owned(), |(reason, _)| reason)]
                    }
                };
                assert_eq!(found, fates, "{engine}: {of}");
            }
        }
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
