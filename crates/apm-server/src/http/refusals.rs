//! Numbers of requests that the guard refused, by reason.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The name by which the server was asked.
    Host,
    /// Another site's page sent it.
    Site,
    /// No secret, or a wrong one.
    Credentials,
    /// A key without the privilege.
    Privilege,
    /// Too many wrong secrets before.
    Attempts,
    /// More requests than its address may send.
    Rate,
}

impl Refusal {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Host, "host"),
        (Self::Site, "site"),
        (Self::Credentials, "credentials"),
        (Self::Privilege, "privilege"),
        (Self::Attempts, "attempts"),
        (Self::Rate, "rate"),
    ];
}

/// The counts since the start of the server.
#[derive(Debug, Default)]
pub(super) struct Refusals([AtomicU64; Refusal::ALL.len()]);

impl Refusals {
    pub(super) fn count(&self, why: Refusal) {
        self.0[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn look(&self) -> Vec<(&'static str, u64)> {
        let count =
            |(why, name): (Refusal, _)| (name, self.0[why as usize].load(Ordering::Relaxed));
        Refusal::ALL.into_iter().map(count).collect()
    }
}
