//! Subcommands for source maps.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SendOptions;

/// Subcommands for source maps of pages' scripts.
#[derive(Debug, Clone, Subcommand)]
pub enum SourceMapCommand {
    /// Send a source map to a running APM server, which then shows the stack traces of that file as they were written.
    Upload(SourceMapOptions),
}

/// The options of `pocket-apm sourcemap upload`.
#[derive(Debug, Clone, Args)]
pub struct SourceMapOptions {
    /// The source map.
    pub file: PathBuf,

    /// The service, as the agent in the page names it.
    #[arg(long, value_name = "NAME")]
    pub service_name: String,

    /// The version of the service, as the agent in the page names it.
    #[arg(long, value_name = "VERSION")]
    pub service_version: String,

    /// The address of the minified file as browsers load it, or its path alone: /static/app.min.js.
    #[arg(long, value_name = "ADDRESS")]
    pub bundle_path: String,

    #[command(flatten)]
    pub to: SendOptions,
}
