//! Tests on PostgreSQL and MySQL (or MariaDB): `POSTGRES_URL` and `MYSQL_URL` name the servers, which
//! `eval "$(.ci/databases)"` starts. Without them, the tests say so and pass.
//!
//! These tests have a program of their own, because the gate builds it with features that no other test has. In the
//! program of all other tests they would make the gate build the whole workspace a second time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../it"]
mod it {
    #[expect(dead_code, reason = "what the other tests use")]
    pub(crate) mod support;
}
mod example;
mod plans;
mod queries;

use it::support;
