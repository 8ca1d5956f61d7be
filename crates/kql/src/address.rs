//! Addresses of hosts: compared as numbers, and with networks (`10.0.0.0/8`).

use std::net::IpAddr;

/// Whether a field holds an address, by its name as in ECS: `client.ip`, `host.ip`.
pub(super) fn is_field(name: &str) -> bool {
    name == "ip" || name.ends_with(".ip")
}

/// Whether an address is `wanted`, or in the network that is wanted; nothing where either is no address.
pub(super) fn is(address: &str, wanted: &str) -> Option<bool> {
    let address: IpAddr = address.trim().parse().ok()?;
    let (network, bits) = match wanted.trim().split_once('/') {
        Some((network, bits)) => (network, Some(bits.parse::<u32>().ok()?)),
        None => (wanted.trim(), None),
    };
    let network: IpAddr = network.parse().ok()?;
    // A prefix counts the bits of the kind of address that it was written for.
    let (width, skipped) = match network {
        IpAddr::V4(_) => (32, 96),
        IpAddr::V6(_) => (128, 0),
    };
    let bits = bits.unwrap_or(width);
    if bits > width {
        return None;
    }
    let differ = number(address) ^ number(network);
    let rest = 128 - (bits + skipped);
    // Of `::/0` no bit counts, and `>>` cannot shift all of them out.
    Some(differ.checked_shr(rest).unwrap_or(0) == 0)
}

/// The place of an address among all: those of version 4 are among those of version 6.
pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        for (address, wanted, is_in) in [
            ("10.1.2.3", "10.0.0.0/8", Some(true)),
            ("11.1.2.3", "10.0.0.0/8", Some(false)),
            ("10.1.2.3", "10.1.2.3", Some(true)),
            ("10.1.2.3", "0.0.0.0/0", Some(true)),
            ("::1", "0.0.0.0/0", Some(false)),
            ("2001:db8::1", "2001:DB8::/32", Some(true)),
            ("2001:db9::1", "2001:db8::/32", Some(false)),
            ("0:0:0:0:0:0:0:1", "::1", Some(true)),
            ("::ffff:10.1.2.3", "10.0.0.0/8", Some(true)),
            ("10.1.2.3", "::/0", Some(true)),
            ("10.1.2.3", "10.0.0.0/33", None),
            ("10.1.2.3", "10.0.0/8", None),
            ("host", "10.0.0.0/8", None),
        ] {
            assert_eq!(is(address, wanted), is_in, "{address} {wanted}");
        }
    }
}
