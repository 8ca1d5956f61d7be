//! The state of the server: `/api/v1/status` as JSON, `/metrics` as Prometheus text.

use std::fmt::Write as _;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use apm_intake::Look;
use apm_store::{COMMIT_TIMES, NameKind, Store, StoreStats};
use apm_time::rfc3339_millis;
use serde_json::{Value, json};

use super::{Shared, respond};

/// `GET /api/v1/status`
pub(super) async fn json(
    request: HttpRequest,
    shared: web::Data<Shared>,
    store: web::Data<Store>,
) -> HttpResponse {
    let (look, stats) = (shared.intake.counters.look(), store.stats());
    let connections = shared.connections.look();
    let (streams, ended) = shared.intake.streams.look();
    let (given_up, unsent) = shared.unsent.look();
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
            "offending": offending.collect::<Vec<_>>(),
        },
        "requests_refused": by_name(&shared.guard.refusals.look()),
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
            "names_beyond_limit": by_name(&beyond(&stats)),
            "trouble": stats.trouble.map(|error| error.to_string()),
        },
    });
    respond::json(&request, 200, &body)
}

/// `GET /metrics`
pub(super) async fn metrics(shared: web::Data<Shared>, store: web::Data<Store>) -> HttpResponse {
    let mut text = String::new();
    intake_families(&mut text, &shared.intake.counters.look());
    connection_families(&mut text, &shared);
    store_families(&mut text, &store.stats());
    labelled(
        &mut text,
        "requests_refused_total",
        "Requests that the guard refused.",
        "reason",
        &shared.guard.refusals.look(),
    );
    let kind = (
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    );
    HttpResponse::Ok().insert_header(kind).body(text)
}

/// Times that a name was beyond the limit, by kind.
fn beyond(stats: &StoreStats) -> Vec<(&'static str, u64)> {
    let count = |kind: NameKind| (kind.as_str(), stats.beyond.of(kind));
    NameKind::ALL.into_iter().map(count).collect()
}

fn intake_families(text: &mut String, look: &Look) {
    labelled(
        text,
        "events_accepted_total",
        "Events committed.",
        "kind",
        &look.accepted,
    );
    labelled(
        text,
        "events_rejected_total",
        "Lines refused.",
        "reason",
        &look.rejected,
    );
    counter(
        text,
        "events_ignored_total",
        "Metricsets without any known sample.",
        look.ignored,
    );
    counter(
        text,
        "intake_requests_total",
        "Intake requests answered.",
        look.requests,
    );
    counter(
        text,
        "intake_requests_failed_total",
        "Of these, with an error.",
        look.failed_requests,
    );
    counter(
        text,
        "intake_bytes_total",
        "Bytes of their bodies, as sent.",
        look.bytes,
    );
}

fn connection_families(text: &mut String, shared: &Shared) {
    let connections = shared.connections.look();
    let (streams, ended) = shared.intake.streams.look();
    let (given_up, unsent) = shared.unsent.look();
    gauge(
        text,
        "connections",
        "Connections that are open.",
        connections.open,
    );
    counter(
        text,
        "connections_evicted_total",
        "Connections closed for new ones: idle, or without progress.",
        connections.evicted,
    );
    counter(
        text,
        "connections_refused_total",
        "Connections that were not let in, as none was worth less.",
        connections.refused,
    );
    gauge(
        text,
        "intake_streams",
        "Bodies of events that are open.",
        streams,
    );
    counter(
        text,
        "intake_streams_ended_total",
        "Of these, ended for others; all of their events are stored.",
        ended,
    );
    gauge(
        text,
        "unsent_bytes",
        "Memory of large answers that are not read yet.",
        unsent,
    );
    counter(
        text,
        "unsent_given_up_total",
        "Large answers given up, as nobody read them and others needed the memory.",
        given_up,
    );
}

fn store_families(text: &mut String, stats: &StoreStats) {
    counter(
        text,
        "events_failed_total",
        "Events whose commit failed.",
        stats.failed_events,
    );
    counter(
        text,
        "events_wrong_time_total",
        "Events stored at the time of their arrival, as their own time cannot be.",
        stats.wrong_times,
    );
    gauge(
        text,
        "queue_events",
        "Events that wait for the writer.",
        stats.queued_events,
    );
    gauge(
        text,
        "queue_bytes",
        "Memory that they hold.",
        stats.queued_bytes,
    );
    counter(
        text,
        "queue_refused_total",
        "Batches refused by a full queue.",
        stats.refused_batches,
    );
    counter(
        text,
        "commits_total",
        "Transactions committed.",
        stats.commits,
    );
    commit_times(text, stats);
    gauge(
        text,
        "commit_seconds_last",
        "Time that the last took.",
        stats.last_commit_time.as_secs_f64(),
    );
    gauge(
        text,
        "database_bytes",
        "Size of the database file.",
        stats.database_bytes,
    );
    gauge(
        text,
        "database_log_bytes",
        "Size of its write-ahead log.",
        stats.log_bytes,
    );
    log_families(text, stats);
    counter(
        text,
        "deleted_blocks_total",
        "Blocks deleted by retention.",
        stats.deleted_blocks,
    );
    labelled(
        text,
        "names_beyond_limit_total",
        "Events counted as _other, because their service had too many different names of a kind.",
        "kind",
        &beyond(stats),
    );
    let is_sound = u8::from(stats.trouble.is_none());
    gauge(
        text,
        "store_ok",
        "Whether the last commit succeeded.",
        is_sound,
    );
}

/// The families about the log's bound, and about what is in its way.
fn log_families(text: &mut String, stats: &StoreStats) {
    gauge(
        text,
        "database_log_max_bytes",
        "Size that the write-ahead log does not exceed.",
        stats.log_limit,
    );
    gauge(
        text,
        "database_log_pinned_seconds",
        "For how long another process has kept the log from being emptied; 0 when none does.",
        stats.log_pinned.unwrap_or_default().as_secs_f64(),
    );
    counter(
        text,
        "reader_pauses_total",
        "Times that queries were kept waiting for the log to be emptied.",
        stats.reader_pauses,
    );
    counter(
        text,
        "log_stalls_total",
        "Times that the writer waited for queries, for the log was full.",
        stats.log_stalls,
    );
    counter(
        text,
        "lost_logs_total",
        "Times that the log was found deleted, replaced or cut.",
        stats.lost_logs,
    );
    counter(
        text,
        "damaged_blocks_total",
        "Blocks of events that were found damaged.",
        stats.damaged_blocks,
    );
}

/// The histogram of commit times.
fn commit_times(text: &mut String, stats: &StoreStats) {
    const NAME: &str = "commit_seconds";
    head(text, NAME, "histogram", "Time that a transaction took.");
    for (bound, count) in COMMIT_TIMES.iter().zip(stats.commit_times) {
        let _ = writeln!(text, "pocket_apm_{NAME}_bucket{{le=\"{bound}\"}} {count}");
    }
    let (count, sum) = (stats.commits, stats.commit_time.as_secs_f64());
    let _ = writeln!(text, "pocket_apm_{NAME}_bucket{{le=\"+Inf\"}} {count}");
    let _ = writeln!(
        text,
        "pocket_apm_{NAME}_sum {sum}\npocket_apm_{NAME}_count {count}"
    );
}

fn counter(text: &mut String, name: &str, help: &str, value: impl std::fmt::Display) {
    head(text, name, "counter", help);
    let _ = writeln!(text, "pocket_apm_{name} {value}");
}

fn gauge(text: &mut String, name: &str, help: &str, value: impl std::fmt::Display) {
    head(text, name, "gauge", help);
    let _ = writeln!(text, "pocket_apm_{name} {value}");
}

fn labelled(
    text: &mut String,
    name: &str,
    help: &str,
    label: &str,
    counts: &[(&'static str, u64)],
) {
    head(text, name, "counter", help);
    for (value, count) in counts {
        let _ = writeln!(text, "pocket_apm_{name}{{{label}=\"{value}\"}} {count}");
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(
        text,
        "# HELP pocket_apm_{name} {help}\n# TYPE pocket_apm_{name} {kind}"
    );
}
