//! The minimap of a trace: all of it at a glance, in a strip above its rows. A slice leads to the first row in it.

use maud::{Markup, html};

use crate::ui::number::duration;
use crate::ui::plot::coordinate::Px;

/// Columns and levels of the strip; what is deeper stands in the last level.
const COLUMNS: usize = 240;
const LEVELS: usize = 12;
/// Slices that lead somewhere.
pub(crate) const SLICES: usize = 24;
/// Height of a level.
const LEVEL: f64 = 4.0;

/// A bar of the strip. Times are µs on the timeline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) level: usize,
    pub(crate) class: &'static str,
    pub(crate) failed: bool,
}

/// The first row that begins in a slice.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    pub(crate) place: usize,
    pub(crate) href: String,
    pub(crate) from: i64,
}

/// The slice of a time.
pub(crate) fn slice(at: i64, (from, to): (i64, i64)) -> usize {
    column(at, (from, to), SLICES)
}

fn column(at: i64, (from, to): (i64, i64), columns: usize) -> usize {
    let part = at.saturating_sub(from) as f64 / to.saturating_sub(from).max(1) as f64;
    ((part * columns as f64) as usize).min(columns - 1)
}

/// The strip. Of marks that share a place, the first is seen.
pub(crate) fn minimap(
    marks: impl Iterator<Item = Mark>,
    slices: &[Slice],
    range: (i64, i64),
) -> Markup {
    let mut levels = [[None::<&'static str>; COLUMNS]; LEVELS];
    // The next column of a level that may be free, so that every place is painted once.
    // One more than there are columns: it stays free and ends every search.
    let mut free = [[0usize; COLUMNS + 1]; LEVELS];
    for level in &mut free {
        for (column, next) in level.iter_mut().enumerate() {
            *next = column;
        }
    }
    let mut failed = [false; COLUMNS];
    let mut deepest = 0;
    for mark in marks {
        let level = mark.level.min(LEVELS - 1);
        deepest = deepest.max(level);
        let (first, last) = (
            column(mark.from, range, COLUMNS),
            column(mark.to, range, COLUMNS),
        );
        // Also where its bar lies behind another one.
        failed[first] |= mark.failed;
        let mut at = next_free(&mut free[level], first);
        while at <= last {
            levels[level][at] = Some(mark.class);
            free[level][at] = at + 1;
            at = next_free(&mut free[level], at);
        }
    }
    let height = LEVEL * (deepest + 2) as f64;
    html! {
        svg.minimap height=(Px(height)) viewBox={ "0 0 " (COLUMNS) " " (Px(height)) } preserveAspectRatio="none"
            role="group" aria-label="Trace at a glance" {
            @for class in ["t-app", "t-db", "t-external", "t-message", "t-other"] {
                @let path = path(&levels, class);
                @if !path.is_empty() { path class=(class) d=(path) aria-hidden="true" {} }
            }
            @for (column, _) in failed.iter().enumerate().filter(|(_, failed)| **failed) {
                rect.failed x=(column) y=(Px(height - 3.0)) width="1.4" height="3" {}
            }
            @for slice in slices {
                @let width = COLUMNS as f64 / SLICES as f64;
                @let from = duration(slice.from.max(0) as f64).to_string();
                a href=(slice.href) tabindex="-1" aria-label={ "Rows from " (from) " on" } {
                    rect.slice x=(Px(width * slice.place as f64)) y="0" width=(Px(width)) height=(Px(height)) {
                        title { "From " (from) }
                    }
                }
            }
        }
    }
}

/// The first column from `at` on that is not painted; ways to it are shortened.
fn next_free(free: &mut [usize], at: usize) -> usize {
    let mut end = at;
    while free[end] != end {
        end = free[end];
    }
    let mut step = at;
    while free[step] != step {
        step = std::mem::replace(&mut free[step], end);
    }
    end
}

/// The runs of a class as rectangles.
fn path(levels: &[[Option<&'static str>; COLUMNS]; LEVELS], class: &str) -> String {
    use std::fmt::Write as _;
    let mut path = String::new();
    for (level, cells) in levels.iter().enumerate() {
        let mut column = 0;
        while column < COLUMNS {
            let is_it = |cell: &&Option<&'static str>| **cell == Some(class);
            let run = cells[column..].iter().take_while(is_it).count();
            if run > 0 {
                let y = LEVEL as usize * level;
                // Writing into a String cannot fail.
                let _ = write!(path, "M{column} {y}h{run}v3h-{run}z");
            }
            column += run.max(1);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(from: i64, to: i64, level: usize, class: &'static str) -> Mark {
        Mark {
            from,
            to,
            level,
            class,
            failed: false,
        }
    }

    #[test]
    fn marks_are_runs_and_the_first_is_seen() {
        let marks = [
            mark(0, 2399, 0, "t-app"),
            mark(0, 100, 1, "t-db"),
            mark(50, 200, 1, "t-external"),
            mark(0, 1, 99, "t-other"),
        ];
        let text = minimap(marks.into_iter(), &[], (0, 2400)).into_string();
        assert!(
            text.contains("class=\"t-app\" d=\"M0 0h240v3h-240z\""),
            "{text}"
        );
        assert!(
            text.contains("class=\"t-db\" d=\"M0 4h11v3h-11z\""),
            "{text}"
        );
        assert!(
            text.contains("class=\"t-external\" d=\"M11 4h10v3h-10z\""),
            "{text}"
        );
        assert!(
            text.contains("class=\"t-other\" d=\"M0 44h1v3h-1z\""),
            "{text}"
        );
    }

    #[test]
    fn a_million_marks_are_painted_once_and_small() {
        let marks = (0..1_000_000_i64).map(|at| mark(at, 1_000_000, at as usize % 40, "t-db"));
        let text = minimap(marks, &[], (0, 1_000_000)).into_string();
        assert!(text.len() < 60_000, "{}", text.len());
    }
}
