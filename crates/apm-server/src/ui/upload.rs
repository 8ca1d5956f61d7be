//! The file of an upload form, and its way through the intake.

use std::io::{BufReader, Read as _};

use actix_multipart::Multipart;
use flate2::bufread::MultiGzDecoder;
use futures_util::TryStreamExt as _;

use crate::import::{ImportError, Summary, Target, stream};
use crate::store::Store;

/// Largest file that is taken, bytes: it is held in memory.
pub(crate) const MOST: usize = 64 << 20;
/// What a compressed file may become, bytes.
const MOST_INFLATED: u64 = 1 << 30;
/// How much of a compressed file is read a second time, for the trace that its first lines name.
const FIRST_LINES: u64 = 1 << 20;

/// Why nothing, or not all, was imported.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    #[error("the form cannot be read: {0}")]
    Form(String),
    #[error("no file was sent: choose one and try again")]
    Empty,
    #[error("the file is larger than {} MiB: use `pocket-apm import FILE`", MOST >> 20)]
    Large,
    #[error("{}", with_cause(.0))]
    Import(#[from] ImportError),
    #[error("the server stops")]
    Stopped,
}

fn with_cause(error: &ImportError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// What was taken, and a trace that is in it.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) summary: Summary,
    pub(super) trace: Option<String>,
}

/// Reads the form's one file and stores its events.
pub(super) async fn import(store: &Store, mut form: Multipart) -> Result<Taken, UploadError> {
    let mut bytes = Vec::new();
    let wrong = |error: actix_multipart::MultipartError| UploadError::Form(error.to_string());
    while let Some(mut field) = form.try_next().await.map_err(wrong)? {
        while let Some(chunk) = field.try_next().await.map_err(wrong)? {
            if bytes.len() + chunk.len() > MOST {
                return Err(UploadError::Large);
            }
            bytes.extend_from_slice(&chunk);
        }
    }
    if bytes.is_empty() {
        return Err(UploadError::Empty);
    }
    let store = store.clone();
    let stored = tokio::task::spawn_blocking(move || taken(&bytes, store)).await;
    stored.map_err(|_| UploadError::Stopped)?
}

fn taken(bytes: &[u8], store: Store) -> Result<Taken, UploadError> {
    let mut target = Target::store(store);
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let inflated = MultiGzDecoder::new(bytes).take(MOST_INFLATED);
        let summary = stream(BufReader::new(inflated), &mut target, || ())?;
        // What cannot be inflated has been refused by now.
        let mut start = Vec::new();
        let _ = MultiGzDecoder::new(bytes)
            .take(FIRST_LINES)
            .read_to_end(&mut start);
        return Ok(named(summary, &start));
    }
    let summary = stream(bytes, &mut target, || ())?;
    Ok(named(summary, bytes))
}

fn named(summary: Summary, start: &[u8]) -> Taken {
    let trace = trace_of(start).filter(|_| summary.accepted > 0);
    Taken { summary, trace }
}

/// The trace of the first event that names one.
fn trace_of(bytes: &[u8]) -> Option<String> {
    let mut lines = bytes.split(|byte| *byte == b'\n').take(64);
    lines.find_map(|line| {
        let line: serde_json::Value = serde_json::from_slice(line).ok()?;
        let event = line.as_object()?.values().next()?;
        let id = event.get("trace_id").or_else(|| event.get("trace.id"))?;
        id.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
    })
}
