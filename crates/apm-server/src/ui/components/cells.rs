//! Number cells, and what stands in them: delta, meter, badge, swatch.

use maud::{Markup, html};

use crate::analytics::discover::logs::Severity;
use crate::ui::number::{self, Delta, FIRM, Figure, NARROW};
use crate::ui::plot::coordinate::Pc;
use crate::ui::words;

/// A name of parts, such as `jvm.memory.heap_used`, which breaks between them where it is too long for its line.
pub(crate) fn dotted(name: &str) -> Markup {
    html! { @for part in name.split_inclusive(['.', '_']) { (part) wbr; } }
}

/// A cell with a figure and its unit in a slot of its own; a dash where there is none.
pub(crate) fn figure(value: Option<Figure>) -> Markup {
    match value {
        Some(value) => html! { td.num { (value.figure) (unit(value.unit)) } },
        None => html! { td.num.none { "–" span.u {} } },
    }
}

/// A duration in µs.
pub(crate) fn duration(us: Option<f64>) -> Markup {
    figure(us.map(number::duration))
}

/// A share of 0 … 1.
pub(crate) fn percent(share: Option<f64>) -> Markup {
    figure(share.map(number::percent))
}

/// A count: short in the cell, exact on hover.
pub(crate) fn count(n: u64) -> Markup {
    let exact = (n >= 10_000).then(|| number::grouped(n));
    html! { td.num title=[exact] { (number::compact(n)) } }
}

/// A rate whose head says `/min`.
pub(crate) fn rate(per_minute: f64) -> Markup {
    html! { td.num { (number::rate(per_minute)) } }
}

/// A sparkline and its figure; `None` leaves a dash in the figure's place.
pub(crate) fn trend(spark: Markup, value: Option<Figure>) -> Markup {
    match value {
        Some(value) => html! { td.num { (spark) span.fig { (value.figure) } (unit(value.unit)) } },
        None => html! { td.num.none { (spark) span.fig { "–" } span.u {} } },
    }
}

/// A sparkline and a figure that has no unit.
pub(crate) fn trend_bare(spark: Markup, figure: &str) -> Markup {
    html! { td.num { (spark) span.fig { (figure) } } }
}

/// A meter and its share; `widest` is the share that fills the meter.
pub(crate) fn share(share: Option<f64>, widest: f64, fill: &'static str) -> Markup {
    match share {
        Some(value) => {
            let percent = number::percent(value);
            let part = if widest > 0.0 { value / widest } else { 0.0 };
            html! { td.num { (meter_cell(part, fill)) span.fig.fig--s { (percent.figure) } (unit("%")) } }
        }
        None => html! { td.num.none { span.fig.fig--s { "–" } span.u {} } },
    }
}

fn unit(unit: &str) -> Markup {
    html! { span.u { @if !unit.is_empty() { (NARROW) (unit) } } }
}

fn meter_cell(share: f64, fill: &str) -> Markup {
    html! { svg.meter.meter--cell height="4" width="48" aria-hidden="true" { (track(share, fill)) } }
}

/// A meter as wide as its place.
pub(crate) fn meter(share: f64, fill: &str) -> Markup {
    html! { svg.meter height="4" aria-hidden="true" { (track(share, fill)) } }
}

fn track(share: f64, fill: &str) -> Markup {
    html! { rect.track width="100%" height="4" {} rect class=(fill) width=(Pc(share.clamp(0.0, 1.0))) height="4" {} }
}

/// True if a rise is bad, or neither good nor bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rise {
    Worse,
    Neutral,
}

/// A change against the comparison: arrow, per cent, and words for screen readers. Nothing where it is not known.
pub(crate) fn delta(delta: Delta, rise: Rise, against: &str) -> Markup {
    match delta {
        Delta::Unknown
        | Delta::NoEarlierData
        | Delta::TooFew
        | Delta::OtherRequests
        | Delta::New => html! {},
        known => change(known, rise, against, ""),
    }
}

/// The same in a table cell of fixed width.
pub(crate) fn delta_cell(delta: Delta, rise: Rise, against: &str) -> Markup {
    html! { td.num { (change(delta, rise, against, " delta--cell")) } }
}

/// True if a delta is drawn in red.
pub(crate) fn is_worse(delta: Delta, rise: Rise) -> bool {
    let rises = match delta {
        Delta::Changed { percent } => percent >= FIRM,
        Delta::FromZero => true,
        _ => false,
    };
    rises && rise == Rise::Worse
}

fn change(delta: Delta, rise: Rise, against: &str, class: &str) -> Markup {
    let title = format!("vs {against}");
    match delta {
        Delta::Unknown => html! { span class={ "delta" (class) } { "–" } },
        Delta::NoEarlierData => why_not("no data", "no earlier data", class),
        Delta::TooFew => why_not("too few", "too few on one side to compare", class),
        Delta::New => why_not("new", &format!("none in the {against}"), class),
        Delta::OtherRequests => why_not(
            "other mix",
            "most requests are of kinds that were not called before",
            class,
        ),
        Delta::FromZero => {
            let worse = if rise == Rise::Worse {
                " delta--worse"
            } else {
                ""
            };
            html! {
                span class={ "delta" (worse) (class) } title=(title) {
                    span aria-hidden="true" { "↑" } span.sr { "up" } " from" (NARROW) "0"
                }
            }
        }
        Delta::Same => {
            html! { span class={ "delta" (class) } title=(title) { "≈" (NARROW) "0" (NARROW) "%" } }
        }
        Delta::Changed { percent } => {
            let up = percent > 0;
            let tone = match rise {
                Rise::Neutral => "",
                _ if percent.abs() < FIRM => "",
                _ if is_worse(delta, rise) => " delta--worse",
                _ => " delta--better",
            };
            html! {
                span class={ "delta" (tone) (class) } title=(title) {
                    span aria-hidden="true" { (if up { "↑" } else { "↓" }) }
                    span.sr { (if up { "up" } else { "down" }) }
                    (NARROW)
                    @if percent >= MULTIPLE { (multiple(percent)) } @else { (percent.unsigned_abs()) (NARROW) "%" }
                }
            }
        }
    }
}

/// Per cent from which a rise is said as a multiple.
const MULTIPLE: i64 = 900;

/// `12×`: per cent say little of a value that is many times as large.
fn multiple(percent: i64) -> String {
    match percent / 100 + 1 {
        1_000.. => ">\u{202f}1,000×".to_owned(),
        times => format!("{times}×"),
    }
}

/// The reason why there is no change to show.
fn why_not(text: &str, why: &str, class: &str) -> Markup {
    html! { span class={ "delta" (class) } title=(why) { (text) } }
}

/// The meaning of the colour of a badge or a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Neutral,
    Bad,
    Warn,
    Good,
    Accent,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Neutral => "badge",
            Self::Bad => "badge badge--bad",
            Self::Warn => "badge badge--warn",
            Self::Good => "badge badge--good",
            Self::Accent => "badge badge--accent",
        }
    }
}

/// The tone of a level of a log line.
pub(crate) fn level_tone(level: &str) -> Tone {
    severity_tone(Severity::from_level(level))
}

/// The tone of log lines of a severity.
pub(crate) fn severity_tone(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Bad,
        Severity::Warn => Tone::Warn,
        Severity::Info | Severity::Debug | Severity::Other => Tone::Neutral,
    }
}

/// Characters of a badge.
const LONGEST_FLAG: usize = 40;

/// A badge in a row of a list: at most two stand there.
pub(crate) fn flag(tone: Tone, text: &str) -> Markup {
    // The level of a log line is a word that an agent chooses.
    let shown = words::cut(text, LONGEST_FLAG);
    let title = (shown != text).then_some(text);
    html! { span class={ (tone.class()) " badge--s" } title=[title] { (shown) } }
}

/// The colour key of a series or a span type; its words stand beside it.
pub(crate) fn swatch(class: &str) -> Markup {
    html! { span class={ "swatch " (class) } aria-hidden="true" {} }
}

/// A name behind its colour key; it takes no more than its place.
pub(crate) fn keyed(class: &str, name: &str) -> Markup {
    html! { span.row.row--c { (swatch(class)) span.clamp title=(name) { (name) } } }
}

/// The class of a transaction result: `HTTP 5xx` → `r-5xx`.
pub(crate) fn result_class(result: &str) -> &'static str {
    match result
        .strip_prefix("HTTP ")
        .unwrap_or(result)
        .as_bytes()
        .first()
    {
        Some(b'3') => "r-3xx",
        Some(b'4') => "r-4xx",
        Some(b'5') => "r-5xx",
        Some(b'2') => "r-2xx",
        _ => match result {
            "failure" | "error" | "failed" => "r-5xx",
            _ => "r-2xx",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::components::tag_lines;

    #[test]
    fn figures_and_units_have_slots_of_their_own() {
        insta::assert_snapshot!(tag_lines(duration(Some(46_200.0))), @r#"
        <td class="num">46.2<span class="u"> ms</span>
        </td>
        "#);
        insta::assert_snapshot!(duration(None).into_string(), @r#"<td class="num none">–<span class="u"></span></td>"#);
        insta::assert_snapshot!(count(28_412).into_string(), @r#"<td class="num" title="28,412">28.4k</td>"#);
        insta::assert_snapshot!(tag_lines(share(Some(0.28), 0.56, "fill-db")), @r#"
        <td class="num">
        <svg class="meter meter--cell" height="4" width="48" aria-hidden="true">
        <rect class="track" width="100%" height="4">
        </rect>
        <rect class="fill-db" width="50%" height="4">
        </rect>
        </svg>
        <span class="fig fig--s">28</span>
        <span class="u"> %</span>
        </td>
        "#);
    }

    #[test]
    fn a_delta_is_red_only_where_it_is_worse_and_firm() {
        let up = |percent| Delta::Changed { percent };
        for (delta, rise, want) in [
            (up(141), Rise::Worse, true),
            (up(-38), Rise::Worse, false),
            (up(8), Rise::Worse, false),
            (up(141), Rise::Neutral, false),
            (Delta::Same, Rise::Worse, false),
        ] {
            assert_eq!(is_worse(delta, rise), want, "{delta:?} {rise:?}");
        }
        insta::assert_snapshot!(tag_lines(self::delta(up(1_410), Rise::Worse, "previous 15 min")), @r#"
        <span class="delta delta--worse" title="vs previous 15 min">
        <span aria-hidden="true">↑</span>
        <span class="sr">up</span> 15×</span>
        "#);
    }

    #[test]
    fn results_have_their_colour() {
        for (result, want) in [
            ("HTTP 2xx", "r-2xx"),
            ("HTTP 5xx", "r-5xx"),
            ("404", "r-4xx"),
            ("success", "r-2xx"),
            ("failure", "r-5xx"),
            ("", "r-2xx"),
        ] {
            assert_eq!(result_class(result), want, "{result}");
        }
    }
}
