//! The rate at which one address may send: a bucket of tokens, one for each request and each event.
//!
//! The addresses that are remembered have a limit. A new one gets the bucket of the one that was silent for the
//! longest, as it is: so a sender with many addresses gains nothing by changing them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Addresses that are remembered.
const REMEMBERED: usize = 1000;
/// Times of the rate of a second that may come at once.
const BURST: f64 = 3.0;

/// Buckets by address.
#[derive(Debug)]
pub(super) struct Rate {
    /// Tokens a second.
    rate: f64,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Rate {
    pub(super) fn new(rate: u32) -> Self {
        Self {
            rate: rate.into(),
            buckets: Mutex::default(),
        }
    }

    /// Takes so many tokens of an address, or none where there are fewer.
    pub(super) fn take(&self, address: IpAddr, tokens: u32) -> bool {
        self.take_at(address, tokens, Instant::now())
    }

    fn take_at(&self, address: IpAddr, tokens: u32, now: Instant) -> bool {
        let most = self.rate * BURST;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = network(address);
        if !buckets.contains_key(&key) {
            let mut bucket = Bucket {
                tokens: most,
                filled: now,
            };
            if buckets.len() >= REMEMBERED {
                let silent = buckets.iter().min_by_key(|(_, bucket)| bucket.filled);
                if let Some(left) = silent.map(|(address, _)| *address)
                    && let Some(old) = buckets.remove(&left)
                {
                    bucket = old;
                }
            }
            buckets.insert(key, bucket);
        }
        let Some(bucket) = buckets.get_mut(&key) else {
            return false;
        };
        let since = now.saturating_duration_since(bucket.filled);
        bucket.tokens = (bucket.tokens + since.as_secs_f64() * self.rate).min(most);
        // Another thread may have been here with a later time.
        bucket.filled = bucket.filled.max(now);
        let wanted = f64::from(tokens);
        let is_taken = wanted <= bucket.tokens;
        if is_taken {
            bucket.tokens -= wanted;
        }
        is_taken
    }
}

/// The address; in IPv6 the network of 2⁶⁴ that one sender has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn v4(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn three_seconds_worth_may_come_at_once_and_then_the_rate() {
        let rate = Rate::new(20);
        let now = Instant::now();
        let taken = (0..60).filter(|_| rate.take_at(v4(1), 12, now)).count();
        assert_eq!(taken, 5);
        assert!(rate.take_at(v4(2), 60, now), "another address has its own");
        let later = now + Duration::from_millis(500);
        assert!(!rate.take_at(v4(1), 11, later) && rate.take_at(v4(1), 10, later));
        let much_later = now + Duration::from_secs(3600);
        assert!(!rate.take_at(v4(1), 61, much_later) && rate.take_at(v4(1), 60, much_later));
    }

    #[test]
    fn a_network_of_ipv6_is_one_sender() {
        let rate = Rate::new(1);
        let now = Instant::now();
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(rate.take_at(at("2001:db8::1"), 3, now));
        assert!(!rate.take_at(at("2001:db8::2"), 1, now));
        assert!(rate.take_at(at("2001:db8:0:1::1"), 1, now));
        assert!(rate.take_at(at("::ffff:1.2.3.4"), 3, now) && !rate.take_at(at("1.2.3.4"), 1, now));
    }

    #[test]
    fn new_addresses_get_the_buckets_of_old_ones() {
        let rate = Rate::new(1);
        let now = Instant::now();
        for number in 0..REMEMBERED as u32 {
            assert!(rate.take_at(v4(number), 3, now + Duration::from_micros(number.into())));
        }
        assert!(!rate.take_at(v4(5000), 3, now + Duration::from_millis(1)));
        assert_eq!(rate.buckets.lock().unwrap().len(), REMEMBERED);
    }
}
