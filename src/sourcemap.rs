//! `pocket-apm sourcemap upload`: sends a source map to a running APM server.

use anyhow::Context as _;
use apm_server::source_maps::LARGEST;
use apm_store::text_file;

use crate::cli::{ApmOptions, SourceMapCommand, SourceMapOptions};
use crate::remote;

/// Does what is asked.
///
/// # Errors
/// If the file cannot be read, or the server does not take it.
pub fn run(command: &SourceMapCommand, apm: &ApmOptions) -> anyhow::Result<()> {
    let SourceMapCommand::Upload(options) = command;
    let file = options.file.display();
    // No server takes a larger one, or one that is no text.
    let map = text_file::read(&options.file, LARGEST as u64)
        .with_context(|| format!("cannot read {file}"))?
        .into_bytes();
    let server = remote::server(options.to.server.as_deref(), &options.to.access, apm)?;
    let boundary = boundary(&map);
    let body = form(options, &map, &boundary);
    let kind = format!("multipart/form-data; boundary={boundary}");
    let answer =
        actix_web::rt::System::new().block_on(server.post("/api/apm/sourcemaps", &kind, body))?;
    remote::accepted(&server, answer)?;
    log::info!(
        "the source map of {} is stored for {} {}",
        options.bundle_path,
        options.service_name,
        options.service_version
    );
    Ok(())
}

/// A line that the map does not hold.
fn boundary(map: &[u8]) -> String {
    let mut boundary = "pocket-apm-source-map".to_owned();
    let holds = |text: &str| map.windows(text.len()).any(|part| part == text.as_bytes());
    while holds(&boundary) {
        boundary.push('-');
    }
    boundary
}

/// The fields and the map as a form.
fn form(options: &SourceMapOptions, map: &[u8], boundary: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(map.len() + 1024);
    for (name, value) in [
        ("service_name", &options.service_name),
        ("service_version", &options.service_version),
        ("bundle_filepath", &options.bundle_path),
    ] {
        let head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        // A line break could pass for the end of the field.
        body.extend_from_slice(value.replace(['\r', '\n'], " ").as_bytes());
        body.extend_from_slice(b"\r\n");
    }
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"sourcemap\"; filename=\"map\"\r\n\
         Content-Type: application/json\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(map);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}
