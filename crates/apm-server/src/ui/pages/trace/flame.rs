//! The tab "Flame graph": the same items as the timeline, side by side and below their callers, without names that
//! take the room. A bar leads to its details and to what is below it.

use std::collections::HashSet;

use maud::{Markup, PreEscaped, html};

use super::rows::class;
use crate::analytics::trace::Trace;
use crate::analytics::trace::item::Item;
use crate::answers::trace::named;
use crate::sort_rows::SortRows as _;
use crate::ui::href::Href;
use crate::ui::number::{self, duration};
use crate::ui::plot::coordinate::{Pc, Px};
use crate::ui::plot::lanes::{Piece, lanes};
use crate::ui::plot::scale::Scale;
use crate::ui::plot::ticks;
use crate::ui::view::View;
use crate::ui::words;

/// Height of a lane and of the ruler, px.
const LANE: f64 = 20.0;
const RULER: f64 = 24.0;
/// Lanes that are drawn.
const MOST_LANES: usize = 80;
/// A bar that is shorter than this part of the width is dust: screens have some 1 500 px.
const FINEST: i64 = 800;
/// Columns of the dust.
const COLUMNS: usize = 500;
/// Bytes of bars: the page stays below 300 kB. The longest bars come first, and the others are dust.
const MOST_BYTES: usize = 170_000;
/// Width from which on a bar has its name in it, as a part of all.
const NAMED: f64 = 0.03;
/// Callers that are named above an item.
const CALLERS: usize = 8;

/// A bar to be drawn. Places are parts of the width.
struct Bar {
    index: usize,
    lane: usize,
    left: f64,
    right: f64,
}

/// The tab. `focus`: the item that fills the width.
pub(super) fn tab(view: &View, trace: &Trace, focus: Option<usize>) -> Markup {
    let focus =
        focus.filter(|index| !trace.items[*index].is_far && trace.items[*index].duration > 0);
    let below = match focus {
        Some(index) => below(trace, index),
        None => (0..trace.items.len())
            .filter(|index| !trace.items[*index].is_far)
            .collect(),
    };
    let (from, to) = match focus {
        Some(index) => (trace.items[index].at, trace.items[index].end()),
        None => (trace.from, trace.from.saturating_add(trace.duration)),
    };
    let (from, to) = (from, to.max(from.saturating_add(1)));
    let (bars, deeper) = bars(trace, &below, (from, to));
    let lanes = bars.iter().map(|bar| bar.lane + 1).max().unwrap_or(1);
    let (drawn, dust) = drawn(view, trace, bars);
    let height = RULER + LANE * lanes as f64;
    let says = format!(
        "Flame graph of {}, {} deep, {}. The tab Timeline has the same as a table.",
        words::count(below.len() as u64, "item", "items"),
        words::count(lanes as u64, "level", "levels"),
        duration((to - from) as f64)
    );
    html! {
        @if let Some(index) = focus { (callers(view, trace, index)) }
        div.flame {
            svg data-flame="" width="100%" height=(Px(height)) role="group" aria-label=(says) {
                (ruler(to - from, height))
                (dust)
                (PreEscaped(drawn))
            }
        }
        div.wf-foot {
            span { (words::count(below.len() as u64, "item", "items")) ". Click a bar to see only what is below it." }
            @if deeper > 0 {
                span {
                    (words::count(deeper as u64, "item", "items"))
                    " below the last level not drawn; choose a bar to see them"
                }
            }
        }
    }
}

/// An item and all that is below it, in order.
fn below(trace: &Trace, index: usize) -> Vec<usize> {
    let mut own: HashSet<u32> = HashSet::from([index as u32]);
    let mut found = vec![index];
    // Parents come before their children.
    for (at, item) in trace.items.iter().enumerate().skip(index + 1) {
        if !item.is_far && item.parent.is_some_and(|parent| own.contains(&parent)) {
            own.insert(at as u32);
            found.push(at);
        }
    }
    found
}

/// Bars of some items, and how many have no lane.
fn bars(trace: &Trace, items: &[usize], (from, to): (i64, i64)) -> (Vec<Bar>, usize) {
    let length = to - from;
    let mut place = vec![None; trace.items.len()];
    for (at, index) in items.iter().enumerate() {
        place[*index] = Some(at);
    }
    let pieces: Vec<Piece> = items
        .iter()
        .map(|index| {
            let item = &trace.items[*index];
            Piece {
                from: item.at.clamp(from, to),
                to: item.end().clamp(from, to),
                parent: item.parent.and_then(|parent| place[parent as usize]),
            }
        })
        .collect();
    let lanes = lanes(&pieces, length / FINEST, MOST_LANES);
    let part = |at: i64| (at - from) as f64 / length as f64;
    let bars = items.iter().zip(&pieces).zip(&lanes);
    let bars: Vec<Bar> = bars
        .filter_map(|((index, piece), lane)| {
            Some(Bar {
                index: *index,
                lane: (*lane)?,
                left: part(piece.from),
                right: part(piece.to),
            })
        })
        .collect();
    let deeper = lanes.iter().filter(|lane| lane.is_none()).count();
    (bars, deeper)
}

/// The bars as far as there is room, the longest first, and the others as dust.
fn drawn(view: &View, trace: &Trace, mut bars: Vec<Bar>) -> (String, Markup) {
    let here = view
        .here()
        .without("page")
        .without("sort")
        .set("tab", "flame");
    // The longest say most: where the room ends, the short ones become dust.
    bars.sort_rows_by(|a, b| {
        let (a_length, b_length) = (a.right - a.left, b.right - b.left);
        b_length.total_cmp(&a_length).then(a.index.cmp(&b.index))
    });
    let finest = 1.0 / FINEST as f64;
    let mut bytes = 0;
    let mut kept: Vec<(usize, f64, String)> = Vec::new();
    let mut small = bars.len();
    for (place, bar) in bars.iter().enumerate() {
        if bar.right - bar.left < finest {
            small = place;
            break;
        }
        let text = rendered(view, &here, &trace.items[bar.index], bar).into_string();
        bytes += text.len();
        if bytes > MOST_BYTES {
            small = place;
            break;
        }
        kept.push((bar.lane, bar.left, text));
    }
    kept.sort_rows_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    // One stop of the tabulator; a script moves on from it by the arrow keys.
    let text: String = kept
        .iter()
        .enumerate()
        .map(|(place, (_, _, text))| match place {
            0 => text.replacen("tabindex=\"-1\"", "tabindex=\"0\"", 1),
            _ => text.clone(),
        })
        .collect();
    (text, dust(&bars[small..]))
}

fn rendered(view: &View, here: &Href, item: &Item, bar: &Bar) -> Markup {
    let id = item.id.to_string();
    let href = here.clone().set("item", &id).to_string();
    // The path is that of this page, and thousands of bars would repeat it.
    let href = href.strip_prefix(view.path.as_str()).unwrap_or(&href);
    let (y, width) = (RULER + LANE * bar.lane as f64, bar.right - bar.left);
    let name = words::cut(named(&item.what.name), 120);
    let selected = view.param("item") == Some(id.as_str());
    let failed = item.failed();
    let classes = [
        (failed, "failed"),
        (selected, "current"),
        (item.is_transaction, "entry"),
    ];
    let classes: Vec<&str> = classes
        .into_iter()
        .filter_map(|(on, class)| on.then_some(class))
        .collect();
    let classes = classes.join(" ");
    html! {
        a href=(href) tabindex="-1" class=[Some(classes).filter(|classes| !classes.is_empty())] {
            title {
                (name) " · " (duration(item.duration as f64).to_string())
                @if item.is_transaction { " · " (words::cut(&item.what.service, 60)) }
                @if failed { " · failed" }
            }
            rect class=(class(item)) x=(Pc(bar.left)) y=(Px(y)) width=(Pc(width)) height=(Px(LANE - 2.0)) {}
            @if width >= NAMED {
                svg x=(Pc(bar.left)) y=(Px(y)) width=(Pc(width)) height=(Px(LANE - 2.0)) {
                    text x="5" y="13" { (name) }
                }
            }
        }
    }
}

/// Bars that are too short or too many to be drawn one by one: columns in which there is something.
fn dust(bars: &[Bar]) -> Markup {
    let lanes = bars.iter().map(|bar| bar.lane + 1).max().unwrap_or(0);
    let mut cells = vec![[false; COLUMNS]; lanes];
    for bar in bars {
        let column = |place: f64| ((place * COLUMNS as f64) as usize).min(COLUMNS - 1);
        let (first, last) = (column(bar.left), column(bar.right));
        cells[bar.lane][first..=last].fill(true);
    }
    html! {
        g.dust aria-hidden="true" {
            @for (lane, cells) in cells.iter().enumerate() {
                @for run in runs(cells) {
                    @let (from, to) = (run.0 as f64 / COLUMNS as f64, run.1 as f64 / COLUMNS as f64);
                    @let y = RULER + LANE * lane as f64 + 5.0;
                    rect x=(Pc(from)) y=(Px(y)) width=(Pc(to - from)) height=(Px(LANE - 12.0)) {}
                }
            }
        }
    }
}

/// Stretches of columns in a row that are set: from, to.
fn runs(cells: &[bool]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (column, _) in cells.iter().enumerate().filter(|(_, set)| **set) {
        match runs.last_mut() {
            Some((_, end)) if *end == column => *end += 1,
            _ => runs.push((column, column + 1)),
        }
    }
    runs
}

fn ruler(length: i64, height: f64) -> Markup {
    let (_, unit) = ticks::duration_unit(length as f64);
    let mut all = ticks::linear(Scale::linear(0.0, length as f64), 5, "", unit);
    all.retain(|tick| tick.place < 0.86);
    html! {
        g.flame-ruler aria-hidden="true" {
            @for tick in &all {
                line.grid x1=(Pc(tick.place)) x2=(Pc(tick.place)) y1=(Px(RULER - 4.0)) y2=(Px(height)) {}
                text class=(if tick.place < 0.01 { "start" } else { "" }) x=(Pc(tick.place)) y="14" { (tick.label) }
            }
            text.end x="100%" y="14" { (duration(length as f64).to_string()) }
        }
    }
}

/// The way from the whole trace to an item.
fn callers(view: &View, trace: &Trace, index: usize) -> Markup {
    let mut above: Vec<&Item> = Vec::new();
    let mut at = trace.items[index].parent;
    while let Some(parent) = at {
        above.push(&trace.items[parent as usize]);
        at = trace.items[parent as usize].parent;
    }
    let more = above.len().saturating_sub(CALLERS);
    // The nearest callers are named.
    above.truncate(CALLERS);
    above.reverse();
    let current = &trace.items[index];
    html! {
        nav.crumbs.flame-crumbs aria-label="Callers" {
            a href=(view.here().without("item")) { "Whole trace" }
            @if more > 0 { span.sep { "/" } span.dim { (number::grouped(more as u64)) " more" } }
            @for item in above {
                span.sep aria-hidden="true" { "/" }
                a href=(view.here().set("item", &item.id.to_string())) { (words::cut(named(&item.what.name), 40)) }
            }
            span.sep aria-hidden="true" { "/" }
            span aria-current="true" { (words::cut(named(&current.what.name), 60)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_in_a_row_are_one_run() {
        assert_eq!(runs(&[true, true, false, true]), [(0, 2), (3, 4)]);
        assert_eq!(runs(&[false]), []);
    }
}
