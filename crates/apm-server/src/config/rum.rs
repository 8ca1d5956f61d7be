//! The terms on which events of browsers' agents are taken.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The terms on which events of browsers' agents are taken: anyone who can load a page can send what its agent sends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rum {
    /// Origins of pages that may send, such as `https://shop.example`. `*` stands for any characters.
    pub allow_origins: Vec<String>,
    /// Headers that pages may send besides those of the agent.
    pub allow_headers: Vec<String>,
    /// Services that may send without a secret. None: all.
    pub allow_services: Vec<String>,
    /// Events a second that one address may send without a secret; three times as many at once.
    pub rate: u32,
    /// The part of a browser's address that is kept.
    pub client_address: ClientAddress,
}

impl Default for Rum {
    fn default() -> Self {
        Self {
            allow_origins: vec!["*".to_owned()],
            allow_headers: Vec::new(),
            allow_services: Vec::new(),
            rate: 300,
            client_address: ClientAddress::Whole,
        }
    }
}

/// The part of a browser's address that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// All of it.
    Whole,
    /// The network: the last byte of an IPv4 address is 0, and all but the first six bytes of an IPv6 address are.
    Cut,
    /// Nothing.
    None,
}

impl ClientAddress {
    /// The part of an address that is kept.
    pub(crate) fn kept_part(self, address: IpAddr) -> Option<IpAddr> {
        match (self, address.to_canonical()) {
            (Self::Whole, address) => Some(address),
            (Self::Cut, IpAddr::V4(address)) => {
                let kept = u32::from(address) & !0xff;
                Some(Ipv4Addr::from(kept).into())
            }
            (Self::Cut, IpAddr::V6(address)) => {
                let kept = u128::from(address) >> 80 << 80;
                Some(Ipv6Addr::from(kept).into())
            }
            (Self::None, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_no_more_is_kept_than_asked_for() {
        let kept = |how: ClientAddress, address: &str| {
            let address = how.kept_part(address.parse().unwrap());
            address.map(|address| address.to_string())
        };
        let (whole, cut) = (ClientAddress::Whole, ClientAddress::Cut);
        assert_eq!(kept(whole, "203.0.113.44").unwrap(), "203.0.113.44");
        assert_eq!(kept(cut, "203.0.113.44").unwrap(), "203.0.113.0");
        assert_eq!(kept(cut, "::ffff:203.0.113.44").unwrap(), "203.0.113.0");
        assert_eq!(kept(cut, "2001:db8:1:2:3:4:5:6").unwrap(), "2001:db8:1::");
        assert_eq!(kept(ClientAddress::None, "203.0.113.44"), None);
    }
}
