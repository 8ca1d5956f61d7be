//! The embedded APM server: Elastic's intake v2, stored in SQLite, analysed in SQL, shown on pages.
//!
//! Floors, from the top: `ui` and `http` → `analytics` → `store` → `event`; `intake` → `event`, `store`.
//! No arrow runs back up.

pub mod event;
pub mod kql;
pub mod store;
pub mod time;
