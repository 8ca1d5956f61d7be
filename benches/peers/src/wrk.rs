//! The load: `wrk`, one thread, eight connections, as fast as they are answered.

use std::process::Command;

use anyhow::{Context as _, bail};

/// The result of one burst.
#[derive(Debug)]
pub(crate) struct Burst {
    /// Answers that came back.
    pub(crate) requests: u64,
    pub(crate) per_second: f64,
}

/// Connections, and so the requests that can be under way when a burst ends.
pub(crate) const CONNECTIONS: u64 = 8;

/// Loads `url` for some seconds.
pub(crate) fn burst(url: &str, headers: &[&str], seconds: u32) -> anyhow::Result<Burst> {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s")]);
    for header in headers {
        wrk.args(["-H", header]);
    }
    let output = wrk
        .arg(url)
        .output()
        .context("cannot run wrk: install it, or start benches/peers/run, which does")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || text.contains("Non-2xx") || text.contains("Socket errors") {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("wrk {url}: {text}{stderr}");
    }
    parse(&text).with_context(|| format!("wrk printed something else: {text}"))
}

/// Reads `  43210 requests in 1.00s, 5.4MB read` and `Requests/sec:  43210.12`.
fn parse(text: &str) -> Option<Burst> {
    let (before, _) = text.split_once(" requests in ")?;
    let (_, after) = text.split_once("Requests/sec:")?;
    Some(Burst {
        requests: before.split_whitespace().next_back()?.parse().ok()?,
        per_second: after.split_whitespace().next()?.parse().ok()?,
    })
}
