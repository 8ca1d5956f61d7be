//! The time picker: presets apply at once, a range on Apply. A `details` element, so that it opens without a script.

use maud::{Markup, html};

use super::surroundings::Surroundings;
use super::{controls, icon};
use crate::analytics::comparison::Comparison;
use crate::ui::href::Href;
use crate::ui::moment::span_words;
use crate::ui::view::View;
use crate::ui::words;

/// `from`, words for the list, and words for the button.
pub(crate) const PRESETS: [(&str, &str); 7] = [
    ("now-5m", "Last 5 min"),
    ("now-15m", "Last 15 min"),
    ("now-1h", "Last hour"),
    ("now-6h", "Last 6 hours"),
    ("now-24h", "Last 24 hours"),
    ("now-7d", "Last 7 days"),
    ("now-30d", "Last 30 days"),
];

/// The preset that the address means, if any.
fn preset(view: &View) -> Option<&'static str> {
    let to_now = view.ends_now();
    let from = view.param("from").unwrap_or(apm_time::DEFAULT_FROM);
    PRESETS
        .into_iter()
        .find(|(value, _)| to_now && *value == from)
        .map(|(_, words)| words)
}

/// The zone of dates that are typed without one: ` (Europe/Berlin)`.
fn zone(view: &View) -> String {
    let name = view.clock.zone.iana_name();
    name.map(|name| format!(" ({name})")).unwrap_or_default()
}

/// The button, its list, and beside it zoom out and pause.
pub(crate) fn picker(view: &View, around: &Surroundings) -> Markup {
    let clock = &view.clock;
    let name = preset(view).map_or_else(|| span_words(view.range.micros()), str::to_owned);
    let refresh = view.refresh();
    let since = since(around);
    let choices = [("off", 0), ("5 s", 5), ("30 s", 30)];
    html! {
        div.group role="group" aria-label="Time range" {
            details.menu {
                summary.btn {
                    (icon::icon("clock"))
                    (name)
                    " "
                    span.dim {
                        (clock.minute(view.range.from)) "–" (clock.minute(view.range.to)) " " (clock.zone_name())
                    }
                    (icon::caret())
                }
                div.picker.menu-list role="group" aria-label="Time range" {
                    div.picker-list {
                        @for (i, (from, words)) in PRESETS.iter().enumerate() {
                            a href=(view.at_first_row().set("from", from).without("to"))
                                aria-current=[(*words == name).then_some("true")] data-key=(i + 1) {
                                (words) kbd aria-hidden="true" { (i + 1) }
                            }
                        }
                        @for (at, words) in &since {
                            @let from = apm_time::rfc3339(*at);
                            a href=(view.at_first_row().set("from", &from).without("to"))
                                aria-current=[(view.param("from") == Some(&from)).then_some("true")] title=(words) {
                                (words)
                            }
                        }
                    }
                    form.picker-form method="get" action=(view.path) {
                        @for (key, value) in view.params_at_first_row(&["from", "to"]) {
                            input type="hidden" name=(key) value=(value);
                        }
                        label {
                            "From"
                            input.input.input--text name="from"
                                value=(view.param("from").unwrap_or(apm_time::DEFAULT_FROM)) spellcheck="false"
                                autocomplete="off";
                        }
                        label {
                            "To"
                            input.input.input--text name="to" value=(view.param("to").unwrap_or("now"))
                                spellcheck="false" autocomplete="off";
                        }
                        div.row data-calendars hidden {
                            span.soft { "Calendar" }
                            (calendar("from"))
                            (calendar("to"))
                        }
                        p.dim {
                            "18:00, yesterday, last Friday 9:00, 2 hours ago, 2026-01-31 12:00" (zone(view))
                            ", 2026-01-31T12:00:00Z, now-15m, now/d"
                        }
                        div.row {
                            span.soft { "Time zone" }
                            (controls::segment("Time zone", zones(view)))
                            span.dim { "Times are in " (clock.zone.iana_name().unwrap_or("UTC")) "." }
                        }
                        // Small windows have no room for this choice in the header.
                        div.row.row--small {
                            span.soft { "Compare with" }
                            (controls::segment("Compare with", comparisons(view).iter().map(|choice| {
                                (&*choice.words, &choice.href, choice.is_current)
                            })))
                        }
                        div.row {
                            span.soft { "Refresh" }
                            (controls::segment("Refresh", choices.map(|(words, seconds)| {
                                (words, view.here().set("refresh", &seconds.to_string()), seconds == refresh)
                            })))
                        }
                        div.row {
                            button.btn.btn--primary type="submit" { "Apply" }
                            a.btn.btn--ghost href=(view.zoomed_out()) { "Zoom out" }
                            (controls::copy_link(view.frozen(), "Copy link to these times"))
                        }
                    }
                }
            }
            a.btn.btn--icon href=(view.zoomed_out()) aria-label="Zoom out" title="Zoom out" { (icon::icon("zoomout")) }
            @if refresh > 0 {
                a.btn.btn--icon href=(view.here().set("refresh", "0"))
                    aria-label={ "Pause automatic refresh, now every " (refresh) " s" } title="Pause" data-pause {
                    (icon::icon("pause"))
                }
            } @else {
                a.btn.btn--icon href=(view.here().set("refresh", "5")) aria-label="Refresh every 5 s"
                    title="Refresh every 5 s" {
                    (icon::icon("live"))
                }
            }
        }
    }
}

/// The browser's own calendar, whose choice a script writes into the field `name`.
fn calendar(name: &str) -> Markup {
    html! {
        input.input.input--text type="datetime-local" data-calendar=(name) aria-label={ "Calendar: " (name) };
    }
}

/// The zones to choose from: the reader's, which the browser tells, and UTC.
fn zones(view: &View) -> [(&'static str, Href, bool); 2] {
    let is_utc = view.param("tz") == Some("UTC");
    [
        ("yours", view.here().without("tz"), !is_utc),
        ("UTC", view.here().set("tz", "UTC"), is_utc),
    ]
}

/// A comparison to choose.
pub(super) struct Choosable {
    pub(super) words: String,
    pub(super) href: Href,
    pub(super) is_current: bool,
}

/// The comparisons to choose from, and that with nothing.
pub(super) fn comparisons(view: &View) -> Vec<Choosable> {
    let current = view.comparison();
    let options = Comparison::options(view.range).iter();
    let options = options.map(|choice| Choosable {
        words: view.words(*choice),
        href: view.here().set("cmp", choice.as_str()),
        is_current: current == Some(*choice),
    });
    let none = Choosable {
        words: "nothing".to_owned(),
        href: view.here().set("cmp", "off"),
        is_current: current.is_none(),
    };
    options.chain([none]).collect()
}

/// Ranges that begin with something that happened.
fn since(around: &Surroundings) -> Vec<(i64, String)> {
    let start = around
        .started
        .map(|at| (at, "Since server start".to_owned()));
    let marker = around.marker.as_ref();
    let marker = marker.map(|(at, name)| (*at, format!("Since “{}”", words::cut(name, 24))));
    start.into_iter().chain(marker).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_has_the_comparison_and_the_zone_which_the_header_of_a_small_window_has_no_room_for()
    {
        let clock = crate::ui::moment::Clock {
            zone: jiff::tz::TimeZone::get("America/New_York").unwrap(),
            ..View::test("/", "").clock
        };
        let view = View::test_at("/errors", "from=now-1h&cmp=week", clock).unwrap();
        let menu = picker(&view, &Surroundings::default()).into_string();
        for part in [
            "Times are in America/New_York.",
            "href=\"/errors?from=now-1h&amp;cmp=day\">day before</a>",
            "href=\"/errors?from=now-1h&amp;cmp=week\" aria-current=\"true\">week before</a>",
            "href=\"/errors?from=now-1h&amp;cmp=off\">nothing</a>",
        ] {
            assert!(menu.contains(part), "{part}: {menu}");
        }
    }

    #[test]
    fn the_button_names_the_preset_of_the_address() {
        for (query, want) in [
            ("", Some("Last 15 min")),
            ("from=now-1h&to=now", Some("Last hour")),
            ("from=now-1h&to=now-5m", None),
            ("from=now-2h", None),
        ] {
            assert_eq!(preset(&View::test("/", query)), want, "{query}");
        }
    }
}
