//! The stream below HTTP that hands on one request at a time.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::web::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::chunks::Chunks;
use super::head::Head;
use super::{Body, Pace};

/// Bytes that are read at once where a part of them may belong to the next request.
const PORTION: usize = 8 * 1024;

/// Bytes that are looked at while an answer is awaited: the next request, or the end of the connection.
const GLANCE: usize = 512;

/// A stream that hands on the next request when the one before is answered. `D` are the data of the connection until
/// HTTP takes them.
pub(crate) struct Paced<IO, D = ()> {
    inner: IO,
    data: Cell<Option<D>>,
    pace: Rc<Pace>,
    phase: Phase,
    /// Bytes that have been read and not handed on.
    held: BytesMut,
}

/// The part of a request that is read.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The head of a request.
    Head(Head),
    /// Nothing: a head is handed on, and the application has not said what follows it. Whether the reader was asked to
    /// come back.
    Decode(bool),
    /// So many bytes of a body.
    Sized(u64),
    Chunked(Chunks),
    /// Nothing: the answer is being made.
    Answer,
}

impl Phase {
    /// Number of these bytes that are handed on; changes to what is read behind them.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let (taken, next) = match self {
            Self::Head(head) => {
                let (taken, is_whole) = head.take(bytes);
                (taken, is_whole.then_some(Self::Decode(false)))
            }
            Self::Sized(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX);
                let taken = taken.min(bytes.len());
                *left -= taken as u64;
                (taken, (*left == 0).then_some(Self::Answer))
            }
            Self::Chunked(chunks) => {
                let (taken, is_whole) = chunks.take(bytes);
                (taken, is_whole.then_some(Self::Answer))
            }
            Self::Decode(_) | Self::Answer => (0, None),
        };
        if let Some(next) = next {
            *self = next;
        }
        taken
    }
}

impl<IO, D> Paced<IO, D> {
    pub(crate) fn new(inner: IO, data: D) -> Self {
        Self {
            inner,
            data: Cell::new(Some(data)),
            pace: Rc::default(),
            phase: Phase::Head(Head::default()),
            held: BytesMut::new(),
        }
    }

    /// The pace by which the requests of the connection take their turns.
    pub(crate) fn pace(&self) -> Rc<Pace> {
        Rc::clone(&self.pace)
    }

    /// The data of the connection, once.
    pub(crate) fn take_data(&self) -> Option<D> {
        self.data.take()
    }

    /// Goes on to what can be read now. False: nothing is handed on for now.
    fn proceed(&mut self) -> bool {
        loop {
            self.phase = match self.phase {
                Phase::Decode(_) => match self.pace.begun.take() {
                    Some(Body::Sized(length)) => Phase::Sized(length),
                    Some(Body::Chunked) => Phase::Chunked(Chunks::default()),
                    Some(Body::None) => Phase::Answer,
                    // It is not decoded yet, or waits for its turn; or actix has refused it, and the connection ends.
                    None => return false,
                },
                Phase::Answer if self.pace.under_way.get() > 0 => return false,
                Phase::Answer => Phase::Head(Head::default()),
                Phase::Head(_) | Phase::Sized(_) | Phase::Chunked(_) => return true,
            };
        }
    }
}

impl<IO: AsyncRead + Unpin, D> Paced<IO, D> {
    /// Waits for the application, or for the end of the connection.
    fn poll_glance(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            let mut bytes = [0; GLANCE];
            let mut read = ReadBuf::new(&mut bytes);
            // While nothing more has come, whatever comes next wakes the reader.
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut read))?;
            match read.filled() {
                [] => return Poll::Ready(Ok(())),
                next => self.held.extend_from_slice(next),
            }
        }
        match self.phase {
            // Without more to read, the reader decodes what it has. Then it comes back for what follows.
            Phase::Decode(false) => {
                self.phase = Phase::Decode(true);
                cx.waker().wake_by_ref();
            }
            _ => self.pace.reader.set(Some(cx.waker().clone())),
        }
        Poll::Pending
    }

    /// Reads, without more than a portion of what may belong to the next request.
    fn poll_inner(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let is_of_this = match self.phase {
            Phase::Sized(left) => left >= into.remaining() as u64,
            _ => false,
        };
        // Within a body that fills the whole buffer nothing can belong to the next request.
        if is_of_this || into.remaining() <= PORTION {
            return Pin::new(&mut self.inner).poll_read(cx, into);
        }
        let mut portion = ReadBuf::new(into.initialize_unfilled_to(PORTION));
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut portion))?;
        let read = portion.filled().len();
        into.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + Unpin, D> AsyncRead for Paced<IO, D>
where
    Self: Unpin,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.proceed() {
            return this.poll_glance(cx);
        }
        if this.held.is_empty() {
            let before = into.filled().len();
            ready!(this.poll_inner(cx, into))?;
            let read = &into.filled()[before..];
            let taken = this.phase.take(read);
            this.held.extend_from_slice(&read[taken..]);
            // Bytes of the next request came along: they are held, and cut off here.
            into.set_filled(before + taken);
        } else {
            let most = this.held.len().min(into.remaining());
            let taken = this.phase.take(&this.held[..most]);
            into.put_slice(&this.held.split_to(taken));
            // An idle connection holds no memory for it.
            if this.held.is_empty() {
                this.held = BytesMut::new();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin, D> AsyncWrite for Paced<IO, D>
where
    Self: Unpin,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
