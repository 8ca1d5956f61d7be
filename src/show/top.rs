//! Services and statements, drawn anew while one watches.

use std::time::Duration;

use apm_server::remote::Remote;

use super::list::{List, QUERIES, SERVICES};
use super::{question, table};
use crate::cli::{ListFormat, ShowOptions};
use crate::terminal;

/// The pause between two drawings.
const PAUSE: Duration = Duration::from_secs(2);
/// To the upper left corner, and all below it away.
const CLEAR: &str = "\x1b[H\x1b[J";

pub(super) async fn run(server: &Remote, options: &ShowOptions) -> anyhow::Result<()> {
    loop {
        let services = draw(server, &SERVICES, options).await?;
        let statements = draw(server, &QUERIES, options).await?;
        // One write: a terminal that shows the screen between two would flicker.
        terminal::draw(&format!(
            "{CLEAR}{} · since {} · Ctrl+C ends\n\n{services}\n{statements}",
            server.url(),
            options.since
        ))?;
        actix_web::rt::time::sleep(PAUSE).await;
    }
}

async fn draw(server: &Remote, list: &List, options: &ShowOptions) -> anyhow::Result<String> {
    table::render(
        list,
        &question::rows(server, list, options, ListFormat::Table).await?,
    )
}
