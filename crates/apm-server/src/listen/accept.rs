//! A new connection, until HTTP is spoken on it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_http::Extensions;
use actix_http::error::DispatchError;
use actix_web::rt::net::TcpStream;
use rustls::ServerConfig;
use socket2::SockRef;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use crate::config::Config;
use crate::connections::{Connections, Open};
use crate::pace::Paced;

/// Longest time of a TLS handshake. It takes two exchanges; a client that needs longer for them would not get a page
/// either.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The answer, unencrypted, for a connection that is not let in.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n\
    Content-Type: application/json\r\nContent-Length: 33\r\n\r\n{\"error\":\"too many connections\"}\n";

/// A connection, plain or encrypted.
pub(crate) type Wire = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Is kept with each encrypted connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encrypted;

/// The state of a connection before its first request.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) open: Open,
    is_encrypted: bool,
}

impl Seen {
    /// Puts it where requests find it.
    pub(super) fn tell(self, data: &mut Extensions) {
        data.insert(self.open);
        if self.is_encrypted {
            data.insert(Encrypted);
        }
    }
}

/// Lets connections in.
#[derive(Clone)]
pub(crate) struct Door {
    connections: Arc<Connections>,
    tls: Option<TlsAcceptor>,
    /// Longest time of a handshake, and of the head of the first request.
    pub(super) patience: Duration,
    /// The longest time that the other end may leave unread what waits for it.
    write_timeout: Duration,
}

impl Door {
    pub(crate) fn new(
        connections: Arc<Connections>,
        tls: Option<Arc<ServerConfig>>,
        config: &Config,
    ) -> Self {
        Self {
            connections,
            tls: tls.map(TlsAcceptor::from),
            patience: config.read_timeout,
            write_timeout: config.write_timeout,
        }
    }

    /// A new connection, to read requests of HTTP/1.1 from one after the other.
    pub(super) async fn open(
        &self,
        stream: TcpStream,
    ) -> Result<(Paced<Wire, Seen>, Option<SocketAddr>), DispatchError> {
        let (wire, seen, peer) = self.admit(stream).await?;
        Ok((Paced::new(wire, seen), Some(peer)))
    }

    /// Enters a connection into the table and, where that is asked for, encrypts it.
    pub(super) async fn admit(
        &self,
        stream: TcpStream,
    ) -> Result<(Wire, Seen, SocketAddr), DispatchError> {
        give_up_on_those_who_do_not_read(&stream, self.write_timeout);
        let peer = stream.peer_addr().map_err(DispatchError::Io)?;
        let Some(open) = self.connections.open(peer.ip(), SockRef::from(&stream)) else {
            // Nothing can be said before a handshake.
            if self.tls.is_none() {
                // The caller of these does not wait.
                let _ = stream.try_write(FULL);
            }
            let _ = SockRef::from(&stream).shutdown(std::net::Shutdown::Both);
            return Err(DispatchError::Io(io::ErrorKind::ConnectionRefused.into()));
        };
        let (wire, is_encrypted) = match &self.tls {
            None => (Either::Left(stream), false),
            Some(tls) => {
                let greeted = timeout(self.patience.min(HANDSHAKE), tls.accept(stream)).await;
                let greeted = greeted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                let stream = greeted.map_err(|error| {
                    log::debug!("{peer}: no TLS handshake: {error}");
                    DispatchError::Io(error)
                })?;
                (Either::Right(Box::new(stream)), true)
            }
        };
        let seen = Seen { open, is_encrypted };
        Ok((wire, seen, peer))
    }
}

/// Ends a connection whose other end takes nothing of what waits for it for so long.
fn give_up_on_those_who_do_not_read(stream: &TcpStream, after: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(error) = SockRef::from(stream).set_tcp_user_timeout(Some(after)) {
        log::debug!("a connection has no time limit for writing: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, after);
}
