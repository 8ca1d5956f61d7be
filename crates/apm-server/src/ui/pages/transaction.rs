//! `/services/{s}/transactions/view`: one kind of request. How long it takes, how that is spread, and a sample of it.

mod headline;
mod sample;

use maud::{Markup, html};

use super::{
    Answer, Context, Part, Rendered, charts, distribution, narrowed, page, service, service_crumbs,
    whole,
};
use crate::analytics::change::{Change, Comparable};
use crate::analytics::percentile::Percentiles;
use crate::analytics::samples::Durations;
use crate::answers::trace::named;
use crate::answers::transaction::{Answer as Found, Params, SampleParams, Sampled};
use crate::ui::components::cells::{self, Rise};
use crate::ui::components::head::{Crumb, Fact, facts, page_head};
use crate::ui::components::panel::split;
use crate::ui::components::shell::{Page, Section};
use crate::ui::number;
use crate::ui::pages::trace::panel::Panel;
use crate::ui::view::View;
use crate::ui::words;

impl Rendered for SampleParams {
    fn render(&self, context: &Context<'_>, found: &Sampled) -> Answer {
        let panel = panel(found);
        Answer::Fragment(match (context.part, panel) {
            (Part::Rows, Some(panel)) => panel.rows(context.view),
            (_, Some(panel)) => panel.details(context.view),
            (_, None) => html! {},
        })
    }
}

/// The trace of the chosen sample.
fn panel(found: &Sampled) -> Option<Panel<'_>> {
    let sample = &found.samples[found.sample?];
    Some(Panel {
        trace: found.trace.as_deref()?,
        current: Some(&sample.id),
        looked: &found.looked,
    })
}

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let (view, name) = (context.view, named(&found.name));
        let sampled = &found.sampled;
        let place = sampled.sample;
        let list = view
            .to(&["services", &found.service, "transactions"])
            .set("type", found.kind.as_deref().unwrap_or(""));
        let crumbs = [
            Crumb::link("Transactions", list.to_string()),
            Crumb::here(name),
        ];
        let crumbs = service_crumbs(view, &found.service, &crumbs);
        let titled = |body: Markup| Page {
            service: Some(found.service.clone()),
            fresh: place.is_none(),
            ..page(Section::Services, name, body)
        };
        let (latency, throughput) = (&found.charts.latency, &found.charts.throughput);
        if latency.total.count == 0.0 {
            let name = words::cut(name, 80);
            let (answer, why) = narrowed::none(
                view,
                &format!("request to {name}"),
                &format!("No requests to {name}"),
                "Nothing of this name was recorded in the range and environment that are chosen.",
            );
            return Answer::Page(titled(html! {
                (page_head(&crumbs, answer, why))
                (super::nothing_here(view, "No requests"))
            }));
        }
        let before = found.previous.as_ref();
        let then = before.map(|before| &*before.charts.latency);
        let bars_then = before.map(|before| &before.distribution);
        let bars = &found.distribution;
        let said = headline::headline(
            view,
            name,
            latency,
            bars.percentiles,
            (found.change.as_ref(), bars_then),
            sampled.trace.as_deref(),
        );
        let duration = place.map(|place| sampled.samples[place].duration);
        let range = (self.of.durations, bars_then);
        let spread = distribution::chart(view, "requests", bars, range, duration);
        let breakdown = &found.charts.breakdown;
        let second = if breakdown.kinds.is_empty() {
            charts::failed(context, latency, then)
        } else {
            charts::breakdown(context, breakdown)
        };
        let sample = match panel(sampled) {
            Some(panel) => sample::panel(view, self.of.durations, sampled, panel),
            None => sample::none(view, self.of.durations, &sampled.samples),
        };
        let body = html! {
            (page_head(&crumbs, &said.answer, &said.why))
            (super::scan_note(context, found.scan.as_ref()))
            (totals(context, found))
            (split("split--7-5", &[
                charts::latency(context, "requests", latency, then),
                charts::throughput(context, throughput),
            ]))
            section.panel { (spread) (correlate(view, found, self.of.durations)) }
            (sample)
            section.panel { (second) }
        };
        Answer::Page(titled(body))
    }
}

/// The ways to what slow, failed or selected requests have in common.
fn correlate(view: &View, found: &Found, chosen: Durations) -> Markup {
    let href = view
        .to(&["services", &found.service, "transactions", "correlations"])
        .set("type", found.kind.as_deref().unwrap_or(""))
        .set("name", &found.name);
    let bound = |us: i64| match us {
        i64::MIN | i64::MAX => String::new(),
        us => us.to_string(),
    };
    let selected = || {
        let href = href.clone().set("min_us", &bound(chosen.min));
        href.set("max_us", &bound(chosen.max))
    };
    let failed = found.charts.latency.total.failed_rate.unwrap_or(0.0) > 0.0;
    html! {
        p.panel-foot {
            "What requests have in common: "
            @if chosen != Durations::default() { a href=(selected()) { "the selected ones" } " · " }
            a href=(href) { "the slowest 5" (number::NARROW) "%" }
            @if failed { " · " a href=(href.clone().set("of", "failed")) { "those that failed" } }
        }
    }
}

/// The percentile of a group now and before, where the two windows are of one kind of request.
fn compared(
    change: Option<&Change>,
    now: Option<&Percentiles>,
    then: Option<&Percentiles>,
    of: fn(&Percentiles) -> f64,
) -> number::Delta {
    // Percentiles of several groups together change with their mix.
    match change {
        Some(change) if change.groups > 1 => number::Delta::Unknown,
        Some(change) if change.comparable == Comparable::Yes => {
            number::delta(now.map(of), then.map(of), (number::FEW, number::FEW))
        }
        change => number::Delta::from_change(change),
    }
}

fn totals(context: &Context<'_>, found: &Found) -> Markup {
    let now = &found.charts.latency;
    let previous = found.previous.as_ref();
    let before = previous.map(|before| &*before.charts.latency);
    let change = found.change.as_ref();
    let percentiles = found.distribution.percentiles;
    let then = previous.and_then(|before| before.distribution.percentiles);
    let fact = |label, now: Percentiles, of: fn(&Percentiles) -> f64| {
        let delta = compared(change, Some(&now), then.as_ref(), of);
        let against = context.view.against();
        Fact::with(
            label,
            number::duration(of(&now)),
            cells::delta(delta, Rise::Worse, &against),
        )
    };
    let mut list = service::total_facts(context, now, before, change);
    if let Some(now) = percentiles.filter(|_| whole(now.total.count) >= number::FEW) {
        list.insert(1, fact("p95", now, |p| p.p95));
        list.insert(2, fact("p99", now, |p| p.p99));
    }
    list.push(Fact::new(
        "Share of service time",
        number::percent(found.share),
    ));
    facts(&list)
}
