//! The service's database and queries, from their own sources.

#[path = "../../../../src/db.rs"]
pub mod db;
#[path = "../../../../src/people.rs"]
pub mod people;
#[path = "../../../../src/schema.rs"]
pub mod schema;
