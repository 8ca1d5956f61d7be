//! The example does what it says.

use crate::support::programs::{example, named, names};
use crate::support::server::{Behaviour, FakeServer};

#[test]
fn postgresql_is_asked_in_three_spans() {
    if std::env::var_os("POSTGRES_URL").is_none() {
        eprintln!("skipped: POSTGRES_URL is not set");
        return;
    }
    let server = FakeServer::start(Behaviour::Accept);
    let mut postgresql = example("postgresql", &server)
        .expect("cargo build --example postgresql --features mysql,postgres comes first");
    assert!(postgresql.status().unwrap().success());
    assert_eq!(
        names(&named(&server, "span")),
        ["CREATE", "INSERT INTO person", "SELECT FROM person"]
    );
}
