//! The thread's memory of the names of headers.

use std::cell::RefCell;

use ::http::{HeaderMap, HeaderName};

use crate::integrations::http_server::HeaderCache;

thread_local! {
    static CACHE: RefCell<HeaderCache<HeaderName>> = RefCell::default();
}

/// Lends the cache to a function, which runs no code of the service. While a thread is being torn down there is no
/// cache, and each name is decided anew.
pub(super) fn with_cache<R>(run: impl Fn(&mut HeaderCache<HeaderName>) -> R) -> R {
    let lent = CACHE.try_with(|cache| Some(run(&mut *cache.try_borrow_mut().ok()?)));
    match lent {
        Ok(Some(value)) => value,
        _ => run(&mut HeaderCache::default()),
    }
}

pub(super) fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &[u8])> {
    headers.iter().map(|(name, value)| (name, value.as_bytes()))
}

/// The value of a header, if it is text.
pub(super) fn text(headers: &HeaderMap, name: impl ::http::header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
