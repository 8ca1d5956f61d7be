//! The embedded APM server.
