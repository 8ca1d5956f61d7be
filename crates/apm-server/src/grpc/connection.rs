//! A connection of HTTP/2, and its bounds.

use std::cell::Cell;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::rt;
use actix_web::web::{self, Bytes};
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use h2::server::Builder;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::call;
use crate::connections::Open;
use crate::http::Shared;
use crate::listen::{LINGER, Wire};

/// Calls of a connection at the same time. A sender has one or two of them.
const STREAMS: u32 = 16;
/// The most that a sender may send ahead of a call, bytes. Messages are read as they arrive, so it need not be large.
const STREAM_WINDOW: u32 = 64 * 1024;
/// The most that a sender may send ahead of all calls of a connection, bytes.
const CONNECTION_WINDOW: u32 = 128 * 1024;
/// Largest list of headers of a call, bytes.
const HEADERS: u32 = 16 * 1024;
/// The most that waits to be sent for a call, bytes. An answer has some hundred.
const UNSENT: usize = 16 * 1024;
/// Calls that a sender may give up before they are looked at.
const RESETS: usize = 20;

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(STREAMS)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(HEADERS)
        .max_send_buffer_size(UNSENT)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(Some(RESETS));
    builder
}

/// Answers the calls of a connection until it ends. Without a call it ends after the idle timeout, and when the server
/// stops.
pub(super) async fn serve(
    wire: Wire,
    open: Open,
    peer: SocketAddr,
    shared: web::Data<Shared>,
    stopping: Arc<Notify>,
) {
    let (patience, idle) = (shared.config.read_timeout, shared.config.idle_timeout);
    let open = Rc::new(open);
    let mut connection = match timeout(patience, builder().handshake::<_, Bytes>(wire)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            log::debug!("{peer}: no HTTP/2, which gRPC needs: {error}");
            return;
        }
        Err(_) => return,
    };
    let calls = Rc::new(Cell::new(0_usize));
    // Fused, as it is asked again after it has ended.
    let mut stopped = pin!(stopping.notified().fuse());
    let mut is_ending = false;
    loop {
        let wait = if is_ending { LINGER } else { idle };
        let accepted = {
            let accepted = pin!(timeout(wait, connection.accept()));
            match select(accepted, stopped.as_mut()).await {
                Either::Left((accepted, _)) => Some(accepted),
                Either::Right(_) => None,
            }
        };
        let Some(accepted) = accepted else {
            connection.graceful_shutdown();
            is_ending = true;
            continue;
        };
        match accepted {
            Ok(Some(Ok((request, respond)))) => {
                let call = UnderWay::begin(&calls);
                let (shared, open) = (shared.clone(), Rc::clone(&open));
                rt::spawn(async move {
                    call::answer(&shared, &open, peer, request, respond).await;
                    drop(call);
                });
            }
            Ok(Some(Err(error))) => {
                log::debug!("{peer}: the connection ends: {error}");
                return;
            }
            Ok(None) => return,
            // A call may take longer than a connection may be idle.
            Err(_) if calls.get() > 0 => {}
            Err(_) if is_ending => return,
            Err(_) => {
                connection.graceful_shutdown();
                is_ending = true;
            }
        }
    }
}

/// A call that is not answered yet.
struct UnderWay(Rc<Cell<usize>>);

impl UnderWay {
    fn begin(calls: &Rc<Cell<usize>>) -> Self {
        calls.set(calls.get() + 1);
        Self(Rc::clone(calls))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
