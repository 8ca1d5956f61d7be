//! `/healthz`: 200 when events can be stored. `/readyz`: 200 when they are taken now.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse, web};
use apm_output::Stats;
use apm_store::Store;
use serde_json::{Value, json};
use tokio::time::{Duration, timeout};

use super::{Shared, respond};

/// The longest time that the writer may take to answer.
const WAIT: Duration = Duration::from_secs(2);

/// The time for which a write that came through stands for the next ones, as long as no commit fails: asking often
/// costs little.
const FRESH: Duration = Duration::from_secs(5);

/// When a write last came through.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<Option<Instant>>);

/// Asks the writer to write.
pub(super) async fn check(
    request: HttpRequest,
    shared: web::Data<Shared>,
    store: web::Data<Store>,
) -> HttpResponse {
    let trouble = match store.stats().trouble {
        None if shared.health.is_fresh() => None,
        _ => probe(&store).await,
    };
    shared.health.set(trouble.is_none());
    match trouble {
        None => {
            let mut body = json!({"status": "ok"});
            if let Some(output) = &shared.answers.output {
                body["output"] = detail(&output.stats());
            }
            respond::json(&request, 200, &body)
        }
        Some(error) => {
            let body = json!({"status": "unavailable", "error": error});
            respond::json(&request, 503, &body)
        }
    }
}

/// The state of the output. It does not make the server unwell: events are kept until they can be sent.
fn detail(stats: &Stats) -> Value {
    let status = match (&stats.trouble, stats.is_behind) {
        (Some(_), _) => "waiting",
        (None, true) => "behind",
        (None, false) => "ok",
    };
    json!({
        "status": status,
        "lag_events": stats.lag.events,
        "lag_seconds": stats.lag.time.as_secs(),
        "lost": stats.lost,
        "trouble": stats.trouble,
    })
}

/// `/readyz`: 200 when events are taken now. It writes nothing while commits succeed, so it may be asked as often as a
/// load balancer likes.
pub(super) async fn ready(
    request: HttpRequest,
    shared: web::Data<Shared>,
    store: web::Data<Store>,
) -> HttpResponse {
    let (stats, most) = (store.stats(), store.options().queue_events);
    // No events come because of this answer, so no commit would find that the trouble is over.
    let trouble = match stats.trouble {
        None => None,
        Some(_) => probe(&store).await,
    };
    let why = unready(trouble, shared.is_stopping(), (stats.queued_events, most));
    match why {
        None => respond::json(&request, 200, &json!({"status": "ready"})),
        Some(why) => {
            let body = json!({"status": "unavailable", "error": why});
            respond::json(&request, 503, &body)
        }
    }
}

/// Why no events are taken now. `queue`: the events that wait for the writer, and the most that may.
fn unready(trouble: Option<String>, is_stopping: bool, queue: (usize, usize)) -> Option<String> {
    let (waiting, most) = queue;
    match trouble {
        Some(error) => Some(error),
        None if is_stopping => Some("the server stops".to_owned()),
        // At nine tenths, as more is under way already.
        None if waiting * 10 >= most * 9 => Some("the writer is behind".to_owned()),
        None => None,
    }
}

async fn probe(store: &Store) -> Option<String> {
    match store.probe() {
        Err(error) => Some(error.to_string()),
        Ok(ticket) => match timeout(WAIT, ticket).await {
            Err(_) => Some("the writer is behind".to_owned()),
            Ok(Err(error)) => Some(error.to_string()),
            Ok(Ok(())) => None,
        },
    }
}

impl Health {
    fn is_fresh(&self) -> bool {
        let at = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        at.is_some_and(|at| at.elapsed() < FRESH)
    }

    fn set(&self, is_well: bool) {
        let mut at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *at = match (is_well, *at) {
            (false, _) => None,
            // The first of them counts, or frequent questions would put off the next write forever.
            (true, Some(at)) if at.elapsed() < FRESH => Some(at),
            (true, _) => Some(Instant::now()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::unready;

    #[test]
    fn a_server_is_ready_unless_commits_fail_or_it_stops_or_its_queue_is_almost_full() {
        let full = || Some("the disk is full".to_owned());
        for (trouble, is_stopping, waiting, why) in [
            (None, false, 0, None),
            (None, false, 89, None),
            (None, false, 90, Some("the writer is behind")),
            (None, true, 0, Some("the server stops")),
            (full(), false, 0, Some("the disk is full")),
            (full(), true, 100, Some("the disk is full")),
        ] {
            let said = unready(trouble, is_stopping, (waiting, 100));
            assert_eq!(said.as_deref(), why);
        }
    }
}
