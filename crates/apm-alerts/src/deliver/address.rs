//! Addresses that a receiver of the page may lead to: public ones, and networks that an option names.
//!
//! A person who may change rules could otherwise make the server send requests into its own network. Names are judged
//! by what they resolve to at each attempt.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The networks that are allowed besides public addresses.
#[derive(Clone, Debug)]
pub(super) struct Allowed(Arc<Vec<IpNet>>);

impl Allowed {
    pub(super) fn new(networks: &[IpNet]) -> Self {
        Self(Arc::new(networks.to_vec()))
    }

    /// Whether a receiver of the page may be at an address.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        // An IPv4 address within one of IPv6 is judged as itself.
        let address = address.to_canonical();
        is_public(address) || self.0.iter().any(|network| network.contains(&address))
    }
}

/// Whether an address is one of the Internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            // 100.64.0.0/10 lies behind the NAT of a provider.
            let is_shared = a == 100 && (64..128).contains(&b);
            // 192.0.0.0/24 is for protocols, 198.18.0.0/15 for measurements.
            let is_protocol = (a, b, c) == (192, 0, 0) || (a == 198 && (b == 18 || b == 19));
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                || is_shared
                || is_protocol)
        }
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let first = v6.segments()[0];
    // Global unicast without the networks that carry an IPv4 address (6to4, Teredo) or are for documents.
    let is_global = first & 0xe000 == 0x2000;
    let carries = first == 0x2002 || (first == 0x2001 && v6.segments()[1] < 0x0200);
    let is_documentation = first == 0x2001 && v6.segments()[1] == 0x0db8;
    is_global && !carries && !is_documentation
}

impl Resolve for Allowed {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.clone();
        Box::pin(async move {
            // The HTTP client sets the port.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found
                .filter(|address| allowed.allows(address.ip()))
                .collect();
            match found.is_empty() {
                true => Err(Box::new(refused()) as _),
                false => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

/// The error for an address that is not allowed.
pub(super) fn refused() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "it leads to an address that is not public: name its network in alerts.networks of the configuration file, or \
         write the receiver there",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_and_named_networks_are_allowed() {
        let named = ["10.1.0.0/16".parse().unwrap()];
        let allowed = Allowed::new(&named);
        for (address, expected) in [
            ("93.184.216.34", true),
            ("2a00:1450:4001::1", true),
            ("127.0.0.1", false),
            ("0.0.0.0", false),
            ("10.1.2.3", true),
            ("10.2.0.1", false),
            ("192.168.1.1", false),
            ("172.16.0.1", false),
            ("100.64.0.1", false),
            ("169.254.169.254", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.1.2.3", true),
            ("64:ff9b::7f00:1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("2002:7f00:1::", false),
        ] {
            assert_eq!(
                allowed.allows(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }
}
