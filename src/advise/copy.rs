//! Work on a copy, with a progress bar, until a signal stops it.

use std::sync::atomic::Ordering;

use actix_web::rt::System;
use actix_web::rt::task::spawn_blocking;
use indicatif::{ProgressBar, ProgressStyle};
use sql_advisor::Stage;

use super::{AdviseError, Options};
use crate::process::stop_signal;

const COUNTED: &str = "{bar:40} {msg} {human_pos} of {human_len}";
const UNCOUNTED: &str = "{spinner} {msg}";

/// Does the work. A signal to stop ends it, and the copy is removed.
pub(super) fn work<T: Send + 'static>(
    options: &Options,
    work: impl FnOnce(&mut dyn FnMut(Stage)) -> Result<T, AdviseError> + Send + 'static,
) -> anyhow::Result<T> {
    let stop = options.stop.clone();
    let bar = ProgressBar::new(1);
    let (counted, uncounted) = (
        ProgressStyle::with_template(COUNTED)?,
        ProgressStyle::with_template(UNCOUNTED)?,
    );
    let shown = bar.clone();
    let progress = move |stage: Stage| {
        let (done, all, message) = match stage {
            Stage::Copy => (0, None, "copying the database".to_owned()),
            Stage::Fill(table) => (0, None, format!("filling the table {table}")),
            Stage::Statements(done, all) => (done, Some(all), "statements measured:".to_owned()),
            Stage::Candidates(done, all) => (done, Some(all), "changes tried:".to_owned()),
        };
        shown.set_style(if all.is_some() {
            counted.clone()
        } else {
            uncounted.clone()
        });
        shown.set_length(all.unwrap_or(1) as u64);
        shown.set_position(done as u64);
        shown.set_message(message);
        shown.tick();
    };
    let done = System::new().block_on(async move {
        let mut progress = progress;
        let mut running = spawn_blocking(move || work(&mut progress));
        tokio::select! {
            done = &mut running => anyhow::Ok(done?),
            signal = stop_signal() => {
                signal?;
                stop.store(true, Ordering::Relaxed);
                Ok(running.await?)
            }
        }
    });
    bar.finish_and_clear();
    Ok(done??)
}
