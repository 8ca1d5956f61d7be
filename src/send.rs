//! `pocket-apm generate` and `pocket-apm import`: sending made-up or recorded events to a running APM server, with
//! progress.

use std::io::BufReader;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use apm_server::generate::{self, Options};
use apm_server::import::{self, ImportError, Summary, Target};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{ApmOptions, GenerateOptions, SendOptions};
use crate::remote;
use crate::terminal::warning;

const TRACES: &str = "{bar:40} {human_pos} of {human_len} traces, {per_sec}, {eta} left";
const UNKNOWN: &str = "{spinner} {bytes} so far, {bytes_per_sec}";
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
    let sent = generate::generate(&made, &mut target, |done| bar.set_position(done));
    finish(sent, &bar, &target)
}

/// Sends a recorded stream: a file's, or for `-` that of the standard input.
pub fn import(file: &Path, to: &SendOptions, apm: &ApmOptions) -> anyhow::Result<Summary> {
    let mut target = target(to, apm)?;
    if file == Path::new("-") {
        let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template(UNKNOWN)?);
        let input = BufReader::new(bar.wrap_read(std::io::stdin()));
        let sent = import::reader(input, &mut target, || bar.tick());
        return finish(sent, &bar, &target);
    }
    let size = std::fs::metadata(file)
        .with_context(|| format!("cannot open {}", file.display()))?
        .len();
    let bar = bar(size, BYTES)?;
    let sent = import::file(file, &mut target, |done| bar.set_position(done));
    finish(sent, &bar, &target)
}

/// Says why lines were refused, and what is stored although sending ended early.
fn finish(
    sent: Result<Summary, ImportError>,
    bar: &ProgressBar,
    target: &Target,
) -> anyhow::Result<Summary> {
    bar.finish();
    for refusal in target.refusals() {
        let document: String = refusal.document.chars().take(120).collect();
        let message: String = refusal.message.chars().take(500).collect();
        warning(format_args!("refused: {message}: {document}"));
    }
    sent.map_err(|error| match target.taken().accepted {
        0 => error.into(),
        stored => anyhow::Error::from(error).context(format!(
            "{stored} events are stored, and would be there twice if they were sent again"
        )),
    })
}

fn target(to: &SendOptions, apm: &ApmOptions) -> anyhow::Result<Target> {
    let server = remote::server(to.server.as_deref(), &to.access, apm)?;
    Ok(Target::server(server))
}

fn bar(length: u64, template: &str) -> anyhow::Result<ProgressBar> {
    Ok(ProgressBar::new(length).with_style(ProgressStyle::with_template(template)?))
}
