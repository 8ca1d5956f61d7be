//! Documents of events, as the lines of requests.

use apm_store::document::{Document, Documents, Form};
use apm_store::event::StoredEvent;
use apm_store::output::Aggregate;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::bulk::Part;
use crate::config::Config;
use crate::dialect::Dialect;

/// Requests that a load is cut into, if it has enough documents.
const REQUESTS: usize = 4;

/// Makes requests.
#[derive(Debug)]
pub(crate) struct Encoder {
    documents: Documents,
    /// The first part of ids.
    store: String,
    namespace: String,
    /// Documents and bytes of a request, at most.
    most: (usize, usize),
    parts: Parts,
}

/// Requests that are sent at the same time.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) parts: Vec<Part>,
    /// The number of the first event.
    pub(crate) first: Option<i64>,
    /// The number of the last event.
    pub(crate) last: Option<i64>,
    bytes: usize,
}

impl Parts {
    /// Documents in them.
    pub(crate) fn count(&self) -> i64 {
        self.parts.iter().map(Part::len).sum::<usize>() as i64
    }
}

impl Encoder {
    pub(crate) fn new(config: &Config, dialect: Dialect, store: &str) -> Self {
        let form = Form {
            namespace: Some(config.namespace.clone()),
            lists_samples: dialect.lists_samples(),
        };
        Self {
            documents: Documents::new(form),
            store: store.to_owned(),
            namespace: config.namespace.clone(),
            most: (config.pace.documents, config.pace.bytes / REQUESTS),
            parts: Parts::default(),
        }
    }

    /// Adds an event, and shows its document. `is_wanted`: whether it is to be sent.
    pub(crate) fn push(
        &mut self,
        event: &StoredEvent,
        is_wanted: bool,
        then: impl FnOnce(&Document<'_>),
    ) {
        let Self {
            documents,
            store,
            namespace,
            most,
            parts,
        } = self;
        documents.with(event, |document| {
            if is_wanted {
                let (kind, dataset) = (
                    document.text("data_stream.type"),
                    document.text("data_stream.dataset"),
                );
                let id = format!("{store}-{:x}-{:08x}", event.seq, mark(event));
                let part = parts.part(*most);
                let before = part.bytes();
                part.push(&stream(kind, dataset, namespace), id, |out| {
                    document.write(out);
                });
                let bytes = part.bytes() - before;
                parts.bytes += bytes;
                parts.first.get_or_insert(event.seq);
                parts.last = Some(event.seq);
            }
            then(document);
        });
    }

    /// Adds an aggregate.
    pub(crate) fn push_aggregate(&mut self, aggregate: &Aggregate) {
        let hash = xxh3_64_with_seed(&aggregate.document, 0) as u32;
        let id = format!("{}-a{:x}-{hash:08x}", self.store, aggregate.id);
        let index = stream("metrics", &aggregate.dataset, &self.namespace);
        self.parts.part(self.most).push(&index, id, |out| {
            out.extend_from_slice(&aggregate.document);
        });
        self.parts.bytes += aggregate.document.len();
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.parts.is_empty()
    }

    /// Bytes that are to be sent.
    pub(crate) fn bytes(&self) -> usize {
        self.parts.bytes
    }

    /// The requests, complete.
    pub(crate) fn take(&mut self) -> Parts {
        let mut parts = std::mem::take(&mut self.parts);
        if let Some(last) = parts.parts.last_mut() {
            last.pack();
        }
        parts
    }
}

impl Parts {
    /// The request that takes the next document.
    fn part(&mut self, (documents, bytes): (usize, usize)) -> &mut Part {
        let is_full = self
            .parts
            .last()
            .is_none_or(|part| part.len() >= documents || part.bytes() >= bytes);
        if is_full {
            if let Some(last) = self.parts.last_mut() {
                last.pack();
            }
            self.parts.push(Part::default());
        }
        self.parts.last_mut().expect("one was just added")
    }
}

/// A mark of what was sent. After a loss of power the store may give a number again, to another event: its id has to
/// be another one.
fn mark(event: &StoredEvent) -> u32 {
    let seed = event.timestamp.cast_unsigned() ^ event.seq.cast_unsigned().rotate_left(32);
    xxh3_64_with_seed(event.rest.as_bytes(), seed) as u32
}

/// The name of a data stream, as JSON without quotes: datasets have no quotes, and their other characters are escaped.
fn stream(kind: &str, dataset: &str, namespace: &str) -> String {
    let is_plain = |c: char| !c.is_control();
    match dataset.chars().all(is_plain) {
        true => format!("{kind}-{dataset}-{namespace}"),
        false => format!(
            "{kind}-{}-{namespace}",
            dataset.replace(|c| !is_plain(c), "_")
        ),
    }
}
