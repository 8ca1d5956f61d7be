//! The connections that are open, and which of them has to go when there are too many.
//!
//! A server that stops to accept at its limit can be shut by one client that holds that many connections open and
//! sends nothing. So a new connection is always let in while one can be found that is worth less, and
//! that one is closed: first those on which no request is under way, the longest idle first; then those whose request
//! has made no progress for a while. A worker that is late tells of old connections as if they were new: they take the
//! place of other connections of this worker, before that of a new one of another worker (ADR 475).
//!
//! An address that holds more than its share pays for its own, unless it is that of a trusted proxy, which stands for
//! many callers. Requests of callers without the token may not take up all of the places: some are left for holders of
//! the token.

mod choose;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use socket2::{SockRef, Socket};

use crate::config::Network;
use crate::pace::Turn;

/// Bytes of an unread answer that the kernel holds. Left to itself it grows to several megabytes for each
/// connection.
const SEND_BUFFER: usize = 128 * 1024;

/// Connections of the least worth that are looked at, whether one is idle in truth.
const LOOKS: usize = 16;

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// In all.
    pub(crate) all: usize,
    /// From one address that is neither of this machine nor of a trusted proxy; all of a network, where it is IPv6.
    pub(crate) per_address: usize,
    /// Of them all, only for callers who have shown the token. None where there is no token.
    pub(crate) reserved: usize,
}

/// The open connections of a server.
#[derive(Debug)]
pub(crate) struct Connections {
    limits: Limits,
    /// Trusted proxies: through one of them come the connections of many callers.
    proxies: Vec<Network>,
    start: Instant,
    table: Mutex<Table>,
    evicted: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    all: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    address: IpAddr,
    /// The thread that serves it. Each one tells of its connections in the order in which they were made.
    worker: ThreadId,
    /// The same socket, to end the connection from here.
    socket: Socket,
    state: Arc<State>,
}

/// The state of a connection.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Requests under way.
    requests: AtomicU32,
    /// When something last went on, ms since the start of the server.
    active: AtomicU64,
    /// Whether a request on it carried the token.
    trusted: AtomicBool,
}

/// Counts of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) open: usize,
    pub(crate) evicted: u64,
    pub(crate) refused: u64,
}

impl Connections {
    pub(crate) fn new(limits: Limits, proxies: Vec<Network>) -> Arc<Self> {
        Arc::new(Self {
            limits,
            proxies,
            start: Instant::now(),
            table: Mutex::default(),
            evicted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection in, for which others may have to go. `None`: it has to end, as all others are worth more.
    pub(crate) fn open(self: &Arc<Self>, address: IpAddr, stream: SockRef<'_>) -> Option<Open> {
        if let Err(error) = stream.set_send_buffer_size(SEND_BUFFER) {
            log::debug!("a connection keeps the system's send buffer: {error}");
        }
        let socket = match stream.try_clone() {
            Ok(socket) => socket,
            Err(error) => {
                // Without another handle it could not be closed when its turn comes.
                log::warn!("a connection is refused: {error}");
                self.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            }
        };
        let is_shared = self.is_shared(address);
        let address = choose::network(address);
        let mut table = self.table();
        if !self.make_room(&mut table, address, is_shared) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let state = Arc::new(State::default());
        state.active.store(self.elapsed(), Ordering::Relaxed);
        let id = table.next;
        table.next += 1;
        let entry = Entry {
            address,
            worker: thread::current().id(),
            socket,
            state: Arc::clone(&state),
        };
        table.all.insert(id, entry);
        Some(Open {
            id,
            state,
            connections: Arc::clone(self),
        })
    }

    /// Whether an address stands for callers that have nothing to do with each other.
    fn is_shared(&self, address: IpAddr) -> bool {
        address.to_canonical().is_loopback()
            || self.proxies.iter().any(|proxy| proxy.contains(address))
    }

    /// Closes what has to go for one more. False: nothing can.
    fn make_room(&self, table: &mut Table, address: IpAddr, is_shared: bool) -> bool {
        let of_address = |entry: &Entry| entry.address == address;
        let count = table.all.values().filter(|entry| of_address(entry)).count();
        if !is_shared && count >= self.limits.per_address {
            // It pays with one of its own, even where there is room for others.
            return self.evict(table, of_address);
        }
        if table.all.len() < self.limits.all {
            return true;
        }
        // The address that holds the most loses a connection first.
        let greediest = choose::greediest(table.all.values().map(|entry| entry.address));
        greediest.is_some_and(|most| self.evict(table, |entry| entry.address == most))
            || self.evict(table, |_| true)
    }

    fn evict(&self, table: &mut Table, of: impl Fn(&Entry) -> bool) -> bool {
        let now = self.elapsed();
        let worker = thread::current().id();
        let candidates = table.all.iter().filter(|(_, entry)| of(entry));
        let worth = |(id, entry): (&u64, &Entry)| {
            let worth = entry.state.worth(now, entry.worker == worker)?;
            Some((worth, *id))
        };
        let mut order: Vec<_> = candidates.filter_map(worth).collect();
        if order.len() > LOOKS {
            order.select_nth_unstable(LOOKS);
            order.truncate(LOOKS);
        }
        order.sort_unstable();
        // If something waits from each of them, the first has to go.
        let unread = |(_, id): &&(_, u64)| table.all.get(id).is_some_and(Entry::is_unread);
        let least = order.iter().find(|one| !unread(one)).or(order.first());
        let Some((_, id)) = least else {
            return false;
        };
        if let Some(entry) = table.all.remove(id) {
            // It may have ended by itself.
            let _ = entry.socket.shutdown(std::net::Shutdown::Both);
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
        true
    }

    /// Whether one more request without the token may be worked on.
    fn has_place(&self) -> bool {
        if self.limits.reserved == 0 {
            return true;
        }
        let table = self.table();
        let strangers = table.all.values().filter(|entry| {
            entry.state.requests.load(Ordering::Relaxed) > 0
                && !entry.state.trusted.load(Ordering::Relaxed)
        });
        // This request is counted, too.
        strangers.count() <= self.limits.all - self.limits.reserved
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The counts.
    pub(crate) fn look(&self) -> Look {
        Look {
            open: self.table().all.len(),
            evicted: self.evicted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

impl Entry {
    /// Whether something has arrived that its worker has not read: it waits for us, and is not idle.
    fn is_unread(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        // Without the flag of the socket this would wait.
        self.socket.set_nonblocking(true).is_ok()
            && self.socket.peek(&mut byte).is_ok_and(|bytes| bytes > 0)
    }
}

impl State {
    /// The worth of a connection, the least first; `None`: it stays. `is_own`: the thread that asks serves it.
    fn worth(&self, now: u64, is_own: bool) -> Option<(choose::Worth, u64)> {
        let active = self.active.load(Ordering::Relaxed);
        let silent = Duration::from_millis(now.saturating_sub(active));
        let requests = self.requests.load(Ordering::Relaxed);
        let trusted = self.trusted.load(Ordering::Relaxed);
        choose::worth(requests, trusted, silent, is_own).map(|worth| (worth, active))
    }
}

/// An open connection; belongs to the data of the connection, and leaves the table when that goes.
#[derive(Debug)]
pub(crate) struct Open {
    id: u64,
    state: Arc<State>,
    connections: Arc<Connections>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.connections.table().all.remove(&self.id);
    }
}

/// A request that is under way, until its answer is sent. The next one of its connection waits for its end.
#[derive(Debug)]
pub(crate) struct UnderWay {
    state: Arc<State>,
    connections: Arc<Connections>,
    /// Kept for its end.
    turn: Option<Turn>,
}

impl Open {
    /// Begins a request.
    pub(crate) fn begin(&self) -> UnderWay {
        self.state.requests.fetch_add(1, Ordering::Relaxed);
        let under_way = UnderWay {
            state: Arc::clone(&self.state),
            connections: Arc::clone(&self.connections),
            turn: None,
        };
        under_way.goes_on();
        under_way
    }

    /// Notes that a request carries the token, or has a session.
    pub(crate) fn trust(&self) {
        self.state.trusted.store(true, Ordering::Relaxed);
    }

    /// Whether a request without the token may be worked on: places are left for those who have it.
    pub(crate) fn has_place(&self) -> bool {
        self.state.trusted.load(Ordering::Relaxed) || self.connections.has_place()
    }
}

impl UnderWay {
    /// `None`: the connection of this request is not counted.
    pub(crate) fn begin(request: &HttpRequest) -> Option<Self> {
        let open = request.conn_data::<Open>()?;
        let mut under_way = open.begin();
        under_way.turn = Turn::begin(request);
        Some(under_way)
    }

    /// Something was read or sent.
    pub(crate) fn goes_on(&self) {
        let now = self.connections.elapsed();
        self.state.active.store(now, Ordering::Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.goes_on();
        // With the end of its turn, the next request of the connection is read.
        self.turn = None;
        self.state.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// [`Open::trust`] of the connection of a request.
pub(crate) fn trust(request: &HttpRequest) {
    if let Some(open) = request.conn_data::<Open>() {
        open.trust();
    }
}

/// [`Open::has_place`] of the connection of a request.
pub(crate) fn has_place(request: &HttpRequest) -> bool {
    request.conn_data::<Open>().is_none_or(Open::has_place)
}
