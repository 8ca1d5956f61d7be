//! Markers on charts over time: a dashed line where something was set, released or started, and its name where there
//! is room.

use maud::{Markup, html};

use super::buckets::Buckets;
use crate::sort_rows::SortRows as _;
use crate::ui::moment::{Clock, Micros};
use crate::ui::plot::coordinate::{Pc, Px};
use crate::ui::words;

/// A point in time that the reader may want to see what changed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flag {
    pub(crate) at: Micros,
    /// `“before the index”`, `version 2.1`
    pub(crate) words: String,
    /// The label on the chart, where words would cover it.
    pub(crate) label: String,
    /// If two have no room, the name of the one with the smaller weight is left out.
    pub(crate) weight: u8,
}

/// Characters of a name, and the share of the plot that they need.
const LONGEST: usize = 20;
const ROOM: f64 = 0.25;

/// Those within the buckets, oldest first, with their place on the plot.
fn within(flags: &[Flag], buckets: Buckets) -> Vec<(f64, &Flag)> {
    let length = (buckets.to() - buckets.from).max(1) as f64;
    let place = |flag: &Flag| (flag.at - buckets.from) as f64 / length;
    let mut found: Vec<_> = flags.iter().map(|flag| (place(flag), flag)).collect();
    found.retain(|(place, _)| (0.0..=1.0).contains(place));
    found.sort_rows_by(|a, b| a.0.total_cmp(&b.0));
    found
}

/// The lines, for the part of a chart that is not stretched, and names that do not cover each other, the weightiest
/// first.
pub(super) fn draw(flags: &[Flag], buckets: Buckets, height: f64) -> Markup {
    let found = within(flags, buckets);
    let mut order: Vec<usize> = (0..found.len()).collect();
    // Of equal weights the later one is named.
    order.sort_rows_by_key(|i| (std::cmp::Reverse(found[*i].1.weight), std::cmp::Reverse(*i)));
    let mut named: Vec<usize> = Vec::new();
    for i in order {
        let (from, to) = stretch(found[i].0);
        let covers = |other: &usize| {
            let (start, end) = stretch(found[*other].0);
            from < end && start < to
        };
        if !named.iter().any(covers) {
            named.push(i);
        }
    }
    html! {
        @for (i, (place, flag)) in found.iter().enumerate() {
            line.mark.flag x1=(Pc(*place)) x2=(Pc(*place)) y1="2" y2=(Px(height)) {}
            @if named.contains(&i) {
                @let left = is_left(*place);
                text.mark-text.flag-text x=(Pc(*place)) dx=(if left { "-6" } else { "6" }) y="11"
                    text-anchor=[left.then_some("end")] {
                    (words::cut(&flag.label, LONGEST))
                }
            }
        }
    }
}

/// A name stands to the right of its line, or to the left where the plot ends.
fn is_left(place: f64) -> bool {
    place > 1.0 - ROOM
}

/// The stretch of the plot that a name covers.
fn stretch(place: f64) -> (f64, f64) {
    if is_left(place) {
        (place - ROOM, place)
    } else {
        (place, place + ROOM)
    }
}

/// The same for those who do not see it: ` Markers: version 2.1 at 13:31.`, or nothing.
pub(super) fn said(flags: &[Flag], buckets: Buckets, clock: &Clock) -> String {
    let found = within(flags, buckets);
    if found.is_empty() {
        return String::new();
    }
    let each: Vec<String> = found
        .iter()
        .map(|(_, flag)| format!("{} at {}", flag.words, clock.minute(flag.at)))
        .collect();
    format!(" Markers: {}.", each.join(", "))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    const HOUR: Buckets = Buckets {
        from: 1_795_348_800_000_000,
        step: 60_000_000,
        count: 60,
    };

    fn at(minute: i64, words: &str) -> Flag {
        Flag {
            at: HOUR.from + minute * HOUR.step,
            words: words.to_owned(),
            label: words.to_owned(),
            weight: u8::from(words.starts_with('“')),
        }
    }

    #[test]
    fn flags_outside_the_range_are_not_drawn_and_names_need_room() {
        let flags = [
            at(61, "later"),
            at(57, "“end”"),
            at(15, "“<first>”"),
            at(18, "version 2"),
            at(-1, "before"),
        ];
        insta::assert_snapshot!(draw(&flags, HOUR, 172.0).into_string().replace("><", ">\n<"), @r#"
        <line class="mark flag" x1="25%" x2="25%" y1="2" y2="172">
        </line>
        <text class="mark-text flag-text" x="25%" dx="6" y="11">“&lt;first&gt;”</text>
        <line class="mark flag" x1="30%" x2="30%" y1="2" y2="172">
        </line>
        <line class="mark flag" x1="95%" x2="95%" y1="2" y2="172">
        </line>
        <text class="mark-text flag-text" x="95%" dx="-6" y="11" text-anchor="end">“end”</text>
        "#);
    }

    #[test]
    fn they_are_said_in_the_order_of_time() {
        let clock = Clock {
            now: HOUR.to(),
            zone: TimeZone::UTC,
        };
        let flags = [at(30, "version 2"), at(6, "“a”"), at(90, "“z”")];
        assert_eq!(
            said(&flags, HOUR, &clock),
            " Markers: “a” at 12:06, version 2 at 12:30."
        );
        assert_eq!(said(&[], HOUR, &clock), "");
    }
}
