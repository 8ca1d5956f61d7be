//! Plans of servers, from JSON to lines. The tests need no server and no client library.

#[cfg(any(feature = "mysql", test))]
pub(super) mod mysql;
#[cfg(any(feature = "postgres", test))]
pub(super) mod postgresql;
