//! `pocket-apm generate` and `pocket-apm import`: sending made-up or recorded events to a running APM server, with progress.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use apm_server::generate::{self, Options};
use apm_server::import::{self, Summary, Target};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{ApmOptions, FeedOptions, GenerateOptions};

const TRACES: &str = "{bar:40} {human_pos} of {human_len} traces, {per_sec}, {eta} left";
const BYTES: &str = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";

/// Makes traces and sends them.
pub fn generate(options: &GenerateOptions, apm: &ApmOptions) -> anyhow::Result<Summary> {
    let mut target = target(&options.to, apm)?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is before 1970")?;
    let mut made = Options::new(options.traces, i64::try_from(now.as_micros())?);
    made.window = options.window;
    made.seed = options.seed;
    let bar = bar(options.traces, TRACES)?;
    let summary = generate::generate(&made, &mut target, |done| bar.set_position(done))?;
    bar.finish();
    Ok(summary)
}

/// Sends a recorded stream.
pub fn import(file: &Path, to: &FeedOptions, apm: &ApmOptions) -> anyhow::Result<Summary> {
    let mut target = target(to, apm)?;
    let size = std::fs::metadata(file)
        .with_context(|| format!("cannot open {}", file.display()))?
        .len();
    let bar = bar(size, BYTES)?;
    let summary = import::file(file, &mut target, |done| bar.set_position(done))?;
    bar.finish();
    Ok(summary)
}

/// The server to send to: by default the one that this machine's `pocket-apm` starts.
fn target(to: &FeedOptions, apm: &ApmOptions) -> anyhow::Result<Target> {
    let url = to
        .server
        .clone()
        .unwrap_or_else(|| format!("http://{}", apm.apm_listen));
    Ok(Target::server(&url, apm.apm_secret_token.as_deref())?)
}

fn bar(length: u64, template: &str) -> anyhow::Result<ProgressBar> {
    Ok(ProgressBar::new(length).with_style(ProgressStyle::with_template(template)?))
}
