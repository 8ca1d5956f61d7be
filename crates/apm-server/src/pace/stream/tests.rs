//! Requests in a row, read in pieces of any size.

use std::collections::VecDeque;
use std::task::Waker;

use proptest::prelude::*;

use super::*;
use crate::pace::Turn;

/// The other end: pieces that come one by one.
struct Pieces {
    all: VecDeque<Vec<u8>>,
    is_ended: bool,
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(mut piece) = self.all.pop_front() else {
            return if self.is_ended {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            };
        };
        let rest = piece.split_off(piece.len().min(into.remaining()));
        into.put_slice(&piece);
        if !rest.is_empty() {
            self.all.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

fn paced(text: &[u8], size: usize) -> Paced<Pieces> {
    let all = text.chunks(size).map(<[u8]>::to_vec).collect();
    let is_ended = false;
    Paced::new(Pieces { all, is_ended }, ())
}

/// The bytes that are handed on until there are no more for now, as actix reads them; with whether the end has come.
fn handed_on(stream: &mut Paced<Pieces>, room: usize) -> (Vec<u8>, bool) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut all = Vec::new();
    loop {
        let mut bytes = vec![0; room];
        let mut into = ReadBuf::new(&mut bytes);
        match Pin::new(&mut *stream).poll_read(&mut cx, &mut into) {
            Poll::Pending => return (all, false),
            Poll::Ready(read) => read.unwrap(),
        }
        match into.filled() {
            [] => return (all, true),
            read => all.extend_from_slice(read),
        }
    }
}

fn begin(stream: &Paced<Pieces>, body: Body) -> Turn {
    stream.pace().begin(body)
}

fn request() -> impl Strategy<Value = (Vec<u8>, Vec<u8>, Body)> {
    let bytes =
        proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..40);
    let length = any::<bool>();
    (bytes, length).prop_map(|(data, is_sized)| match (data.len(), is_sized) {
        (0, true) => {
            let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
            (head, data, Body::None)
        }
        (length, true) => {
            let head = format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n");
            (head.into(), data, Body::Sized(length as u64))
        }
        (_, false) => {
            let head = b"\r\nPOST / HTTP/1.1\nTransfer-Encoding: chunked\n\n".to_vec();
            let mut body = Vec::new();
            for chunk in data.chunks(17) {
                body.extend_from_slice(format!("{:x};a\r\n", chunk.len()).as_bytes());
                body.extend_from_slice(chunk);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"0\r\nTrailer: a\r\n\r\n");
            (head, body, Body::Chunked)
        }
    })
}

proptest! {
    #[test]
    fn each_request_is_handed_on_whole_and_the_next_one_behind_its_answer(
        requests in proptest::collection::vec(request(), 1..6),
        size in 1..200_usize,
        room in 1..100_usize,
    ) {
        let text: Vec<u8> = requests.iter().flat_map(|(head, body, _)| [&head[..], body].concat()).collect();
        let mut stream = paced(&text, size);
        for (head, body, kind) in requests {
            prop_assert_eq!(handed_on(&mut stream, room).0, head);
            // Until the application knows of it, nothing follows.
            prop_assert_eq!(handed_on(&mut stream, room).0, b"");
            let turn = begin(&stream, kind);
            prop_assert_eq!(handed_on(&mut stream, room).0, body);
            prop_assert_eq!(handed_on(&mut stream, room).0, b"");
            drop(turn);
        }
        prop_assert_eq!(handed_on(&mut stream, room).0, b"");
    }
}

#[test]
fn an_answer_before_the_end_of_the_body_does_not_mix_up_what_follows() {
    let mut stream = paced(
        b"POST / HTTP/1.1\r\n\r\n1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        24,
    );
    handed_on(&mut stream, 100);
    drop(begin(&stream, Body::Chunked));
    assert_eq!(
        handed_on(&mut stream, 3).0,
        b"1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    );
}

#[test]
fn the_end_of_a_connection_is_noticed_while_its_request_is_answered() {
    let mut stream = paced(b"GET / HTTP/1.1\r\n\r\n", 100);
    assert!(!handed_on(&mut stream, 100).1);
    let _turn = begin(&stream, Body::None);
    assert!(!handed_on(&mut stream, 100).1);
    stream.inner.is_ended = true;
    assert!(handed_on(&mut stream, 100).1);
}

#[test]
fn little_is_read_of_what_waits_for_its_turn() {
    let text = "GET / HTTP/1.1\r\n\r\n".repeat(100_000);
    let mut stream = paced(text.as_bytes(), 1 << 20);
    // Room as actix has it behind a large request.
    let (head, _) = handed_on(&mut stream, 128 << 10);
    assert_eq!(head.len(), 18);
    assert!(stream.held.len() < PORTION, "{}", stream.held.len());
    let _turn = begin(&stream, Body::None);
    assert_eq!(handed_on(&mut stream, 128 << 10).0, b"");
    assert!(stream.held.len() < PORTION, "{}", stream.held.len());
    let left: usize = stream.inner.all.iter().map(Vec::len).sum();
    assert!(left >= text.len() - PORTION, "{left}");
}
