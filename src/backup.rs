//! `pocket-apm backup`: a checked copy of the telemetry.

use std::time::Duration;

use anyhow::Context as _;
use apm_store::{backup, partial};
use bytesize::ByteSize;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{ApmOptions, BackupOptions};
use crate::terminal::announce;

const COPIED: &str = "{spinner} {bytes} copied, {elapsed}";
/// The time between two looks at the size of the copy.
const LOOK: Duration = Duration::from_millis(200);

/// Copies the file of --apm-database, and says what the copy holds.
///
/// # Errors
/// If there is no such file, the copy cannot be written, or it is not sound.
pub fn run(options: &BackupOptions, apm: &ApmOptions) -> anyhow::Result<()> {
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template(COPIED)?);
    let (from, to) = (&apm.apm_database, &options.file);
    let done = std::thread::scope(|scope| {
        let copying = scope.spawn(|| backup(from, to));
        while !copying.is_finished() {
            // `VACUUM INTO` tells nothing while it runs; the file grows.
            bar.set_position(std::fs::metadata(partial(to)).map_or(0, |file| file.len()));
            bar.tick();
            std::thread::sleep(LOOK);
        }
        copying.join()
    });
    bar.finish_and_clear();
    let done = done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let done = done.context("no backup was made")?;
    announce(&format!(
        "{}: {}, {} blocks of events, all of them checked",
        to.display(),
        ByteSize(done.bytes),
        done.blocks
    ));
    Ok(())
}
