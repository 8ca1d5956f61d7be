//! Browsers that have signed in. They are forgotten when the server stops.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName};
use subtle::ConstantTimeEq as _;

use crate::api_keys::Hash;
use crate::random;

/// The cookie that holds a session's secret.
const COOKIE: &str = "pocket_apm_session";
/// Sessions that are remembered; the oldest goes of the secret that has most.
const REMEMBERED: usize = 64;
/// The longest time that a session lasts.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// The time after which a session ends that is not used.
const IDLE: Duration = Duration::from_secs(12 * 3600);

type Secret = [u8; 32];

/// Sessions that a browser sent: one that ended may stand before the one that holds.
pub(super) fn sent(request: &HttpRequest) -> impl Iterator<Item = &str> {
    let cookies = request
        .headers()
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok());
    let pairs = cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// The header that gives a browser a session; an empty one takes it away. A link from elsewhere leads to a page with it
/// (`Lax`), and what changes something is refused to other sites by the guard, whatever cookies come along.
pub(super) fn give(session: &str) -> (HeaderName, String) {
    let age = if session.is_empty() {
        "; Max-Age=0"
    } else {
        ""
    };
    let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax{age}");
    (header::SET_COOKIE, cookie)
}

#[derive(Clone, Copy)]
struct Session {
    secret: Secret,
    /// The secret that was shown when it began. It ends with that one.
    credential: Hash,
    since: Instant,
    used: Instant,
}

impl Session {
    fn has_ended(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= LONGEST
            || now.saturating_duration_since(self.used) >= IDLE
    }
}

/// The sessions, the newest first.
#[derive(Default)]
pub(super) struct Sessions(Mutex<VecDeque<Session>>);

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions(…)")
    }
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a session; what its cookie holds.
    pub(super) fn start(&self, credential: Hash, now: Instant) -> String {
        let secret: Secret = random::bytes();
        let mut sessions = self.lock();
        sessions.retain(|session| !session.has_ended(now));
        while sessions.len() >= REMEMBERED {
            forget_one(&mut sessions);
        }
        sessions.push_front(Session {
            secret,
            credential,
            since: now,
            used: now,
        });
        secret.iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }

    /// Ends a session.
    pub(super) fn end(&self, cookie: &str) {
        if let Some(given) = secret(cookie) {
            self.lock()
                .retain(|known| !bool::from(known.secret.ct_eq(&given)));
        }
    }

    /// The secret that the session of a cookie began with, in a time that does not depend on how much of the cookie is
    /// right.
    pub(super) fn credential(&self, cookie: &str, now: Instant) -> Option<Hash> {
        let given = secret(cookie)?;
        let mut found = None;
        // All are compared, also after one was found: the time must not tell the place of a session.
        for session in self.lock().iter_mut() {
            if bool::from(session.secret.ct_eq(&given)) && !session.has_ended(now) {
                session.used = now;
                found = Some(session.credential);
            }
        }
        found
    }
}

/// Whoever signs in again and again takes the sessions of no other secret.
fn forget_one(sessions: &mut VecDeque<Session>) {
    let mut counts: HashMap<Hash, usize> = HashMap::new();
    for session in sessions.iter() {
        *counts.entry(session.credential).or_default() += 1;
    }
    let most = counts.values().max().copied().unwrap_or_default();
    // The newest stand first. Of secrets with equally many, the oldest session of them all goes.
    let oldest = sessions
        .iter()
        .rposition(|session| counts.get(&session.credential) == Some(&most));
    if let Some(oldest) = oldest {
        sessions.remove(oldest);
    }
}

fn secret(cookie: &str) -> Option<Secret> {
    let mut secret = Secret::default();
    if cookie.len() != 2 * secret.len() || !cookie.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&cookie[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_until_it_ends_or_too_many_follow() {
        let sessions = Sessions::default();
        let now = Instant::now();
        let has = |session: &str| sessions.credential(session, now).is_some();
        let (first, second) = (sessions.start([1; 32], now), sessions.start([2; 32], now));
        assert_eq!(sessions.credential(&first, now), Some([1; 32]));
        assert_eq!(sessions.credential(&second, now), Some([2; 32]));
        sessions.end(&first);
        assert!(!has(&first) && has(&second));
        for _ in 0..2 * REMEMBERED {
            sessions.start([1; 32], now);
        }
        assert!(has(&second), "it is of another secret");
        let newest = sessions.start([2; 32], now);
        for _ in 0..REMEMBERED {
            sessions.start([2; 32], now);
        }
        assert!(!has(&second) && !has(&newest));
        for wrong in ["", "zz", &"é".repeat(32), &"0".repeat(64)] {
            assert!(!has(wrong));
        }
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_after_a_week_in_any_case() {
        let sessions = Sessions::default();
        let start = Instant::now();
        let (used, idle) = (
            sessions.start([1; 32], start),
            sessions.start([2; 32], start),
        );
        let hour = Duration::from_secs(3600);
        let mut now = start;
        while now < start + 167 * hour {
            now += 11 * hour;
            let lasts = now < start + LONGEST;
            assert_eq!(
                sessions.credential(&used, now).is_some(),
                lasts,
                "{:?}",
                now - start
            );
        }
        assert_eq!(sessions.credential(&used, start + LONGEST), None);
        assert!(sessions.credential(&idle, start + 13 * hour).is_none());
    }
}
