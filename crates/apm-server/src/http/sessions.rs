//! Browsers that have given the secret token. They are forgotten when the server stops.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName};
use rand::Rng as _;
use subtle::{Choice, ConstantTimeEq as _};

/// The cookie that holds a session's secret.
const COOKIE: &str = "pocket_apm_session";
/// Sessions that are remembered; the oldest goes.
const REMEMBERED: usize = 64;

type Secret = [u8; 32];

/// What a browser sent as its session: one that ended may stand before the one that holds.
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

/// The header that gives a browser a session; an empty one takes it away. A link from elsewhere leads to a page with it (`Lax`), and what
/// changes something is refused to other sites by the guard, whatever cookies come along.
pub(super) fn give(session: &str) -> (HeaderName, String) {
    let age = if session.is_empty() {
        "; Max-Age=0"
    } else {
        ""
    };
    let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax{age}");
    (header::SET_COOKIE, cookie)
}

/// The secrets of the sessions, the newest first.
#[derive(Default)]
pub(super) struct Sessions(Mutex<VecDeque<Secret>>);

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions(…)")
    }
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a session; what its cookie holds.
    pub(super) fn start(&self) -> String {
        let mut secret = Secret::default();
        rand::rng().fill_bytes(&mut secret);
        let mut sessions = self.lock();
        sessions.truncate(REMEMBERED - 1);
        sessions.push_front(secret);
        secret.iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }

    /// Ends a session.
    pub(super) fn end(&self, cookie: &str) {
        if let Some(given) = secret(cookie) {
            self.lock().retain(|known| !bool::from(known.ct_eq(&given)));
        }
    }

    /// Whether a cookie is that of a session, in a time that does not depend on how much of it is right.
    pub(super) fn has(&self, cookie: &str) -> bool {
        let Some(given) = secret(cookie) else {
            return false;
        };
        let any = |any: Choice, known: &Secret| any | known.ct_eq(&given);
        self.lock().iter().fold(Choice::from(0), any).into()
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
        let (first, second) = (sessions.start(), sessions.start());
        assert!(sessions.has(&first) && sessions.has(&second));
        sessions.end(&first);
        assert!(!sessions.has(&first) && sessions.has(&second));
        for _ in 0..REMEMBERED {
            sessions.start();
        }
        assert!(!sessions.has(&second));
        for wrong in ["", "zz", &"é".repeat(32), &"0".repeat(64)] {
            assert!(!sessions.has(wrong));
        }
    }
}
