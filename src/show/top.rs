//! Services and statements, drawn anew while one watches.

use std::time::Duration;

use apm_server::remote::Remote;

use super::list::{List, QUERIES, SERVICES};
use super::{question, table};
use crate::cli::{ListFormat, ShowOptions};
use crate::terminal;

/// The pause between two drawings.
const PAUSE: Duration = Duration::from_secs(2);
/// Lines of the screen beside the lists: the head, the one below it, and that of the cursor.
const LINES: usize = 3;
/// To the upper left corner, and all below it away.
const CLEAR: &str = "\x1b[H\x1b[J";

pub(super) async fn run(server: &Remote, options: &ShowOptions) -> anyhow::Result<()> {
    loop {
        let services = draw(server, &SERVICES, options).await?;
        let statements = draw(server, &QUERIES, options).await?;
        let drawn = format!(
            "{CLEAR}{} · since {} · Ctrl+C ends\n\n{}",
            server.url(),
            options.since,
            fitted(
                &services,
                &statements,
                table::height().saturating_sub(LINES)
            )
        );
        // One write: a terminal that shows the screen between two would flicker.
        terminal::draw(&drawn)?;
        actix_web::rt::time::sleep(PAUSE).await;
    }
}

async fn draw(server: &Remote, list: &List, options: &ShowOptions) -> anyhow::Result<String> {
    table::render(
        list,
        &question::rows(server, list, options, ListFormat::Table).await?,
    )
}

/// Two lists, one below the other, in so many lines. A list that is short leaves its lines to the other; each has its
/// first rows, for the largest come first.
fn fitted(first: &str, second: &str, lines: usize) -> String {
    let count = |text: &str| text.lines().count();
    let room = lines.saturating_sub(1);
    let half = room / 2;
    let of_first = count(first).min(half.max(room.saturating_sub(count(second))));
    let of_second = count(second).min(room - of_first);
    let cut =
        |text: &str, most: usize| -> String { text.split_inclusive('\n').take(most).collect() };
    format!("{}\n{}", cut(first, of_first), cut(second, of_second))
}

#[cfg(test)]
mod tests {
    use super::fitted;

    #[test]
    fn lists_are_cut_to_the_lines_that_there_are_and_a_short_one_leaves_its_own() {
        let list = |name: &str, lines: usize| -> String {
            (0..lines)
                .map(|number| format!("{name}{number}\n"))
                .collect()
        };
        for (first, second, lines, expected) in [
            (2, 2, 10, "a0\na1\n\nb0\nb1\n"),
            (9, 9, 7, "a0\na1\na2\n\nb0\nb1\nb2\n"),
            (1, 9, 7, "a0\n\nb0\nb1\nb2\nb3\nb4\n"),
            (9, 1, 7, "a0\na1\na2\na3\na4\n\nb0\n"),
            (9, 9, 0, "\n"),
        ] {
            assert_eq!(
                fitted(&list("a", first), &list("b", second), lines),
                expected
            );
        }
    }
}
