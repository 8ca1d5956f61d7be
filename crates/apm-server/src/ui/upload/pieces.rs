//! Readers for a file that arrives in pieces.

use std::io::{self, Read};

use actix_web::web::Bytes;
use tokio::sync::mpsc;

/// A piece of a file.
#[derive(Debug)]
pub(super) enum Piece {
    Bytes(Bytes),
    /// The file is whole. Without this one, it broke off.
    End,
}

/// Reads a file whose pieces come from another task. To be used on a thread that may block.
#[derive(Debug)]
pub(super) struct Pieces {
    receiver: mpsc::Receiver<Piece>,
    piece: Bytes,
    ended: bool,
}

impl Pieces {
    pub(super) fn new(receiver: mpsc::Receiver<Piece>) -> Self {
        Self {
            receiver,
            piece: Bytes::new(),
            ended: false,
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.ended {
            match self.receiver.blocking_recv() {
                Some(Piece::Bytes(piece)) => self.piece = piece,
                Some(Piece::End) => self.ended = true,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the upload broke off",
                    ));
                }
            }
        }
        let length = self.piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}

/// Fails when a file becomes larger than it may.
#[derive(Debug)]
pub(super) struct Bounded<R> {
    inner: R,
    most: u64,
    left: u64,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R, most: u64) -> Self {
        Self {
            inner,
            most,
            left: most,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        match self.left.checked_sub(length as u64) {
            Some(left) => self.left = left,
            None => {
                let most = self.most >> 20;
                return Err(io::Error::other(format!(
                    "it holds more than {most} MiB: use `pocket-apm import FILE`"
                )));
            }
        }
        Ok(length)
    }
}

/// Keeps the beginning of what is read.
pub(super) struct Tee<R> {
    inner: R,
    head: Vec<u8>,
    most: usize,
}

impl<R> Tee<R> {
    pub(super) fn new(inner: R, most: usize) -> Self {
        Self {
            inner,
            head: Vec::new(),
            most,
        }
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let kept = length.min(self.most - self.head.len());
        self.head.extend_from_slice(&buffer[..kept]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: Vec<Piece>) -> io::Result<Vec<u8>> {
        let (sender, receiver) = mpsc::channel(pieces.len().max(1));
        for piece in pieces {
            sender.try_send(piece).unwrap();
        }
        drop(sender);
        let mut read = Vec::new();
        Pieces::new(receiver).read_to_end(&mut read).map(|_| read)
    }

    #[test]
    fn a_file_that_breaks_off_is_not_taken_for_a_whole_one() {
        let bytes = |text: &'static str| Piece::Bytes(Bytes::from_static(text.as_bytes()));
        let whole = vec![bytes("ab"), bytes(""), bytes("c"), Piece::End];
        assert_eq!(read(whole).unwrap(), b"abc");
        assert!(read(vec![bytes("ab")]).is_err());
        assert!(read(Vec::new()).is_err());
    }

    #[test]
    fn what_becomes_too_large_is_an_error_and_no_end() {
        let mut exact = Vec::new();
        let read = Bounded::new(&b"abc"[..], 3).read_to_end(&mut exact);
        assert_eq!(read.unwrap(), 3);
        let error = Bounded::new(&b"abcd"[..], 3).read_to_end(&mut exact);
        assert!(error.unwrap_err().to_string().contains("pocket-apm import"));
    }

    #[test]
    fn only_the_beginning_is_kept() {
        let mut tee = Tee::new(&b"abcdef"[..], 4);
        let mut all = Vec::new();
        tee.read_to_end(&mut all).unwrap();
        assert_eq!((all.as_slice(), tee.head()), (&b"abcdef"[..], &b"abcd"[..]));
    }
}
