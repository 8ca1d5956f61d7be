//! The file of an upload form, and its way through the intake.
//!
//! The file is decoded as it arrives and never held as a whole. Each upload has a thread for decoding, so few may run
//! at the same time; and an upload that stops, or takes too long, ends.

mod pieces;

use std::io::{BufRead as _, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use actix_multipart::{Multipart, MultipartError};
use actix_web::web::Bytes;
use apm_store::Store;
use futures_util::TryStreamExt as _;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use crate::import::{ImportError, Summary, Target, stream};
use flate2::bufread::MultiGzDecoder;
use pieces::{Bounded, Piece, Pieces, Tee};

/// Largest file that is taken, bytes.
pub(crate) const MOST: usize = 64 << 20;
/// Largest size of a file after decompression, bytes.
const MOST_INFLATED: u64 = 1 << 30;
/// Bytes of a file that are kept for a second look, for the trace that its first lines name.
const FIRST_LINES: usize = 1 << 20;
/// Uploads at the same time.
const TOGETHER: usize = 2;
/// Pieces of a file that may wait for the decoder; each is what one read of the connection brought, some 64 KiB at
/// most.
const AHEAD: usize = 4;
/// Longest time that an upload may take.
const LONGEST: Duration = Duration::from_secs(600);

/// The uploads of a server.
#[derive(Debug)]
pub(crate) struct Uploads {
    places: Arc<Semaphore>,
    silence: Duration,
    whole: Duration,
}

impl Uploads {
    /// `silence`: longest pause within a file; `whole`: longest time of an upload, if that is less than the usual one.
    pub(crate) fn new(silence: Duration, whole: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(TOGETHER)),
            silence,
            whole: whole.min(LONGEST),
        }
    }
}

/// Why nothing, or not all, was imported.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    #[error("the form cannot be read: {0}")]
    Form(String),
    #[error("no file was sent: choose one and try again")]
    Empty,
    #[error("the file is larger than {} MiB: use `pocket-apm import FILE`", MOST >> 20)]
    Large,
    #[error("{TOGETHER} other files are being imported: try again when they are done")]
    Busy,
    #[error(
        "the file did not arrive in time: nothing came for {} s, or all of it took more than {} s",
        .0.as_secs(), .1.as_secs()
    )]
    Late(Duration, Duration),
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

/// The number of events that were taken, and a trace that is in them.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) summary: Summary,
    pub(super) trace: Option<String>,
}

/// Reads the form's one file and stores its events.
pub(super) async fn import(
    uploads: &Uploads,
    store: &Store,
    form: Multipart,
) -> Result<Taken, UploadError> {
    let place = Arc::clone(&uploads.places).try_acquire_owned();
    let place = place.map_err(|_| UploadError::Busy)?;
    let store = store.clone();
    let (sender, receiver) = mpsc::channel(AHEAD);
    let decoder = tokio::task::spawn_blocking(move || {
        // Held by the thread: it goes on for a moment when the connection breaks.
        let _place = place;
        taken(Pieces::new(receiver), store)
    });
    let fed = feed(form, &sender, uploads).await;
    if fed.is_ok() {
        // A decoder that has given up says why itself.
        let _ = sender.send(Piece::End).await;
    }
    drop(sender);
    let taken = decoder.await.map_err(|_| UploadError::Stopped)?;
    // Its own fault first: the decoder only sees that the file broke off.
    match fed? {
        0 => Err(UploadError::Empty),
        _ => taken,
    }
}

/// Hands a file on as it arrives; returns its size.
async fn feed(
    mut form: Multipart,
    decoder: &mpsc::Sender<Piece>,
    uploads: &Uploads,
) -> Result<usize, UploadError> {
    let wrong = |error: MultipartError| UploadError::Form(error.to_string());
    let late = |_| UploadError::Late(uploads.silence, uploads.whole);
    let end = Instant::now() + uploads.whole;
    let next = || end.min(Instant::now() + uploads.silence);
    let mut size = 0;
    while let Some(mut field) = timeout_at(next(), form.try_next())
        .await
        .map_err(late)?
        .map_err(wrong)?
    {
        while let Some(chunk) = timeout_at(next(), field.try_next())
            .await
            .map_err(late)?
            .map_err(wrong)?
        {
            size += Bytes::len(&chunk);
            if size > MOST {
                return Err(UploadError::Large);
            }
            // The decoder waits for the writer, not for the sender: the end of all is the limit.
            let handed = timeout_at(end, decoder.send(Piece::Bytes(chunk))).await;
            if handed.map_err(late)?.is_err() {
                // The decoder has given up, and says why itself.
                return Ok(size);
            }
        }
    }
    Ok(size)
}

fn taken(pieces: Pieces, store: Store) -> Result<Taken, UploadError> {
    let mut target = Target::store(store);
    let mut input = BufReader::with_capacity(64 << 10, pieces);
    let start = input.fill_buf();
    let is_compressed = start.is_ok_and(|start| start.starts_with(&[0x1f, 0x8b]));
    let text: Box<dyn Read> = match is_compressed {
        true => Box::new(Bounded::new(MultiGzDecoder::new(input), MOST_INFLATED)),
        false => Box::new(input),
    };
    let mut text = Tee::new(text, FIRST_LINES);
    let summary = stream(
        BufReader::with_capacity(64 << 10, &mut text),
        &mut target,
        || (),
    )?;
    let trace = trace_of(text.head()).filter(|_| summary.accepted > 0);
    Ok(Taken { summary, trace })
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
