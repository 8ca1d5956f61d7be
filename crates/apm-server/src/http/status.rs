//! The state of the server: `/api/v1/status` as JSON, `/metrics` as Prometheus text.

mod families;
mod process;
pub(super) mod services;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use apm_intake::LookAtWire;
use apm_store::{NameKind, Store, StoreStats};
use apm_time::rfc3339_millis;
use serde_json::{Value, json};

use self::families::{
    connection_families, coverage_families, intake_families, labelled, output_families,
    store_families, wire_families,
};
use super::{Shared, respond};
use crate::answers::settings::Covers;

/// `GET /api/v1/status`
pub(super) async fn json(
    request: HttpRequest,
    shared: web::Data<Shared>,
    store: web::Data<Store>,
) -> HttpResponse {
    let (look, stats) = (shared.intake.counters.look(), store.stats());
    let connections = shared.connections.look();
    let (streams, ended) = shared.intake.streams.look();
    let (given_up, unsent) = shared.response_budget.look();
    let by_name = |counts: &[(&'static str, u64)]| -> Value {
        counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), json!(count)))
            .collect()
    };
    let offending = look.offending.iter().map(|line| {
        json!({
            "@timestamp": rfc3339_millis(line.timestamp),
            "service": line.service,
            "message": line.message,
            "document": line.document,
        })
    });
    let wires: Value = look.wires.iter().map(wire).collect();
    let body = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": shared.started.elapsed().as_secs(),
        "intake": {
            "accepted": by_name(&look.accepted),
            "rejected": by_name(&look.rejected),
            "ignored": look.ignored,
            "requests": look.requests,
            "failed_requests": look.failed_requests,
            "bytes": look.bytes,
            "wires": wires,
            "offending": offending.collect::<Vec<_>>(),
        },
        "requests_refused": by_name(&shared.guard.refusals.look()),
        "alert_deliveries": by_name(&shared.alerts.deliveries()),
        "connections": {
            "open": connections.open,
            "evicted": connections.evicted,
            "refused": connections.refused,
            "streams": streams,
            "streams_ended": ended,
            "unsent_bytes": unsent,
            "unsent_given_up": given_up,
        },
        "store": {
            "queued_events": stats.queued_events,
            "queued_bytes": stats.queued_bytes,
            "refused_batches": stats.refused_batches,
            "failed_events": stats.failed_events,
            "wrong_times": stats.wrong_times,
            "commits": stats.commits,
            "commit_seconds": stats.commit_time.as_secs_f64(),
            "last_commit_seconds": stats.last_commit_time.as_secs_f64(),
            "database_bytes": stats.database_bytes,
            "log_bytes": stats.log_bytes,
            "log_max_bytes": stats.log_limit,
            "log_pinned_seconds": stats.log_pinned.map(|time| time.as_secs_f64()),
            "log_stalls": stats.log_stalls,
            "lost_logs": stats.lost_logs,
            "damaged_blocks": stats.damaged_blocks,
            "reader_pauses": stats.reader_pauses,
            "max_bytes": shared.config.max_size,
            "deleted_blocks": stats.deleted_blocks,
            "sampled_out_events": stats.sampled_out,
            "undecided_traces": stats.undecided_traces,
            "names_beyond_limit": by_name(&beyond(&stats)),
            "calls_unresolved": {
                "full": stats.calls_left_early,
                "callees": stats.calls_beyond_limit,
            },
            "trouble": stats.trouble.map(|error| error.to_string()),
        },
        "output": shared.answers.output.as_ref().map(|output| {
            let stats = output.stats();
            json!({
                "engine": stats.engine,
                "documents": stats.documents,
                "repeated": stats.repeated,
                "refused": stats.refused,
                "lost": stats.lost,
                "retried": stats.retried,
                "requests": stats.requests,
                "bytes": stats.bytes,
                "documents_per_second": stats.per_second,
                "lag_events": stats.lag.events,
                "lag_seconds": stats.lag.time.as_secs(),
                "trouble": stats.trouble,
                "retention": stats.retention,
                "covers": Covers::new(&output.coverage()),
            })
        }),
    });
    respond::json(&request, 200, &body)
}

/// The name of a wire, and its counters.
fn wire(look: &LookAtWire) -> (String, Value) {
    let counts = json!({
        "requests": look.requests,
        "failed_requests": look.failed_requests,
        "bytes": look.bytes,
        "accepted": look.accepted,
        "rejected": look.rejected,
    });
    (look.wire.as_str().to_owned(), counts)
}

/// `GET /metrics`
pub(super) async fn metrics(shared: web::Data<Shared>, store: web::Data<Store>) -> HttpResponse {
    let mut text = String::new();
    process::process_families(&mut text, shared.started_at);
    let look = shared.intake.counters.look();
    intake_families(&mut text, &look);
    wire_families(&mut text, &look);
    connection_families(&mut text, &shared);
    store_families(&mut text, &store.stats());
    if let Some(output) = &shared.answers.output {
        output_families(&mut text, &output.stats());
        coverage_families(&mut text, &output.coverage());
    }
    labelled(
        &mut text,
        "requests_refused_total",
        "Requests that the guard refused.",
        "reason",
        &shared.guard.refusals.look(),
    );
    labelled(
        &mut text,
        "alert_deliveries_total",
        "Messages of alerts to a receiver, by what became of them.",
        "result",
        &shared.alerts.deliveries(),
    );
    let kind = (
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    );
    HttpResponse::Ok().insert_header(kind).body(text)
}

/// Times that a name was beyond the limit, by kind.
fn beyond(stats: &StoreStats) -> Vec<(&'static str, u64)> {
    let count = |kind: NameKind| (kind.as_str(), stats.beyond.number(kind));
    NameKind::ALL.into_iter().map(count).collect()
}
