//! The distribution of durations, with the controls that brush it: of a transaction group, or of a statement.

use maud::{Markup, html};

use super::whole;
use crate::analytics::distribution::{Bar, Distribution, Scale as Cut};
use crate::analytics::samples::Durations;
use crate::ui::chart::histogram::{self, Bin, Histogram};
use crate::ui::components::controls::segment;
use crate::ui::number::FEW;
use crate::ui::view::View;

/// How the axis is cut: logarithmic unless the address says otherwise.
pub(crate) fn scale(view: &View) -> Cut {
    if view.param("scale") == Some("linear") {
        Cut::Linear
    } else {
        Cut::Log
    }
}

/// The brushed range: in µs as links have it, or in ms as the two inputs send it.
pub(crate) fn durations(view: &View) -> Durations {
    let bound = |us: &str, ms: &str| {
        let exact = view.param(us).and_then(|text| text.parse::<f64>().ok());
        let typed = || {
            view.param(ms)
                .and_then(|text| text.replace(',', ".").trim().parse::<f64>().ok())
                .map(|ms| ms * 1e3)
        };
        exact
            .or_else(typed)
            .filter(|us| us.is_finite() && *us >= 0.0)
            .map(|us| us as i64)
    };
    let all = Durations::default();
    Durations {
        min: bound("min_us", "min_ms").unwrap_or(all.min),
        max: bound("max_us", "max_ms").unwrap_or(all.max),
    }
}

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

/// `noun`: what is counted, in the plural.
pub(crate) fn chart(
    view: &View,
    noun: &str,
    now: &Distribution,
    before: Option<&Distribution>,
    sample: Option<i64>,
    sql: &str,
) -> Markup {
    let (now_bins, before_bins) = (
        bins(&now.bars),
        before.map(|before| bins(&before.bars)).unwrap_or_default(),
    );
    let log = now.scale == Cut::Log;
    let both: Vec<Bin> = now_bins.iter().chain(&before_bins).copied().collect();
    let axis = histogram::axis(&both, log);
    let chosen = durations(view);
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
        controls: controls(view, brush),
        sql: Some(sql),
    }
    .render()
}

/// Two numbers, a way back, and the switch of the scale: all of it works without a script.
fn controls(view: &View, brush: Option<(f64, f64)>) -> Markup {
    const OWN: [&str; 6] = ["min_us", "max_us", "min_ms", "max_ms", "sample", "item"];
    let ms = |us: f64| {
        let text = format!("{:.3}", us / 1e3);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let chosen = durations(view);
    let typed = |us: i64| (us > 0 && us < i64::MAX).then(|| ms(us as f64));
    let plain = || OWN.iter().fold(view.here(), |href, key| href.without(key));
    let linear = view.param("scale") == Some("linear");
    html! {
        form.row method="get" action=(view.path) {
            @for (key, value) in view.params_but(&OWN) { input type="hidden" name=(key) value=(value); }
            span.field {
                label.field { "from " input.input name="min_ms" value=[typed(chosen.min)] inputmode="decimal" autocomplete="off"; }
                label.field { "to " input.input name="max_ms" value=[typed(chosen.max)] inputmode="decimal" autocomplete="off"; }
                " ms"
            }
            button.btn.btn--small type="submit" { "Select" }
            @if brush.is_some() { a.btn.btn--small href=(plain()) { "Clear" } }
        }
        (segment("Horizontal scale", [("log", view.here().without("scale"), !linear), ("linear", view.here().set("scale", "linear"), linear)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_in_either_unit() {
        for (query, want) in [
            ("min_us=20000&max_us=50000", (20_000, 50_000)),
            ("min_ms=20&max_ms=50.5", (20_000, 50_500)),
            ("min_ms=0%2C5", (500, i64::MAX)),
            ("min_us=x&max_us=-1", (i64::MIN, i64::MAX)),
            ("", (i64::MIN, i64::MAX)),
        ] {
            let durations = durations(&View::test("/", query));
            assert_eq!((durations.min, durations.max), want, "{query}");
        }
    }
}
