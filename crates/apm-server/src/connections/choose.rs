//! The choice of the connection that is worth the least.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// After this time without progress of its request, a connection can be closed for another.
const STUCK: Duration = Duration::from_secs(5);

/// The worth of a connection, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// No request is under way: a new connection, a head that drips in, or one that is kept for later.
    Idle,
    /// The same, made a short while ago and served by another worker. It may be newer than the one that takes its
    /// place, of which the worker tells late.
    New,
    /// The same of a caller who has shown the token.
    IdleTrusted,
    /// A request of a stranger that makes no progress.
    Stuck,
}

/// The worth of a connection. `silent`: since when nothing goes on. `is_own`: the worker that asks serves it. `None`:
/// it is not closed for another.
pub(super) fn worth(requests: u32, trusted: bool, silent: Duration, is_own: bool) -> Option<Worth> {
    match (requests, trusted) {
        (0, false) if !is_own && silent < STUCK => Some(Worth::New),
        (0, false) => Some(Worth::Idle),
        (0, true) => Some(Worth::IdleTrusted),
        (_, false) if silent >= STUCK => Some(Worth::Stuck),
        _ => None,
    }
}

/// The network that counts as one address: in IPv6, everybody has a network of 2⁶⁴ addresses.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address => address,
    }
}

/// The address that holds the most.
pub(super) fn greediest(addresses: impl Iterator<Item = IpAddr>) -> Option<IpAddr> {
    let mut counts: HashMap<IpAddr, usize> = HashMap::new();
    for address in addresses {
        *counts.entry(address).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_connections_go_first_and_work_in_progress_stays() {
        let long = Duration::from_secs(60);
        let worth = |requests, trusted, silent| worth(requests, trusted, silent, true);
        assert_eq!(worth(0, false, Duration::ZERO), Some(Worth::Idle));
        assert_eq!(worth(0, true, long), Some(Worth::IdleTrusted));
        assert_eq!(worth(1, false, long), Some(Worth::Stuck));
        assert_eq!(worth(1, false, Duration::from_secs(1)), None);
        assert_eq!(worth(1, true, long), None);
        let order = [Worth::Idle, Worth::New, Worth::IdleTrusted, Worth::Stuck];
        assert!(order.is_sorted());
    }

    #[test]
    fn new_connections_of_other_workers_stay_longer() {
        let new = Duration::from_secs(1);
        assert_eq!(worth(0, false, new, false), Some(Worth::New));
        assert_eq!(worth(0, false, new, true), Some(Worth::Idle));
        assert_eq!(worth(0, false, STUCK, false), Some(Worth::Idle));
        assert_eq!(worth(0, true, new, false), Some(Worth::IdleTrusted));
        assert_eq!(worth(1, false, new, false), None);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2::7"), "2001:db8:1:2::");
        assert_eq!(network("::1"), "::1");
        assert_eq!(network("::ffff:10.0.0.1"), "10.0.0.1");
        assert_eq!(network("10.0.0.1"), "10.0.0.1");
    }

    #[test]
    fn the_greediest_holds_the_most() {
        let [a, b]: [IpAddr; 2] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap());
        assert_eq!(greediest([a, b, b, a, b].into_iter()), Some(b));
        assert_eq!(greediest(std::iter::empty()), None);
    }
}
