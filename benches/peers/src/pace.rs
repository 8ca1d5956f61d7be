//! The load at a fixed rate: so many requests per second, whatever the service could do.
//!
//! A service at full speed finds the next request already there and rarely sleeps. The slower variant leaves its load
//! generator and the sink more of the processors, sleeps more often, and pays for waking up. At one rate for all, each
//! variant sleeps and wakes alike, and the difference of their CPU time is the work that an agent adds.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::client::Connection;

/// Requests that are under way at the same time.
const CONNECTIONS: u32 = 8;
/// The share of the rate that has to be reached.
const REACHED: f64 = 0.95;

/// Asks in rounds of one request per connection, each at its time. Returns the number of requests.
pub(crate) fn burst(
    address: SocketAddr,
    path: &str,
    headers: &[&str],
    rate: u32,
    seconds: u32,
) -> anyhow::Result<u64> {
    let mut connections = (0..CONNECTIONS)
        .map(|_| Connection::open(address, path, headers))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let rounds = rate / CONNECTIONS * seconds;
    let interval = Duration::from_secs(1) * CONNECTIONS / rate;
    let start = Instant::now();
    for round in 0..rounds {
        std::thread::sleep((start + interval * round).saturating_duration_since(Instant::now()));
        for connection in &mut connections {
            connection.send()?;
        }
        for connection in &mut connections {
            connection.receive()?;
        }
    }
    let expected = interval * rounds;
    ensure!(
        start.elapsed().as_secs_f64() * REACHED <= expected.as_secs_f64(),
        "{path} was asked for {rounds} rounds in {:?} instead of {expected:?}: the machine is too slow for this rate",
        start.elapsed()
    );
    Ok(u64::from(rounds * CONNECTIONS))
}
