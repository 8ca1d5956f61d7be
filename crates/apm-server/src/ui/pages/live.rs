//! `/live`: events as they arrive, over server-sent events. Work stops when the reader's tab closes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apm_store::{Store, StoreError};
use diesel::SqliteConnection;
use futures_util::{Stream, stream};
use kql::Expr;
use maud::{Markup, html};

use super::discover::hits::{duration_cell, summary};
use super::trace::document::text;
use super::{Answer, Context, Rendered, logs, page};
use crate::analytics::discover::logs::{self as lines, Severity};
use crate::analytics::discover::{self, Hit, Request, all_of};
use crate::answers::live::{Answer as Found, MOST, Params, request};
use crate::answers::logs::Line;
use crate::ui::components::cells::{keyed, result_class};
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::icon;
use crate::ui::components::panel::panel;
use crate::ui::components::shell::{Page, Section};
use crate::ui::components::table::file_button;
use crate::ui::isolate;
use crate::ui::view::View;
use crate::ui::words;

/// Time between two looks for changes.
const STEP: Duration = Duration::from_millis(500);
/// Steps without news after which a comment is sent, so that a closed tab is noticed.
const QUIET_STEPS: u32 = 20;
/// Streams at a time.
const STREAMS: usize = 16;

impl Rendered for Params {
    fn render(&self, context: &Context<'_>, found: &Found) -> Answer {
        let view = context.view;
        let matching = if view.query().is_empty() {
            String::new()
        } else {
            format!(" that match {}", words::cut(view.query(), 90))
        };
        let events = words::count(found.total, "event", "events");
        let answer = format!("{events} in the last 5 minutes.");
        let why = format!("Events{matching} appear here as they are stored. Newest first.");
        let newest = found.hits.iter().map(|hit| hit.seq).max().unwrap_or(-1);
        let stream = view
            .to(&["live", "stream"])
            .set("q", view.query())
            .set("metrics", view.param("metrics").unwrap_or_default())
            .set("since", &newest.to_string());
        let aside = html! {
            form.query.query--s method="get" action="/live" {
                (icon::icon("search"))
                @for (key, value) in view.shared_params() { input type="hidden" name=(key) value=(value); }
                @if let Some(metrics) = view.param("metrics") { input type="hidden" name="metrics" value=(metrics); }
                input type="text" name="q" aria-label="Show only" placeholder="Show only …"
                    value=(view.query()) spellcheck="false" autocomplete="off";
            }
            button.btn.btn--small type="button" data-live-pause aria-pressed="false" hidden { "Pause" }
        };
        let caption = "Events, newest first";
        let table = html! {
            div.wide {
                table.table.docs.live data-table="hits" data-live=(stream) {
                    caption.sr { (caption) }
                    thead { tr {
                        th scope="col" { "Time" }
                        th scope="col" { "Event" }
                        th scope="col" { "Kind" }
                        th scope="col" { "Service" }
                        th scope="col" { "Result" }
                        th.num scope="col" { "Duration" }
                    } }
                    tbody { @for hit in &found.hits { (row(view, hit)) } }
                }
            }
            (file_button("hits", caption))
        };
        let note = html! {
        @if self.without_metrics {
            a href=(view.here().set("metrics", "on")) { "Show metrics, too" }
        } @else if view.param("metrics").is_some() {
            a href=(view.here().without("metrics")) { "Leave metrics out" }
        }
        " "
        span.live-state data-live-state aria-live="polite" { "Reload the page to see newer events." } };
        let body = html! {
            (page_head(&[Crumb::here("Live")], answer, why))
            (panel("Newest first", note, aside, table))
        };
        Answer::Page(Page {
            fresh: false,
            ..page(Section::Live, "Live", body)
        })
    }
}

fn row(view: &View, hit: &Hit) -> Markup {
    let document = &hit.document;
    let kind = text(document, "processor.event").unwrap_or_else(|| "log".to_owned());
    let result = text(document, "transaction.result")
        .or_else(|| text(document, "event.outcome"))
        .unwrap_or_default();
    let failed = text(document, "event.outcome").as_deref() == Some("failure") || kind == "error";
    let trace = text(document, "trace.id");
    let item = ["span.id", "transaction.id"]
        .into_iter()
        .find_map(|path| text(document, path))
        .unwrap_or_default();
    html! {
        tr class=[failed.then_some("failed")] {
            td.mono { (view.clock.milli(hit.timestamp)) }
            th.grow scope="row" {
                @match trace {
                    Some(trace) => {
                        @let href = view.to(&["traces", &trace]).set("item", &item);
                        a href=(href) { (summary(document)) }
                    },
                    None => (summary(document)),
                }
            }
            td.soft { (kind) }
            td.soft {
                @if let Some(service) = text(document, "service.name") {
                    a.plain href=(view.to(&["services", &service])) title=(service) { (words::cut(&service, 60)) }
                }
            }
            td { @if !result.is_empty() { (keyed(result_class(&result), &result)) } }
            (duration_cell(document))
        }
    }
}

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// A place among the open streams; given back when the stream is dropped.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let free = |open| (open < STREAMS).then_some(open + 1);
        OPEN.fetch_update(Ordering::AcqRel, Ordering::Acquire, free)
            .ok()
            .map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The rows of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    /// Events of all kinds.
    Events,
    /// Log lines, of one severity where one is chosen.
    Logs(Option<Severity>),
}

struct State {
    store: Store,
    query: Expr,
    feed: Feed,
    /// The page that the rows are for.
    view: View,
    version: u64,
    seen: i64,
    quiet: u32,
    _place: Place,
}

/// The stream of a page; nothing where too many are open, or where the filter cannot be read.
///
/// `last`: the id of the last batch that the browser got, with which it asks again after its connection was lost.
pub(crate) fn stream(
    store: Store,
    view: &View,
    last: Option<i64>,
) -> Option<impl Stream<Item = Result<String, std::convert::Infallible>> + use<>> {
    let query = kql::parse_in(view.query(), view.clock.now, &view.clock.zone).ok()?;
    let since = || view.param("since")?.parse().ok();
    let seen = last.or_else(since).unwrap_or(-1);
    let state = State {
        store,
        query,
        feed: match view.param("feed") {
            Some("logs") => Feed::Logs(view.param("level").and_then(Severity::parse)),
            _ => Feed::Events,
        },
        view: view.clone(),
        version: 0,
        seen,
        // A first step without news tells the browser at once that the stream is open.
        quiet: QUIET_STEPS,
        _place: Place::take()?,
    };
    Some(stream::unfold(state, |mut state| async move {
        loop {
            if let Some(text) = state.step().await {
                return Some((Ok(text), state));
            }
            tokio::time::sleep(STEP).await;
        }
    }))
}

impl State {
    /// The next text of the stream: the news, or a comment after many steps without any. Steps are without news, too,
    /// where much is stored of which nothing matches, or where it cannot be read.
    async fn step(&mut self) -> Option<String> {
        let news = self.news().await;
        if news.is_none() && self.quiet < QUIET_STEPS {
            self.quiet += 1;
            return None;
        }
        self.quiet = 0;
        Some(news.unwrap_or_else(|| ": still here\n\n".to_owned()))
    }

    /// The events since the last look, as the stream says them.
    async fn news(&mut self) -> Option<String> {
        let version = self.store.data_version();
        if version == self.version {
            return None;
        }
        // A stream is open for hours, and its rows tell how long ago something was.
        self.view.clock.now = apm_time::now();
        let query = all_of([self.view.chosen().query(), self.query.clone()]);
        let with_metrics = self.view.param("metrics") == Some("on") || self.feed != Feed::Events;
        let query = match discover::without_metrics(&query) {
            Some(others) if !with_metrics => others,
            _ => query,
        };
        let request = request(query, self.view.clock.now)
            .within(self.view.service(), self.view.environment());
        let feed = self.feed;
        let (hits, total) = self
            .store
            .read_async(move |conn| read(conn, feed, &request))
            .await
            .ok()?;
        // Not before: what could not be read is asked for again.
        self.version = version;
        let before = hits.len();
        let seen = self.seen;
        let mut new: Vec<Hit> = hits.into_iter().filter(|hit| hit.seq > seen).collect();
        // The version moves with events that do not match, too: then there is nothing to send.
        let newest = new.iter().map(|hit| hit.seq).max()?;
        // Others may lie between these and the last ones that were sent.
        let all_new = new.len() == before && seen >= 0;
        self.seen = newest;
        new.sort_unstable_by_key(|hit| std::cmp::Reverse((hit.timestamp, hit.seq)));
        let rows: String = new.into_iter().map(|hit| self.row(hit)).collect();
        let rows = isolate::settle(rows);
        // A line break would end the field. In a log line it is kept as a reference, elsewhere it is a space.
        let line_break = match feed {
            Feed::Events => " ",
            Feed::Logs(_) => "&#10;",
        };
        let rows = rows.replace("\r\n", "\n");
        let rows = rows.replace(['\r', '\n'], line_break);
        // The browser sends the id when it connects again: it gets what it has not got yet.
        let mut out = format!("id: {newest}\nevent: rows\ndata: {rows}\n\n");
        if all_new && total > MOST as u64 {
            out.push_str("event: dropped\ndata: Some\n\n");
        }
        Some(out)
    }

    fn row(&self, hit: Hit) -> String {
        let row = match self.feed {
            Feed::Events => row(&self.view, &hit),
            Feed::Logs(_) => logs::new_row(&self.view, &Line::from_hit(hit, false)),
        };
        row.into_string()
    }
}

/// The newest hits, and how many there are.
fn read(
    conn: &mut SqliteConnection,
    feed: Feed,
    request: &Request,
) -> Result<(Vec<Hit>, u64), StoreError> {
    match feed {
        Feed::Events => {
            let found = discover::search(conn, request)?;
            Ok((found.hits, found.total))
        }
        Feed::Logs(only) => {
            let found = lines::logs(conn, request, only)?;
            let chosen = found.levels.iter();
            let chosen = chosen.filter(|lines| only.is_none_or(|only| only == lines.severity));
            Ok((found.hits, chosen.map(|lines| lines.count).sum()))
        }
    }
}

#[cfg(test)]
mod tests;
