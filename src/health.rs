//! `pocket-apm health`: whether a running APM server can store events, as the check of a container.
//!
//! An image that holds this binary and nothing else has no other program that could ask.

use std::time::Duration;

use actix_web::rt::System;
use anyhow::Context as _;
use tokio::time::timeout;

use crate::cli::{ApmOptions, HealthOptions};
use crate::remote;
use crate::terminal::print;

/// The longest time that the answer may take. The server itself gives its writer two seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the server, and prints what it says.
///
/// # Errors
/// If it cannot be reached, takes too long, or cannot store events.
pub fn run(options: &HealthOptions, apm: &ApmOptions) -> anyhow::Result<()> {
    let (url, ca_file) = (options.server.as_deref(), options.server_ca_file.as_ref());
    // Everyone may ask for this, so that no secret is read or shown.
    let server = remote::open(url, None, ca_file, apm)?;
    let asked = System::new().block_on(async {
        let asked = remote::get(&server, "/healthz", &[]);
        timeout(PATIENCE, asked).await
    });
    let said = asked.with_context(|| {
        format!(
            "{} has not answered within {} s",
            server.url(),
            PATIENCE.as_secs()
        )
    })??;
    Ok(print(&format!(
        "{}\n",
        String::from_utf8_lossy(&said).trim_end()
    ))?)
}
