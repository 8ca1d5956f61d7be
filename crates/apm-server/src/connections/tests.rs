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
