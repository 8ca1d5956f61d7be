use std::io::Write as _;
use std::net::{TcpListener, TcpStream};

use super::*;

/// Connections of which two may come from one address, and none is worth less than a new one.
struct Place {
    connections: Arc<Connections>,
    sockets: Vec<TcpStream>,
    held: Vec<(Open, UnderWay)>,
    listener: TcpListener,
}

impl Place {
    fn new(proxies: &[&str]) -> Self {
        let limits = Limits {
            all: 100,
            per_address: 2,
            reserved: 0,
        };
        let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap());
        Self {
            connections: Connections::new(limits, proxies.collect()),
            sockets: Vec::new(),
            held: Vec::new(),
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
        }
    }

    /// Whether a connection is let in that comes from an address; a request on it is then under way.
    fn lets_in(&mut self, address: &str) -> bool {
        let stream = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        let open = self
            .connections
            .open(address.parse().unwrap(), SockRef::from(&stream));
        self.sockets.push(stream);
        let is_in = open.is_some();
        self.held.extend(open.map(|open| {
            let under_way = open.begin();
            (open, under_way)
        }));
        is_in
    }
}

#[test]
fn an_address_has_a_limit_of_its_own_and_a_trusted_proxy_has_not() {
    for (address, proxies, is_bounded) in [
        ("10.0.0.7", &[][..], true),
        ("10.0.0.7", &["10.0.0.8"], true),
        ("10.0.0.7", &["10.0.0.0/24"], false),
        ("::ffff:10.0.0.7", &["10.0.0.7"], false),
        ("2001:db8::7", &[], true),
        // A network of 2⁶⁴ counts as one address, and one address of it is the proxy.
        ("2001:db8::7", &["2001:db8::7"], false),
        ("2001:db8::8", &["2001:db8::7"], true),
        ("127.0.0.1", &[], false),
        ("::ffff:127.0.0.1", &[], false),
        ("::1", &[], false),
    ] {
        let mut place = Place::new(proxies);
        assert!(place.lets_in(address) && place.lets_in(address));
        assert_eq!(
            place.lets_in(address),
            !is_bounded,
            "{address} where {proxies:?} are trusted"
        );
        assert_eq!(place.connections.look().refused, u64::from(is_bounded));
        // Others are let in.
        assert!(place.lets_in("192.0.2.1"));
    }
}

/// A server's end of a connection, and the client's.
fn pair(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0, client)
}

/// Connections of this machine, of which there are at most ten.
fn ten() -> Arc<Connections> {
    let limits = Limits {
        all: 10,
        per_address: 10,
        reserved: 0,
    };
    Connections::new(limits, Vec::new())
}

fn is_open(connections: &Connections, open: &Open) -> bool {
    connections.table().all.contains_key(&open.id)
}

#[test]
fn a_worker_that_tells_late_of_old_connections_closes_no_newer_one() {
    let connections = ten();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // Connections arrive in this order; two workers take turns.
    let (mut first, mut second): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        first.push(pair(&listener));
        second.push(pair(&listener));
    }
    let open_all = |pairs: &[(TcpStream, TcpStream)]| -> Vec<Open> {
        let open = |(stream, _): &(TcpStream, TcpStream)| {
            let address = "127.0.0.1".parse().unwrap();
            connections.open(address, SockRef::from(stream))
        };
        pairs.iter().filter_map(open).collect()
    };
    // The second tells of all of its connections before the first begins.
    let (newest, late) = thread::scope(|scope| {
        let newest = scope.spawn(|| open_all(&second)).join().unwrap();
        let late = scope.spawn(|| open_all(&first)).join().unwrap();
        (newest, late)
    });
    assert_eq!((newest.len(), late.len()), (30, 30), "all were let in");
    assert!(is_open(&connections, &newest[29]), "the newest one of all");
    assert!(
        is_open(&connections, &late[29]),
        "the newest one of its worker"
    );
    assert_eq!(connections.look().open, 10);
}

#[test]
fn a_connection_whose_request_was_not_read_is_not_idle() {
    let connections = ten();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut held = Vec::new();
    let mut add = |request: &[u8]| {
        let (stream, mut client) = pair(&listener);
        client.write_all(request).unwrap();
        let mut byte = [0];
        // It has arrived.
        let waiting = if request.is_empty() {
            0
        } else {
            stream.peek(&mut byte).unwrap()
        };
        assert_eq!(waiting, request.len().min(1));
        let address = "127.0.0.1".parse().unwrap();
        let open = connections.open(address, SockRef::from(&stream)).unwrap();
        let id = open.id;
        held.push((open, stream, client));
        id
    };
    let asks = add(b"GET /healthz HTTP/1.1\r\n");
    for _ in 0..50 {
        add(b"");
    }
    let has = |id: u64| connections.table().all.contains_key(&id);
    assert!(has(asks), "it waits for its worker");
    // If all wait for it, a new one is let in all the same.
    let ids: Vec<u64> = (0..20).map(|_| add(b"GET")).collect();
    assert!(!has(asks) && has(ids[19]));
    assert_eq!(connections.look().open, 10);
}
