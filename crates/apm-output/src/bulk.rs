//! Requests to `_bulk`: the documents of one, and the answer to it.

mod answer;

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

pub(crate) use answer::{Fate, fates, unreadable};

/// Little time for most of what there is to gain.
const LEVEL: Compression = Compression::new(1);

/// The first line of a document, before the name of its data stream.
const HEAD: &str = r#"{"create":{"_index":""#;

/// Documents of a request.
#[derive(Debug, Default)]
pub(crate) struct Part {
    lines: Vec<u8>,
    items: Vec<Item>,
    /// The body with all of them, compressed.
    packed: Bytes,
}

/// A document in the lines of a part.
#[derive(Debug)]
struct Item {
    id: String,
    start: usize,
    /// The beginning of its second line.
    document: usize,
    end: usize,
}

impl Part {
    /// Adds a document. `index`: its data stream, as JSON without quotes. `write`: adds its JSON, one line.
    pub(crate) fn push(&mut self, index: &str, id: String, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.lines.len();
        // Data streams take `create` alone, which refuses a document that is there.
        for piece in [HEAD, index, r#"","_id":""#, &id, "\"}}\n"] {
            self.lines.extend_from_slice(piece.as_bytes());
        }
        let document = self.lines.len();
        write(&mut self.lines);
        self.lines.push(b'\n');
        self.items.push(Item {
            id,
            start,
            document,
            end: self.lines.len(),
        });
    }

    /// Documents in it.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of its documents.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.len()
    }

    /// Compresses it, once it is complete.
    pub(crate) fn pack(&mut self) {
        self.packed = gzip([&*self.lines].into_iter());
    }

    /// The id of a document.
    pub(crate) fn id(&self, item: usize) -> &str {
        &self.items[item].id
    }

    /// The name of the data stream of a document.
    pub(crate) fn stream(&self, item: usize) -> &[u8] {
        let item = &self.items[item];
        let line = &self.lines[item.start + HEAD.len()..item.document];
        let end = line.iter().position(|byte| *byte == b'"');
        &line[..end.unwrap_or(line.len())]
    }

    /// The text of a document.
    pub(crate) fn document(&self, item: usize) -> &[u8] {
        let item = &self.items[item];
        &self.lines[item.document..item.end - 1]
    }

    /// The body of a request for some of its documents.
    pub(crate) fn body(&self, items: &[usize]) -> Bytes {
        if items.len() == self.items.len() && !self.packed.is_empty() {
            return self.packed.clone();
        }
        let lines = items.iter().map(|item| {
            let item = &self.items[*item];
            &self.lines[item.start..item.end]
        });
        gzip(lines)
    }
}

fn gzip<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), LEVEL);
    for piece in pieces {
        encoder
            .write_all(piece)
            .expect("memory takes all that is written");
    }
    encoder
        .finish()
        .expect("memory takes all that is written")
        .into()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_body_has_two_lines_for_each_document_that_is_left() {
        let mut part = Part::default();
        for (id, text) in [("a", "{}"), ("b", r#"{"x":1}"#), ("c", "{}")] {
            part.push("traces-apm-default", id.to_owned(), |out| {
                out.extend_from_slice(text.as_bytes());
            });
        }
        part.pack();
        let text = |items: &[usize]| {
            let mut text = String::new();
            let body = part.body(items);
            GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
            text
        };
        assert_eq!(text(&[0, 1, 2]).lines().count(), 6);
        assert_eq!(
            text(&[1]),
            "{\"create\":{\"_index\":\"traces-apm-default\",\"_id\":\"b\"}}\n{\"x\":1}\n"
        );
        assert_eq!(part.document(1), br#"{"x":1}"#);
        assert_eq!(part.id(2), "c");
        assert_eq!(part.stream(2), b"traces-apm-default");
    }
}
