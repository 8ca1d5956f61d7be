//! The distribution of durations, with the controls that brush it: of a transaction group, or of a statement.

use maud::{Markup, html};

use super::whole;
use crate::analytics::distribution::{Bar, Distribution, Scale as Cut};
use crate::analytics::samples::Durations;
use crate::answers::sourced::Sourced;
use crate::ui::chart::histogram::{self, Bin, Histogram};
use crate::ui::components::controls::segment;
use crate::ui::number::{FEW, without_zeros};
use crate::ui::view::View;

fn bins(bars: &[Bar]) -> Vec<Bin> {
    let bin = |bar: &Bar| Bin {
        from: bar.from as f64,
        to: bar.to as f64,
        count: whole(bar.count),
        failed: whole(bar.failed),
    };
    // Leading and trailing buckets without a request would only make the axis long.
    let filled = |bar: &Bar| bar.count > 0.0;
    let (Some(first), Some(last)) = (bars.iter().position(filled), bars.iter().rposition(filled))
    else {
        return Vec::new();
    };
    bars[first..=last].iter().map(bin).collect()
}

/// `noun`: what is counted, in the plural; `chosen`: the range of durations that is selected.
pub(crate) fn chart(
    view: &View,
    noun: &str,
    now: &Sourced<Distribution>,
    (chosen, before): (Durations, Option<&Distribution>),
    sample: Option<i64>,
) -> Markup {
    let (now_bins, before_bins) = (
        bins(&now.bars),
        before.map(|before| bins(&before.bars)).unwrap_or_default(),
    );
    let log = now.scale == Cut::Log;
    // One axis for both windows, so that they can be laid over each other.
    let both: Vec<Bin> = now_bins.iter().chain(&before_bins).copied().collect();
    let axis = histogram::axis(&both, log);
    let brushed = chosen != Durations::default();
    let (low, high) = axis.ends();
    let brush = brushed.then(|| {
        (
            (chosen.min.max(0) as f64).max(low),
            (chosen.max as f64).min(high),
        )
    });
    Histogram {
        id: "distribution",
        noun,
        bins: &now_bins,
        previous: &before_bins,
        previous_name: &view.against(),
        scale: axis,
        brush,
        p95: now
            .percentiles
            .filter(|_| now.count >= FEW as f64)
            .map(|percentiles| percentiles.p95),
        sample: sample.map(|us| us as f64),
        controls: controls(view, chosen, brush),
        sql: &now.sql,
        file: "distribution",
    }
    .render()
}

/// Two numbers, a way back, and the switch of the scale: all of it works without a script.
fn controls(view: &View, chosen: Durations, brush: Option<(f64, f64)>) -> Markup {
    const OWN: [&str; 6] = ["min_us", "max_us", "min_ms", "max_ms", "sample", "item"];
    let ms = |us: f64| without_zeros(&format!("{:.3}", us / 1e3));
    let typed = |us: i64| (us > 0 && us < i64::MAX).then(|| ms(us as f64));
    let plain = || OWN.iter().fold(view.here(), |href, key| href.without(key));
    let linear = view.param("scale") == Some("linear");
    let scales = [
        ("log", view.here().without("scale"), !linear),
        ("linear", view.here().set("scale", "linear"), linear),
    ];
    html! {
        form.row method="get" action=(view.path) {
            @for (key, value) in view.params_but(&OWN) { input type="hidden" name=(key) value=(value); }
            span.field {
                label.field {
                    "from "
                    input.input name="min_ms" value=[typed(chosen.min)] inputmode="decimal" autocomplete="off";
                }
                label.field {
                    "to "
                    input.input name="max_ms" value=[typed(chosen.max)] inputmode="decimal" autocomplete="off";
                }
                " ms"
            }
            button.btn.btn--small type="submit" { "Select" }
            @if brush.is_some() { a.btn.btn--small href=(plain()) { "Clear" } }
        }
        (segment("Horizontal scale", scales))
    }
}
