//! `/services/{s}/transactions/view`: one kind of request. How long it takes, how that is spread, and a sample of it.

mod headline;
mod sample;

use apm_store::StoreError;
use maud::{Markup, html};

use super::{Answer, Ask, Part, charts, distribution, page, service, service_crumbs, whole};
use crate::analytics::samples::{self, Sample};
use crate::analytics::trace::read;
use crate::analytics::{
    Scope, breakdown, distribution as spread, latency, throughput, transactions,
};
use crate::ui::components::head::{Crumb, Fact, facts, page_head};
use crate::ui::components::panel::split;
use crate::ui::components::shell::{Page, Section};
use crate::ui::number;
use crate::ui::pages::trace::panel::Panel;
use crate::ui::pages::transactions::named;
use crate::ui::view::View;
use crate::ui::words;

/// The page.
pub(crate) fn one(ask: &mut Ask<'_>, service: &str, part: Part) -> Result<Answer, StoreError> {
    let view = ask.view;
    let name = view.param("name").unwrap_or("").to_owned();
    let scope = Scope {
        transaction_type: view.param("type").map(str::to_owned),
        transaction_name: Some(name.clone()),
        ..ask.service(service)
    };
    let samples = samples::list(
        ask.conn,
        &scope,
        &ask.window,
        distribution::durations(view),
        samples::LIMIT,
    )?;
    let place = chosen(view, &samples);
    let trace = match place {
        Some(place) => read::trace(ask.conn, &samples[place].trace_id)?,
        None => None,
    };
    let panel = trace.as_deref().zip(place).map(|(trace, place)| Panel {
        trace,
        current: Some(&samples[place].id),
    });
    let fragment = match (part, panel) {
        (Part::Page, _) => None,
        (Part::Details, Some(panel)) => Some(panel.details(ask)?),
        (Part::Rows, Some(panel)) => Some(panel.rows(view)),
        (_, None) => Some(html! {}),
    };
    if let Some(fragment) = fragment {
        return Ok(Answer::Fragment(fragment));
    }
    let crumbs = service_crumbs(
        view,
        service,
        &[
            Crumb::link(
                "Transactions",
                view.to(&["services", service, "transactions"])
                    .set("type", view.param("type").unwrap_or(""))
                    .to_string(),
            ),
            Crumb::here(named(&name)),
        ],
    );
    let titled = |body: Markup| Page {
        service: Some(service.to_owned()),
        fresh: place.is_none(),
        ..page(Section::Services, named(&name), body)
    };
    let now = latency::chart(ask.conn, &scope, &ask.window)?;
    if now.total.count == 0.0 {
        let head = page_head(
            &crumbs,
            format!(
                "No requests to {} {}.",
                words::cut(named(&name), 80),
                words::range(view)
            ),
            "Nothing of this name was recorded in the range and environment that are chosen.",
        );
        return Ok(Answer::Page(titled(
            html! { (head) (super::nothing_here(view, "No requests")) },
        )));
    }
    let before = ask
        .before
        .as_ref()
        .map(|window| latency::chart(ask.conn, &scope, window))
        .transpose()?;
    let results = throughput::chart(ask.conn, &scope, &ask.window)?;
    let scale = distribution::scale(view);
    let bars = spread::chart(ask.conn, &scope, &ask.window, scale)?;
    let bars_before = ask
        .before
        .as_ref()
        .map(|window| spread::chart(ask.conn, &scope, window, scale))
        .transpose()?;
    let kinds = breakdown::chart(ask.conn, &scope, &ask.window)?;
    let all = transactions::list(ask.conn, &ask.service(service), &ask.window)?;
    let share = all
        .transactions
        .iter()
        .filter(|group| group.name == name)
        .map(|group| group.impact)
        .sum::<f64>();
    let said = headline::of(
        view,
        named(&name),
        &now,
        bars.percentiles,
        (before.as_ref(), bars_before.as_ref()),
        trace.as_deref(),
    );
    let (latency_sql, throughput_sql) = (
        latency::sql(&scope, &ask.window).shell(),
        throughput::sql(&scope, &ask.window).shell(),
    );
    let spread_sql = spread::sql(&scope, &ask.window, bars.exact).shell();
    let panel = match panel {
        Some(panel) => sample::panel(ask, &samples, place.unwrap_or(0), panel)?,
        None => sample::none(view, &samples),
    };
    let second = html! {
        @if kinds.kinds.is_empty() { (charts::failed(ask, &now, before.as_ref(), Some(&latency_sql))) } @else { (charts::breakdown(ask, &kinds, &breakdown::sql(&scope, &ask.window).shell())) }
    };
    let body = html! {
        (page_head(&crumbs, &said.answer, &said.why))
        (totals(ask, &now, before.as_ref(), bars.percentiles, bars_before.as_ref(), share))
        (split("split--7-5", &[charts::latency(ask, "requests", &now, before.as_ref(), Some(&latency_sql)), charts::throughput(ask, &results, Some(&throughput_sql))]))
        section.panel { (distribution::chart(view, "requests", &bars, bars_before.as_ref(), place.map(|place| samples[place].duration), &spread_sql)) }
        (panel)
        section.panel { (second) }
    };
    Ok(Answer::Page(titled(body)))
}

/// The sample that the address names, else the newest.
fn chosen(view: &View, samples: &[Sample]) -> Option<usize> {
    let named = view
        .param("sample")
        .and_then(|id| samples.iter().position(|sample| sample.id == id));
    named.or((!samples.is_empty()).then_some(0))
}

fn totals(
    ask: &Ask<'_>,
    now: &latency::Latency,
    before: Option<&latency::Latency>,
    percentiles: Option<crate::analytics::percentile::Percentiles>,
    spread_before: Option<&spread::Distribution>,
    share: f64,
) -> Markup {
    use crate::ui::components::cells::{self, Rise};
    let events = (
        whole(now.total.count),
        before.map_or(0, |before| whole(before.total.count)),
    );
    let then = spread_before.and_then(|spread| spread.percentiles);
    let compared = |of: fn(&crate::analytics::percentile::Percentiles) -> f64| {
        cells::delta(
            number::delta(percentiles.as_ref().map(of), then.as_ref().map(of), events),
            Rise::Worse,
            &ask.view.against(),
        )
    };
    let mut list = service::total_facts(ask, now, before);
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
