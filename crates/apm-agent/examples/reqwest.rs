//! Outgoing requests: each is a span, and the service that is called joins the trace.
//!
//! `cargo run -p apm-agent --features reqwest --example reqwest -- http://127.0.0.1:8080/people`

#![expect(clippy::print_stdout, reason = "its output is what the example is for")]

use std::time::Duration;

use apm_agent::Agent;
use apm_agent::reqwest::RequestBuilderExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: reqwest URL")?;
    let agent = Agent::from_env()?.start();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .build()?;

    let transaction = agent.transaction("ask for a person", "task");
    let answer = transaction
        .wrap(async { client.get(url).send_traced().await?.text().await })
        .await;
    agent.shutdown(Duration::from_secs(2));

    println!("{}", answer?);
    Ok(())
}

/// TLS with the system's certificate authorities. A service that has reqwest's default features needs none of this.
fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    use rustls_platform_verifier::BuilderVerifierExt as _;
    let provider = rustls::crypto::ring::default_provider();
    let builder = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()?;
    Ok(builder.with_platform_verifier()?.with_no_client_auth())
}
