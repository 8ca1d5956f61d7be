//! From the lines of a trace to the rows of its waterfall: those that are seen, from one of them on.

mod row;

use std::collections::HashMap;

use crate::analytics::trace::Trace;
use crate::analytics::trace::find::Find;
use crate::analytics::trace::item::Item;
use crate::analytics::trace::lines::Kind;
use crate::analytics::trace::window::{Turned, name};
use crate::ui::components::minimap::{self, SLICES, Slice};
use crate::ui::components::waterfall::{Part, Row, Waterfall, type_class};
use crate::ui::view::View;
use row::{far_row, fold_row, gap_row, item_row, orphans_row};

/// Up to so many lines are sent at once, if they are not too long; then the browser has all of them.
const WHOLE: usize = 250;
/// Rows of a part.
const PART: usize = 200;
/// Rows above the one that a part is about.
const ABOVE: usize = 5;
/// The critical path of a row is drawn to this share of the timeline: no screen shows more, and one row may have very
/// many stretches.
const FINEST: i64 = 400;

/// Log lines that are marked on one bar.
const MARKS: usize = 40;

/// Parameters that say which part of the rows is shown.
pub(crate) const STATE: [&str; 5] = ["rows", "turn", "find", "hit", "near"];

/// The class of an item's colour.
pub(crate) fn class(item: &Item) -> &'static str {
    if item.is_transaction {
        "t-app"
    } else {
        type_class(&item.what.kind)
    }
}

/// Options of the rows besides the trace.
pub(super) struct Options<'a> {
    /// Id of the item whose details are open.
    pub(super) selected: Option<&'a str>,
    /// Id of the transaction that the page is about.
    pub(super) current: Option<&'a str>,
    /// The address of an item's details.
    pub(super) href: &'a dyn Fn(&Item) -> String,
    /// The address of a line turned, by the names of all that are; none for a script, which makes its own.
    pub(super) turn: Option<&'a dyn Fn(&str) -> String>,
    /// The address at which a script asks for other rows.
    pub(super) address: String,
}

/// The search and its hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hits {
    pub(super) all: usize,
    /// The one that is shown, from 1; 0 where none is.
    pub(super) hit: usize,
}

/// The rows that the address asks for.
pub(super) fn waterfall(
    trace: &Trace,
    view: &View,
    options: &Options<'_>,
) -> (Waterfall, Option<Hits>) {
    let state = State::new(trace, view, options.selected);
    let mut waterfall = Waterfall {
        rows: Vec::new(),
        from: trace.from,
        to: trace.from.saturating_add(trace.duration),
        part: None,
    };
    let is_whole = trace.lines.list.len() <= WHOLE && options.turn.is_some();
    if is_whole && view.param("turn").is_none() {
        waterfall.rows = whole(trace, &state, options);
        if waterfall.fits() {
            return (waterfall, state.hits());
        }
    }
    waterfall.rows = part(trace, &state, options);
    waterfall.part = Some(Part {
        first: state.first,
        total: state.seen.len(),
        turned: state.turned.text(trace),
        address: options.address.clone(),
        hits: state.hits().map(|hits| (hits.all, hits.hit)),
    });
    (waterfall, state.hits())
}

/// The first rows that begin in each slice of the minimap.
pub(super) fn slices(
    trace: &Trace,
    view: &View,
    waterfall: &Waterfall,
    href: &dyn Fn(&Item) -> String,
) -> Vec<Slice> {
    let range = (waterfall.from, waterfall.to);
    // Without what a hit unfolds: the links leave the hit out.
    let turned = Turned::parse(trace, view.param("turn").unwrap_or(""));
    let mut slices: Vec<Option<Slice>> = vec![None; SLICES];
    for (seen, line) in turned.seen(trace).enumerate() {
        let index = match trace.lines.list[line].kind {
            Kind::Item(index) | Kind::Fold { first: index, .. } => index,
            Kind::Gap(_) | Kind::Orphans | Kind::Far => continue,
        };
        let item = &trace.items[index as usize];
        if item.is_far {
            continue;
        }
        let place = minimap::slice(item.at, range);
        let slot = &mut slices[place];
        if slot.is_none() {
            let here = || view.here().without("item").without("hit");
            *slot = Some(Slice {
                place,
                href: match waterfall.part {
                    Some(_) => here()
                        .set("rows", &seen.to_string())
                        .anchor("wf")
                        .to_string(),
                    None => href(item),
                },
                from: item.at,
            });
        }
    }
    slices.into_iter().flatten().collect()
}

/// The lines that are seen, and those of them that are shown.
struct State {
    turned: Turned,
    /// Lines that are not below a folded one.
    seen: Vec<u32>,
    /// Lines of the items that were found, in order.
    found: Option<Vec<u32>>,
    hit: usize,
    /// True if the part is about the hit, and not about other rows that a script asks for.
    shows_hit: bool,
    first: usize,
}

impl State {
    fn new(trace: &Trace, view: &View, selected: Option<&str>) -> Self {
        let number = |key: &str| view.param(key).and_then(|text| text.parse::<usize>().ok());
        let mut turned = Turned::parse(trace, view.param("turn").unwrap_or(""));
        let line_of = |index: u32| trace.lines.of_item[index as usize];
        let found = view.param("find").and_then(Find::parse);
        let found: Option<Vec<u32>> =
            found.map(|find| find.all(trace).into_iter().map(line_of).collect());
        let all = found.as_ref().map_or(0, Vec::len);
        let hit = match (number("hit"), view.param("near"), &found) {
            (_, Some(near), Some(found)) if all > 0 => {
                let near = near.parse::<i64>().ok();
                let item = trace.items.iter().position(|item| Some(item.seq) == near);
                let line = item.map(|index| line_of(index as u32));
                // After the last hit the first one follows.
                1 + found.partition_point(|found| Some(*found) <= line) % all
            }
            (Some(hit), ..) => hit.clamp(1, all.max(1)),
            _ => 1,
        };
        let rows = number("rows");
        let target = found
            .as_ref()
            .and_then(|found| found.get(hit - 1).copied())
            .or_else(|| trace.index_of(selected?).map(|index| line_of(index as u32)))
            // A script that asks for other rows is not led back to the item.
            .filter(|_| rows.is_none() || view.param("hit").is_some());
        if let Some(line) = target {
            turned.reveal(trace, line as usize);
        }
        let seen: Vec<u32> = turned.seen(trace).map(|line| line as u32).collect();
        let first = match target {
            Some(line) => seen
                .partition_point(|seen| *seen < line)
                .saturating_sub(ABOVE),
            None => rows.unwrap_or(0).min(seen.len().saturating_sub(1)),
        };
        Self {
            turned,
            seen,
            found,
            hit: if all == 0 { 0 } else { hit },
            shows_hit: target.is_some(),
            first,
        }
    }

    fn hits(&self) -> Option<Hits> {
        let all = self.found.as_ref()?.len();
        Some(Hits { all, hit: self.hit })
    }

    /// True if a line is one of those that were found, and whether it is the one that is shown.
    fn marks(&self, line: u32) -> (bool, bool) {
        let Some(found) = &self.found else {
            return (false, false);
        };
        match found.binary_search(&line) {
            Ok(place) => (true, self.shows_hit && place + 1 == self.hit),
            Err(_) => (false, false),
        }
    }
}

/// All lines; those below folded ones are hidden, and there for the browser's own find.
fn whole(trace: &Trace, state: &State, options: &Options<'_>) -> Vec<Row> {
    let all: Vec<u32> = (0..trace.lines.list.len() as u32).collect();
    let drawn = Drawn::new(trace, &all);
    let mut shown = state.seen.iter().peekable();
    all.iter()
        .map(|line| {
            let is_seen = shown.next_if_eq(&line).is_some();
            Row {
                hidden: !is_seen,
                ..row(trace, *line, state, &drawn, options)
            }
        })
        .collect()
}

/// The lines of a part, each with its place among those that are seen.
fn part(trace: &Trace, state: &State, options: &Options<'_>) -> Vec<Row> {
    let lines = &trace.lines.list;
    let end = state.seen.len().min(state.first + PART);
    let shown = &state.seen[state.first..end];
    let drawn = Drawn::new(trace, shown);
    // The places of the lines above the current one, outermost first.
    let mut above: Vec<(u32, usize)> = Vec::new();
    let mut rows = Vec::with_capacity(shown.len());
    // From the very first line on, as those above the part may stand outside of it.
    for (place, line) in state.seen[..end].iter().enumerate() {
        let level = lines[*line as usize].level;
        // A line that is not further out does not stand above this one.
        while above.pop_if(|last| last.0 >= level).is_some() {}
        if place >= state.first {
            let turned = options
                .turn
                .filter(|_| trace.lines.has_below(*line as usize));
            rows.push(Row {
                place: Some((place, above.last().map(|last| last.1))),
                name: name(trace, *line as usize),
                turn: turned.map(|turn| turn(&state.turned.turn(*line as usize).text(trace))),
                ..row(trace, *line, state, &drawn, options)
            });
        }
        above.push((level, place));
    }
    rows
}

fn row(trace: &Trace, line: u32, state: &State, drawn: &Drawn, options: &Options<'_>) -> Row {
    let at = line as usize;
    let of = trace.lines.list[at];
    let level = of.level as usize;
    let row = match of.kind {
        Kind::Item(index) => Row {
            critical: drawn.critical.get(&index).cloned().unwrap_or_default(),
            marks: drawn.marks.get(&index).cloned().unwrap_or_default(),
            ..item_row(trace, index as usize, level, options)
        },
        Kind::Fold { first, len } => fold_row(trace, first as usize, len as usize, level),
        Kind::Gap(gap) => gap_row(trace, trace.lines.gaps[gap as usize], level),
        Kind::Orphans => orphans_row(trace, at, level),
        Kind::Far => far_row(trace, level),
    };
    let is_open = trace
        .lines
        .has_below(at)
        .then(|| state.turned.is_open(trace, at));
    let (hit, current_hit) = state.marks(line);
    Row {
        expanded: is_open,
        hit,
        current_hit,
        ..row
    }
}

/// The marks on the bars of some lines, by the index of the item.
struct Drawn {
    critical: HashMap<u32, Vec<(i64, i64)>>,
    marks: HashMap<u32, Vec<i64>>,
}

impl Drawn {
    fn new(trace: &Trace, lines: &[u32]) -> Self {
        Self {
            critical: critical(trace, lines),
            marks: marks(trace, lines),
        }
    }
}

/// Times on the timeline of the log lines that were written in the items of some lines, and of the moments that
/// browsers marked in them. Events of OpenTelemetry's spans are log lines too.
fn marks(trace: &Trace, lines: &[u32]) -> HashMap<u32, Vec<i64>> {
    let mut out: HashMap<u32, Vec<i64>> = HashMap::new();
    if trace.logs.is_empty() && trace.moments.is_empty() {
        return out;
    }
    let items = lines
        .iter()
        .filter_map(|line| match trace.lines.list[*line as usize].kind {
            Kind::Item(index) => Some((trace.items[index as usize].id.to_string(), index)),
            _ => None,
        });
    let items: HashMap<String, u32> = items.collect();
    let to = trace.from.saturating_add(trace.duration);
    for log in &trace.logs {
        let own = log.span_id.as_ref().or(log.transaction_id.as_ref());
        let Some(index) = own.and_then(|id| items.get(id)) else {
            continue;
        };
        // A log line has the clock of its item.
        let skew = trace.items[*index as usize].skew;
        let at = log.timestamp.saturating_add(skew) - trace.start;
        let own = out.entry(*index).or_default();
        if own.len() < MARKS {
            own.push(at.clamp(trace.from, to));
        }
    }
    for moment in &trace.moments {
        if items.values().any(|index| *index == moment.item) {
            let own = out.entry(moment.item).or_default();
            if own.len() < MARKS {
                own.push(moment.at.clamp(trace.from, to));
            }
        }
    }
    out
}

/// The critical path of the items of some lines, neighbours put together.
fn critical(trace: &Trace, lines: &[u32]) -> HashMap<u32, Vec<(i64, i64)>> {
    let items = lines
        .iter()
        .filter_map(|line| match trace.lines.list[*line as usize].kind {
            Kind::Item(index) => Some((index, Vec::new())),
            _ => None,
        });
    let mut out: HashMap<u32, Vec<(i64, i64)>> = items.collect();
    let finest = trace.duration / FINEST;
    for stretch in &trace.critical_path {
        let Some(own) = out.get_mut(&stretch.item) else {
            continue;
        };
        match own.last_mut() {
            Some(last) if stretch.from.saturating_sub(last.1) <= finest => last.1 = stretch.to,
            _ => own.push((stretch.from, stretch.to)),
        }
    }
    out
}
