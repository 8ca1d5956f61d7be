//! Wrong secrets, by the address that sent them: after some of them the address has to wait before another one is
//! looked at.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::api_keys::Hash;

/// Addresses that are remembered; who failed longest ago goes.
const REMEMBERED: usize = 4096;

/// Right secrets that are remembered of an address: many services may send from one.
const SECRETS: usize = 32;

/// The time without a failure after which an address is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);

/// The wrong secrets of one kind of login, and what is remembered of them.
#[derive(Debug)]
pub(super) struct Attempts {
    /// Wrong secrets that cost nothing.
    free: u32,
    /// Longest wait. It doubles from an eighth of a second.
    most: Duration,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    failed: HashMap<IpAddr, Failed>,
    /// Secrets that were right, by address, the newest last.
    passed: HashMap<IpAddr, Vec<Hash>>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    count: u32,
    last: Instant,
    until: Instant,
}

impl Attempts {
    pub(super) fn new(free: u32, most: Duration) -> Self {
        Self {
            free,
            most,
            table: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that an address still has to wait. Callers that may not ask yet must not learn whether their secret is
    /// right.
    pub(super) fn wait(&self, address: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let failed = *self.lock().failed.get(&network(address?))?;
        let left = failed.until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Whether this right secret came from the address before. An attacker who guesses does not know it, so it need not
    /// wait for others behind the same address who do.
    pub(super) fn is_known(&self, address: Option<IpAddr>, secret: &Hash) -> bool {
        let table = self.lock();
        let passed = address.and_then(|address| table.passed.get(&network(address)));
        passed.is_some_and(|passed| passed.contains(secret))
    }

    /// Notes a right secret.
    pub(super) fn passed(&self, address: Option<IpAddr>, secret: &Hash) {
        let Some(address) = address.map(network) else {
            return;
        };
        let mut table = self.lock();
        // An address that is forgotten waits as others do, until the secret is right once more.
        if table.passed.len() >= REMEMBERED && !table.passed.contains_key(&address) {
            table.passed.clear();
        }
        let passed = table.passed.entry(address).or_default();
        if passed.contains(secret) {
            return;
        }
        if passed.len() >= SECRETS {
            passed.remove(0);
        }
        passed.push(*secret);
    }

    /// Notes a wrong secret.
    pub(super) fn failed(&self, address: Option<IpAddr>, now: Instant) {
        let Some(address) = address.map(network) else {
            return;
        };
        let mut table = self.lock();
        let failed = &mut table.failed;
        if failed.len() >= REMEMBERED && !failed.contains_key(&address) {
            failed.retain(|_, failed| now.saturating_duration_since(failed.last) < FORGOTTEN);
            let oldest = failed.iter().min_by_key(|(_, failed)| failed.last);
            if failed.len() >= REMEMBERED
                && let Some(oldest) = oldest.map(|(address, _)| *address)
            {
                failed.remove(&oldest);
            }
        }
        // An entry may outlive the time of forgetting: its count is no longer held against the address.
        let known = failed.get(&address).copied();
        let recent = known.filter(|known| now.saturating_duration_since(known.last) < FORGOTTEN);
        let count = recent.map_or(0, |known| known.count).saturating_add(1);
        let beyond = count.saturating_sub(self.free);
        let wait = match beyond {
            0 => Duration::ZERO,
            beyond => self
                .most
                .min(Duration::from_millis(125) * 2_u32.pow(beyond.min(16))),
        };
        let new = Failed {
            count,
            last: now,
            until: now + wait,
        };
        failed.insert(address, new);
    }
}

/// The owner of an IPv6 address also has the network around it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_secrets_make_their_address_wait_longer_and_longer() {
        let attempts = Attempts::new(5, Duration::from_secs(60));
        let (guesser, other) = ("203.0.113.7".parse().ok(), "203.0.113.8".parse().ok());
        let start = Instant::now();
        let mut now = start;
        let mut guesses = 0;
        while now < start + Duration::from_secs(3600) {
            match attempts.wait(guesser, now) {
                Some(wait) => now += wait,
                None => {
                    guesses += 1;
                    attempts.failed(guesser, now);
                }
            }
        }
        assert!((60..80).contains(&guesses), "{guesses} guesses in an hour");
        assert_eq!(attempts.wait(other, now), None);
        assert_eq!(attempts.wait(guesser, now + FORGOTTEN), None);
        attempts.failed(guesser, now + FORGOTTEN * 2);
        assert_eq!(
            attempts.wait(guesser, now + FORGOTTEN * 2),
            None,
            "it begins anew"
        );
    }

    #[test]
    fn a_secret_that_was_right_is_known_where_it_came_from() {
        let attempts = Attempts::new(0, Duration::from_secs(1));
        let (here, there) = ("2001:db8::1".parse().ok(), "2001:db8:0:1::1".parse().ok());
        attempts.passed(here, &[1; 32]);
        assert!(attempts.is_known(here, &[1; 32]));
        assert!(
            attempts.is_known("2001:db8::2".parse().ok(), &[1; 32]),
            "the same network"
        );
        assert!(!attempts.is_known(here, &[2; 32]) && !attempts.is_known(there, &[1; 32]));
        for other in 2..=SECRETS as u8 {
            attempts.passed(here, &[other; 32]);
        }
        assert!(
            attempts.is_known(here, &[1; 32]),
            "many services send from one address"
        );
        attempts.passed(here, &[0; 32]);
        assert!(!attempts.is_known(here, &[1; 32]) && attempts.is_known(here, &[2; 32]));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = Attempts::new(0, Duration::from_secs(60));
        let now = Instant::now();
        for number in 0..3 * REMEMBERED as u32 {
            let address = Some(IpAddr::V4((0x0a00_0000 + number).into()));
            attempts.failed(address, now + Duration::from_millis(u64::from(number)));
            attempts.passed(address, &[3; 32]);
        }
        let table = attempts.lock();
        assert!(table.failed.len() <= REMEMBERED && table.passed.len() <= REMEMBERED);
        let newest = IpAddr::V4((0x0a00_0000 + 3 * REMEMBERED as u32 - 1).into());
        assert!(table.failed.contains_key(&newest));
    }
}
