//! `/services/{s}/transactions/view`: one kind of request. How long it takes, how that is spread, and a sample of it.

mod headline;
mod sample;

use maud::{Markup, html};

use super::{
    Answer, Context, Part, Rendered, charts, distribution, page, service, service_crumbs, whole,
};
use crate::analytics::distribution::Distribution;
use crate::analytics::latency::Latency;
use crate::analytics::percentile::Percentiles;
use crate::answers::trace::named;
use crate::answers::transaction::{Answer as Found, Params, SampleParams, Sampled};
use crate::ui::components::cells::{self, Rise};
use crate::ui::components::head::{Crumb, Fact, facts, page_head};
use crate::ui::components::panel::split;
use crate::ui::components::shell::{Page, Section};
use crate::ui::number;
use crate::ui::pages::trace::panel::Panel;
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
            let answer = format!(
                "No requests to {} {}.",
                words::cut(name, 80),
                words::range(view)
            );
            let why =
                "Nothing of this name was recorded in the range and environment that are chosen.";
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
            (then, bars_then),
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
            (totals(context, latency, then, bars.percentiles, bars_then, found.share))
            (split("split--7-5", &[
                charts::latency(context, "requests", latency, then),
                charts::throughput(context, throughput),
            ]))
            section.panel { (spread) }
            (sample)
            section.panel { (second) }
        };
        Answer::Page(titled(body))
    }
}

fn totals(
    context: &Context<'_>,
    now: &Latency,
    before: Option<&Latency>,
    percentiles: Option<Percentiles>,
    spread_before: Option<&Distribution>,
    share: f64,
) -> Markup {
    let events = (
        whole(now.total.count),
        before.map_or(0, |before| whole(before.total.count)),
    );
    let then = spread_before.and_then(|spread| spread.percentiles);
    let compared = |of: fn(&Percentiles) -> f64| {
        cells::delta(
            number::delta(percentiles.as_ref().map(of), then.as_ref().map(of), events),
            Rise::Worse,
            &context.view.against(),
        )
    };
    let mut list = service::total_facts(context, now, before);
    if let Some(percentiles) = percentiles.filter(|_| events.0 >= number::FEW) {
        list.insert(
            1,
            Fact::with(
                "p95",
                number::duration(percentiles.p95),
                compared(|p| p.p95),
            ),
        );
        list.insert(
            2,
            Fact::with(
                "p99",
                number::duration(percentiles.p99),
                compared(|p| p.p99),
            ),
        );
    }
    list.push(Fact::new("Share of service time", number::percent(share)));
    facts(&list)
}
