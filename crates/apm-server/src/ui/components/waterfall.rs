//! The waterfall: a treegrid of names, durations and bars on one timeline.
//!
//! Of a trace of a few hundred lines every row is in the document, so that the browser's own find works. Of a larger
//! one there is a part, and links to the others; scripts ask for the parts as the reader scrolls. Names are links that
//! open the details without a script; `waterfall.js` adds the arrow keys, folding and search. What the rows are is
//! decided by the page.

use std::ops::Range;

use maud::{Markup, PreEscaped, Render, html};

use super::cells::{Tone, flag};
use crate::ui::number::duration;
use crate::ui::plot::coordinate::Pc;
use crate::ui::plot::scale::Scale;
use crate::ui::plot::ticks;
use crate::ui::words;

/// The look of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bar {
    Plain,
    /// One span that stands for this many: as many slices.
    Slices(u64),
    /// Folded rows, from the first's start to the last's end.
    Total {
        until: i64,
    },
    /// Time that no span covers.
    Gap,
    /// It has no place on the timeline.
    None,
}

/// One row. Times are µs on the timeline of the whole.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Unique in its table.
    pub(crate) id: String,
    pub(crate) level: usize,
    /// `Some(open)` where the row has rows below it.
    pub(crate) expanded: Option<bool>,
    /// Below a row that is folded.
    pub(crate) hidden: bool,
    /// `t-app`, `t-db`, `t-external`, `t-message`, `t-other`.
    pub(crate) class: &'static str,
    pub(crate) label: String,
    /// The service, where the row is the entry of one.
    pub(crate) service: Option<String>,
    pub(crate) badges: Vec<(Tone, String)>,
    pub(crate) duration: i64,
    pub(crate) at: i64,
    pub(crate) bar: Bar,
    pub(crate) failed: bool,
    pub(crate) quiet: bool,
    pub(crate) selected: bool,
    /// Stretches of the critical path.
    pub(crate) critical: Vec<(i64, i64)>,
    /// Times of events within the item, such as log lines.
    pub(crate) marks: Vec<i64>,
    pub(crate) href: Option<String>,
    /// Of a part: its place among all rows that are seen, and that of the row that it is below.
    pub(crate) place: Option<(usize, Option<usize>)>,
    /// Of a part: the name of its line in an address.
    pub(crate) name: String,
    /// Of a part: the address that folds it or unfolds it.
    pub(crate) turn: Option<String>,
    /// The search.
    pub(crate) hit: bool,
    /// The one of the hits that the reader is at.
    pub(crate) current_hit: bool,
}

/// The part of the rows that is there.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// The place of the first row.
    pub(crate) first: usize,
    /// Rows that are seen when all are there.
    pub(crate) total: usize,
    /// The names of the lines that the reader folded or unfolded.
    pub(crate) turned: String,
    /// The address at which a script asks for other rows.
    pub(crate) address: String,
    /// The number of items that were found, and the one that is shown.
    pub(crate) hits: Option<(usize, usize)>,
}

/// The table.
#[derive(Debug, Clone)]
pub(crate) struct Waterfall {
    pub(crate) rows: Vec<Row>,
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Set where not all rows are there.
    pub(crate) part: Option<Part>,
}

/// Bytes of rows that are sent at once. With all that is around them, a page stays below 300 kB.
const MOST_BYTES: usize = 180_000;
/// Bytes of a name that stand in its row; the rest is in its details.
const MOST_LABEL: usize = 600;

/// Levels that the style sheet has an indentation for.
const MOST_INDENTED: usize = 24;
/// Rows of a group that are seen. Groups are as tall as this many rows, so the style sheet can say their height, and a
/// browser lays out only those near the window.
const GROUP: usize = 64;
/// Letters of a name that have room in any window.
const ALWAYS_FITS: usize = 16;
/// Slices that can still be told apart.
const MOST_SLICES: u64 = 40;

/// The colour of a span by its type.
pub(crate) fn type_class(span_type: &str) -> &'static str {
    match span_type {
        "app" | "custom" | "request" => "t-app",
        "db" | "cache" | "storage" => "t-db",
        "external" => "t-external",
        "messaging" | "message" => "t-message",
        _ => "t-other",
    }
}

impl Waterfall {
    /// True if all rows may be sent at once.
    pub(crate) fn fits(&self) -> bool {
        self.bodies().1 == self.rows.len()
    }

    /// The number of rows that are sent.
    pub(crate) fn sent(&self) -> usize {
        self.bodies().1
    }

    /// The groups of rows, as many rows as may be sent at once, and how many those are: at least one.
    fn bodies(&self) -> (Markup, usize) {
        let scale = self.scale();
        let first = self.rows.iter().position(|row| row.selected).unwrap_or(0);
        let mut out = String::new();
        let mut sent = 0;
        for group in self.groups() {
            let class = group.full.then_some("full").filter(|_| self.part.is_none());
            let mut rows = String::new();
            for i in group.rows {
                let row = self.rows[i].render(scale, i == first).into_string();
                // The first row is sent in any case: a script that gets none would ask for it again.
                if sent > 0 && out.len() + rows.len() + row.len() > MOST_BYTES {
                    break;
                }
                rows.push_str(&row);
                sent = i + 1;
            }
            if rows.is_empty() {
                break;
            }
            let body = html! { tbody role="rowgroup" class=[class] { (PreEscaped(rows)) } };
            out.push_str(&body.into_string());
        }
        (PreEscaped(out), sent)
    }

    /// The rows alone, for a script that puts them among others.
    pub(crate) fn rows_alone(&self) -> Markup {
        let (bodies, _) = self.bodies();
        let part = self.part.as_ref();
        html! {
            table data-first=[part.map(|part| part.first)] data-total=[part.map(|part| part.total)]
                data-turned=[part.map(|part| &part.turned)]
                data-hits=[part.and_then(|part| part.hits).map(|hits| hits.0)]
                data-hit=[part.and_then(|part| part.hits).map(|hits| hits.1)] {
                    (bodies)
                }
        }
    }

    fn scale(&self) -> Scale {
        Scale::linear(self.from as f64, self.to as f64)
    }

    /// All rows, cut after every `GROUP` that are seen; those below a folded row stay with it.
    fn groups(&self) -> Vec<Group> {
        let mut out = Vec::new();
        let (mut start, mut seen) = (0, 0);
        for (i, row) in self.rows.iter().enumerate() {
            if !row.hidden && seen == GROUP {
                out.push(Group {
                    rows: start..i,
                    full: true,
                });
                (start, seen) = (i, 0);
            }
            seen += usize::from(!row.hidden);
        }
        out.push(Group {
            rows: start..self.rows.len(),
            full: seen == GROUP,
        });
        out
    }

    /// Ticks between the ends of the ruler; the end itself says the total.
    fn ticks(&self) -> Vec<ticks::Tick> {
        let length = (self.to - self.from) as f64;
        let (_, unit) = ticks::duration_unit(length);
        let mut out = ticks::linear(Scale::linear(0.0, length), 4, "", unit);
        // Beside a flyout the ruler is narrow: the total needs a fifth of it.
        out.retain(|tick| tick.place < 0.8);
        out
    }
}

/// Rows that are laid out together.
#[derive(Debug)]
struct Group {
    rows: Range<usize>,
    /// True if `GROUP` of them are seen.
    full: bool,
}

impl Render for Waterfall {
    fn render(&self) -> Markup {
        let total = duration((self.to - self.from) as f64).to_string();
        let ticks = self.ticks();
        let (bodies, _) = self.bodies();
        let part = self.part.as_ref();
        let rows = part.map_or(self.rows.len(), |part| part.total);
        let counted = words::count(rows as u64, "row", "rows");
        html! {
            div.wf-box {
            // One drawing behind all rows: thousands of them need no lines of their own.
            svg.wf-lines aria-hidden="true" {
                @for tick in &ticks { line.grid x1=(Pc(tick.place)) x2=(Pc(tick.place)) y1="0" y2="100%" {} }
            }
            table.wf id="wf" role="treegrid" aria-label={ "Trace, " (counted) ", " (total) }
                aria-rowcount=[part.map(|part| part.total + 1)]
                data-rows=[part.map(|part| &part.address)] data-first=[part.map(|part| part.first)]
                data-total=[part.map(|part| part.total)]
                data-turned=[part.map(|part| &part.turned)] {
                thead role="rowgroup" { tr role="row" {
                    th role="columnheader" scope="col" { "Span" }
                    th.dur role="columnheader" scope="col" { "Duration" }
                    th.time role="columnheader" scope="col" {
                        span.sr { "Timeline" }
                        svg.ruler aria-hidden="true" data-from=(self.from) data-to=(self.to) {
                            @for tick in &ticks {
                                text class=(if tick.place < 0.01 { "start" } else { "" }) x=(Pc(tick.place)) y="19" {
                                    (tick.label)
                                }
                            }
                            text.end x="100%" y="19" { (total) }
                        }
                    }
                } }
                (bodies)
            }
            }
        }
    }
}

impl Row {
    fn class(&self) -> Option<String> {
        let mut class = String::new();
        for (on, name) in [
            (self.service.is_some(), "entry"),
            (self.failed, "failed"),
            (self.quiet, "quiet"),
            (matches!(self.bar, Bar::Total { .. }) && !self.quiet, "fold"),
            (self.hit, "hit"),
            (self.current_hit, "here"),
        ] {
            if on {
                if !class.is_empty() {
                    class.push(' ');
                }
                class.push_str(name);
            }
        }
        (!class.is_empty()).then_some(class)
    }

    /// The class that indents a row; what stands deeper than the last one is not indented further.
    fn indented(&self) -> String {
        match self.level {
            0 | 1 => "cell".to_owned(),
            level => format!("cell in{}", level.min(MOST_INDENTED) - 1),
        }
    }

    /// The name, cut where it is very long.
    fn label(&self) -> &str {
        &self.label[..self.label.floor_char_boundary(MOST_LABEL)]
    }

    /// The same again, where it may not have the room to stand in its row.
    fn title(&self) -> Option<&str> {
        (self.label.chars().count() > ALWAYS_FITS).then_some(self.label())
    }

    fn render(&self, scale: Scale, in_tab_order: bool) -> Markup {
        let length = duration(self.duration as f64);
        html! {
            tr id={ "r-" (self.id) } class=[self.class()] role="row" aria-level=(self.level)
                aria-expanded=[self.expanded.map(|open| if open { "true" } else { "false" })]
                aria-selected=(if self.selected { "true" } else { "false" })
                tabindex=(if in_tab_order { "0" } else { "-1" }) data-us=(self.duration) hidden[self.hidden]
                aria-rowindex=[self.place.map(|(place, _)| place + 2)] data-row=[self.place.map(|(place, _)| place)]
                data-up=[self.place.and_then(|(_, above)| above)] data-line=[self.place.map(|_| &self.name)] {
                td role="gridcell" {
                    div class=(self.indented()) {
                        @match (&self.turn, self.expanded) {
                            (Some(turn), Some(open)) => {
                                a.twisty href=(turn) tabindex="-1" aria-label=(if open { "Fold" } else { "Unfold" }) {}
                            }
                            _ => span.twisty {},
                        }
                        span class={ "swatch " (self.class) } aria-hidden="true" {}
                        @match &self.href {
                            Some(href) => { a.label href=(href) title=[self.title()] { (self.label()) } }
                            None => { span.label title=[self.title()] { (self.label()) } }
                        }
                        @if let Some(service) = &self.service { span.svc { (service) } }
                        @for (tone, text) in &self.badges { (flag(*tone, text)) }
                    }
                }
                td.dur role="gridcell" { (length) }
                td.time role="gridcell" { svg.bars aria-hidden="true" { (self.bars(scale)) } }
            }
        }
    }

    fn bars(&self, scale: Scale) -> Markup {
        let place = |at: i64| scale.place(at as f64);
        let end = self.at.saturating_add(self.duration);
        let (left, right) = (place(self.at), place(end));
        html! {
            @match self.bar {
                Bar::Plain => { (bar(self.class, left, right)) }
                Bar::Total { until }
                => {
                    rect class={ (self.class) " total" } x=(Pc(left)) width=(Pc(place(until) - left)) y="8"
                        height="11" rx="1.5" {}
                }
                Bar::None => {}
                Bar::Gap => { rect.gap x=(Pc(left)) width=(Pc(right - left)) y="8.5" height="10" rx="1.5" {} }
                Bar::Slices(n) => {
                    @let n = n.clamp(1, MOST_SLICES);
                    @let slice = (right - left) / n as f64;
                    @for i in 0..n {
                        rect class=(self.class) x=(Pc(left + slice * i as f64)) width=(Pc(slice * 0.92)) y="8"
                            height="11" rx="1" {}
                    }
                }
            }
            @if self.failed && self.bar != Bar::None { rect.fail x=(Pc(left)) width="3" y="6" height="15" rx="1" {} }
            @if self.bar != Bar::None {
                @for at in &self.marks { circle.mark cx=(Pc(place(*at))) cy="13.5" r="2.5" {} }
            }
            @for (from, to) in &self.critical {
                @let (left, right) = (place(*from), place(*to));
                rect.crit x=(Pc(left)) width=(Pc(right - left)) y="21" height="2" {}
            }
        }
    }
}

/// A bar, and under it one of 2 px, so that even the shortest is seen; below a thousandth there is only that one.
fn bar(class: &str, left: f64, right: f64) -> Markup {
    html! {
        @if right - left < 0.01 { rect class=(class) x=(Pc(left.min(0.995))) width="2" y="8" height="11" rx="1" {} }
        @if right - left >= 0.001 {
            rect class=(class) x=(Pc(left)) width=(Pc(right - left)) y="8" height="11" rx="1.5" {}
        }
    }
}

#[cfg(test)]
mod tests;
