//! The lines of a trace that are seen, and a part of these: some of the lines are folded, and a page shows a few at a
//! time.

use std::collections::HashSet;

use super::Trace;
use super::lines::Kind;

/// Lines that a reader may have folded or unfolded by hand.
pub const MOST_TURNED: usize = 100;

/// Lines that are folded where they would be open, and open where they would be folded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turned(HashSet<usize>);

impl Turned {
    /// Reads the names of lines, with commas between them; those that are not there are left out.
    #[must_use]
    pub fn parse(trace: &Trace, text: &str) -> Self {
        let names: Vec<&str> = text.split(',').take(MOST_TURNED).collect();
        let numbers = names.iter().filter_map(|name| {
            let digits = name.strip_prefix('f').unwrap_or(name);
            digits.parse::<i64>().ok()
        });
        let wanted: HashSet<i64> = numbers.collect();
        let mut found = HashSet::new();
        if !wanted.is_empty() {
            let items = trace.items.iter().zip(&trace.lines.of_item);
            for (_, line) in items.filter(|(item, _)| wanted.contains(&item.seq)) {
                let line = *line as usize;
                // A fold bears the number of its first item, and is the line before that.
                let lines = [Some(line), line.checked_sub(1)].into_iter().flatten();
                found.extend(lines.filter(|line| names.contains(&&*name(trace, *line))));
            }
        }
        for head in ["o", "c"].iter().filter(|head| names.contains(head)) {
            let is_it = |line: &usize| name(trace, *line) == **head;
            found.extend((0..trace.lines.list.len()).rev().find(is_it));
        }
        found.retain(|line| trace.lines.has_below(*line));
        Self(found)
    }

    /// Whether what is below a line is seen.
    #[must_use]
    pub fn is_open(&self, trace: &Trace, line: usize) -> bool {
        trace.lines.opens(line) != self.0.contains(&line)
    }

    /// The same with one line turned.
    #[must_use]
    pub fn turn(&self, line: usize) -> Self {
        let mut turned = self.clone();
        if !turned.0.remove(&line) {
            turned.0.insert(line);
        }
        turned
    }

    /// Opens all that a line is below.
    pub fn reveal(&mut self, trace: &Trace, line: usize) {
        let lines = &trace.lines.list;
        let mut level = lines[line].level;
        for above in (0..line).rev() {
            if level <= 1 {
                break;
            }
            if lines[above].level < level {
                level = lines[above].level;
                if !self.is_open(trace, above) {
                    *self = self.turn(above);
                }
            }
        }
    }

    /// As [`Turned::parse`] reads it.
    #[must_use]
    pub fn text(&self, trace: &Trace) -> String {
        let mut lines: Vec<usize> = self.0.iter().copied().collect();
        lines.sort_unstable();
        let names: Vec<String> = lines.iter().map(|line| name(trace, *line)).collect();
        names.join(",")
    }

    /// The lines that are seen, in order.
    pub fn seen<'a>(&'a self, trace: &'a Trace) -> impl Iterator<Item = usize> + 'a {
        let mut next = 0;
        std::iter::from_fn(move || {
            let line = next;
            let of = trace.lines.list.get(line)?;
            next = match self.is_open(trace, line) {
                true => line + 1,
                false => of.end as usize,
            };
            Some(line)
        })
    }
}

/// The name of a line in an address: made of the number of an event, so that it means the same when more of the trace
/// arrives.
#[must_use]
pub fn name(trace: &Trace, line: usize) -> String {
    let seq = |index: u32| trace.items[index as usize].seq;
    match trace.lines.list[line].kind {
        Kind::Item(index) => seq(index).to_string(),
        Kind::Fold { first, .. } => format!("f{}", seq(first)),
        Kind::Gap(at) => {
            let gap = &trace.lines.gaps[at as usize];
            format!("g{}-{}", seq(gap.parent), gap.from)
        }
        Kind::Orphans => "o".to_owned(),
        Kind::Far => "c".to_owned(),
    }
}
