//! A batch, which the writer takes as one piece, and the arena that its events point into.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::id::{Id, compact};
use super::resource::Resource;
use super::text::Text;
use super::{DroppedSpans, Event, Sample};

/// Events that the writer takes as one piece: those of one request, in the order of their lines.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Their sender.
    pub resource: Arc<Resource>,
    /// The reader of a page, as the browser's request describes them: the member `"visitor":{…}` that each
    /// event gets.
    pub visitor: Option<Arc<str>>,
    /// When its first line was read, µs since the epoch.
    pub received: i64,
    /// The events.
    pub events: Vec<Event>,
    /// The samples of its metricsets.
    pub samples: Vec<Sample>,
    /// The `dropped_spans_stats` of its transactions.
    pub dropped: Vec<DroppedSpans>,
    /// Times that cannot be: the place of an event whose time is that of its arrival, and the time that was sent, µs
    /// since the epoch. In the order of the events.
    pub sent: Vec<(u32, i64)>,
    /// Names of labels in the order in which they came, and their hashes.
    labels: Vec<Box<str>>,
    known_labels: HashSet<u64, RandomState>,
    /// Stack traces by their hashes: most events of a sender have one of a few.
    stacks: HashMap<u128, Text, RandomState>,
    text: String,
}

impl Batch {
    /// An empty batch. `received`: µs since the epoch.
    pub fn new(resource: Arc<Resource>, received: i64) -> Self {
        Self {
            resource,
            visitor: None,
            received,
            events: Vec::new(),
            samples: Vec::new(),
            dropped: Vec::new(),
            sent: Vec::new(),
            labels: Vec::new(),
            known_labels: HashSet::default(),
            stacks: HashMap::default(),
            text: String::new(),
        }
    }

    /// Says that an event has a label of this name. It may be said again and again.
    pub fn label(&mut self, name: &str) {
        let hash = self.known_labels.hasher().hash_one(name);
        if self.known_labels.insert(hash) {
            self.labels.push(name.into());
        }
    }

    /// The names of the labels of its events, each once, in the order in which they came.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(|name| &**name)
    }

    /// The text of a range.
    ///
    /// # Panics
    /// With a range of another batch that does not fit this one.
    #[inline]
    pub fn text(&self, text: Text) -> &str {
        &self.text[text.start as usize..(text.start + text.len) as usize]
    }

    /// The text of an optional range.
    #[inline]
    pub fn opt(&self, text: Option<Text>) -> Option<&str> {
        text.map(|text| self.text(text))
    }

    /// Keeps a copy of `value`.
    ///
    /// # Panics
    /// Beyond 4 GiB; the intake hands a batch over long before that.
    pub fn keep(&mut self, value: &str) -> Text {
        let start = self.mark();
        self.text.push_str(value);
        self.since(start)
    }

    /// Keeps a stack trace, once however many events have it: its raw JSON array, `[` to `]`, never empty of frames.
    /// `hash`: any hash of it; the texts are compared too.
    pub fn keep_stack(&mut self, json: &str, hash: u128) -> Text {
        if let Some(kept) = self.stacks.get(&hash)
            && self.text(*kept) == json
        {
            return *kept;
        }
        let json = self.keep(json);
        self.stacks.insert(hash, json);
        json
    }

    /// Reads an identifier, and keeps it if it is not hex.
    pub fn keep_id(&mut self, value: &str) -> Id {
        if let Some(id) = compact(value) {
            id
        } else {
            Id::Other(self.keep(value))
        }
    }

    /// An identifier as it was sent.
    pub fn id(&self, id: Id) -> String {
        match id {
            Id::Short(id) => format!("{id:016x}"),
            Id::Long(id) => format!("{:032x}", u128::from_be_bytes(id)),
            Id::Other(text) => self.text(text).to_owned(),
        }
    }

    /// The end of the arena, for a text that is written piece by piece: [`Self::push`], then [`Self::since`].
    pub fn mark(&self) -> u32 {
        u32::try_from(self.text.len()).expect("a batch is far below 4 GiB")
    }

    /// Appends a piece.
    pub fn push(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    /// The range from a mark to the end.
    pub fn since(&self, start: u32) -> Text {
        Text {
            start,
            len: self.mark() - start,
        }
    }

    /// A range of a kept text.
    pub fn part(&self, text: Text, range: Range<usize>) -> Text {
        debug_assert!(range.end <= text.len());
        let offset = |at: usize| u32::try_from(at).expect("a part is shorter than its text");
        Text {
            start: text.start + offset(range.start),
            len: offset(range.end - range.start),
        }
    }

    /// Memory that it holds, bytes, roughly.
    pub fn size(&self) -> usize {
        self.text.capacity()
            + self.labels.iter().map(|name| name.len()).sum::<usize>()
            + self.labels.capacity() * size_of::<(Box<str>, u64)>()
            + self.stacks.capacity() * size_of::<(u128, Text)>()
            + self.events.capacity() * size_of::<Event>()
            + self.samples.capacity() * size_of::<Sample>()
            + self.samples.iter().map(Sample::heap).sum::<usize>()
            + self.dropped.capacity() * size_of::<DroppedSpans>()
    }
}
