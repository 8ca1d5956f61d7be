//! A number of requests, one after another, on one connection: the same work each time, for what counts instructions.

use std::net::SocketAddr;

use crate::client::Connection;

/// Asks for a path so many times.
pub(crate) fn ask(address: SocketAddr, path: &str, requests: u32) -> anyhow::Result<()> {
    let mut connection = Connection::open(address, path, &[])?;
    for _ in 0..requests {
        connection.send()?;
        connection.receive()?;
    }
    Ok(())
}
