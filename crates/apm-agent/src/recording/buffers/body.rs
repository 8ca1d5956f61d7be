//! A request body while it grows and while it waits.

/// The metadata line, and which edition it is: cloud look-ups may complete it after the first events.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// JSON and a newline.
    pub(crate) line: Vec<u8>,
    pub(crate) edition: u32,
}

/// A request body: a metadata line and events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) events: u64,
    metadata_len: usize,
    metadata_edition: u32,
}

impl Body {
    /// Starts the body with the metadata line. What it held before is gone.
    pub(super) fn begin(&mut self, metadata: &Metadata) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&metadata.line);
        self.events = 0;
        self.metadata_len = metadata.line.len();
        self.metadata_edition = metadata.edition;
    }

    /// The events without the metadata line.
    pub(super) fn events_only(&self) -> &[u8] {
        &self.bytes[self.metadata_len..]
    }

    /// The memory that it takes, which is more than its bytes.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Whether the events of `other` can follow in the same request of at most `limit` bytes.
    pub(super) fn takes(&self, other: &Self, limit: usize) -> bool {
        self.metadata_edition == other.metadata_edition
            && self.bytes.len() + other.events_only().len() <= limit
    }

    /// Adds the events of `other`.
    pub(super) fn merge(&mut self, other: &Self) {
        self.bytes.extend_from_slice(other.events_only());
        self.events += other.events;
    }

    /// The same events behind today's metadata line.
    pub(super) fn updated(self, metadata: &Metadata) -> Self {
        if metadata.edition == self.metadata_edition {
            return self;
        }
        let mut bytes = Vec::with_capacity(metadata.line.len() + self.events_only().len());
        bytes.extend_from_slice(&metadata.line);
        bytes.extend_from_slice(self.events_only());
        Self {
            bytes,
            events: self.events,
            metadata_len: metadata.line.len(),
            metadata_edition: metadata.edition,
        }
    }
}
