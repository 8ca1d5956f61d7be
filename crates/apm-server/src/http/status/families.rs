//! The families of `/metrics`, as text for Prometheus.

use std::fmt::Write as _;

use apm_intake::{Look, LookAtWire};
use apm_output::{Coverage, Stats};
use apm_store::{COMMIT_TIMES, StoreStats};

use super::beyond;
use crate::http::Shared;

pub(super) fn intake_families(text: &mut String, look: &Look) {
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

/// Reads a count of a wire.
type Count = fn(&LookAtWire) -> u64;

/// The same by the wire on which they came.
pub(super) fn wire_families(text: &mut String, look: &Look) {
    let families: [(&str, &str, Count); 5] = [
        (
            "wire_requests_total",
            "Requests answered, by wire.",
            |wire| wire.requests,
        ),
        (
            "wire_requests_failed_total",
            "Of these, with an error.",
            |wire| wire.failed_requests,
        ),
        (
            "wire_bytes_total",
            "Bytes of their bodies, as sent.",
            |wire| wire.bytes,
        ),
        (
            "wire_events_accepted_total",
            "Events committed, by wire.",
            |wire| wire.accepted,
        ),
        (
            "wire_events_rejected_total",
            "Events refused, by wire.",
            |wire| wire.rejected,
        ),
    ];
    for (name, help, count) in families {
        let counts = look.wires.map(|wire| (wire.wire.as_str(), count(&wire)));
        labelled(text, name, help, "wire", &counts);
    }
}

pub(super) fn connection_families(text: &mut String, shared: &Shared) {
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

pub(super) fn store_families(text: &mut String, stats: &StoreStats) {
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
    counter(
        text,
        "sampled_out_events_total",
        "Events of traces that tail sampling has dropped.",
        stats.sampled_out,
    );
    counter(
        text,
        "undecided_traces_total",
        "Traces with an error, or slow ones, that were left to the share, as too many were known.",
        stats.undecided_traces,
    );
    labelled(
        text,
        "names_beyond_limit_total",
        "Events counted as _other, because their service had too many different names of a kind.",
        "kind",
        &beyond(stats),
    );
    labelled(
        text,
        "calls_unresolved_total",
        "Calls and callees that were not brought together: no room to wait longer, or one callee too many.",
        "reason",
        &[
            ("full", stats.calls_left_early),
            ("callees", stats.calls_beyond_limit),
        ],
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

/// The output to an engine.
pub(super) fn output_families(text: &mut String, stats: &Stats) {
    let counters = [
        (
            "output_documents_total",
            "Documents that the engine took, since the output was first switched on.",
            stats.documents,
        ),
        (
            "output_repeated_total",
            "Documents that the engine had already.",
            stats.repeated,
        ),
        (
            "output_refused_total",
            "Documents that the engine refused for good.",
            stats.refused,
        ),
        (
            "output_lost_total",
            "Events that were deleted before they were sent, or could not be read.",
            stats.lost,
        ),
        (
            "output_retried_total",
            "Documents that had to be sent again.",
            stats.retried,
        ),
        (
            "output_requests_total",
            "Requests with documents.",
            stats.requests,
        ),
        (
            "output_bytes_total",
            "Bytes of these requests, compressed.",
            stats.bytes,
        ),
    ];
    for (name, help, value) in counters {
        counter(text, name, help, value);
    }
    gauge(
        text,
        "output_lag_events",
        "Events that wait to be sent, at most.",
        stats.lag.events,
    );
    gauge(
        text,
        "output_lag_seconds",
        "For how long the first of them has waited.",
        stats.lag.time.as_secs(),
    );
    gauge(
        text,
        "output_ok",
        "1 while documents can be sent.",
        u8::from(stats.trouble.is_none()),
    );
}

/// The servers whose counts are here.
pub(super) fn coverage_families(text: &mut String, coverage: &Coverage) {
    let own = coverage.own.unwrap_or_default();
    let peers = || coverage.peers.iter();
    gauge(
        text,
        "share_servers",
        "Servers before the engine whose counts are here, this one among them.",
        coverage.servers(),
    );
    gauge(
        text,
        "share_silent_servers",
        "Of these, those of which nothing was heard for a minute.",
        peers().filter(|peer| peer.is_silent).count(),
    );
    gauge(
        text,
        "share_behind_seconds",
        "Age of the newest counts of the server that is furthest behind, of those that are heard of.",
        coverage.behind().as_secs(),
    );
    gauge(
        text,
        "share_waiting",
        "Documents of counts of this server that wait to be sent.",
        own.waiting,
    );
    counter(
        text,
        "share_lost_total",
        "Documents of counts of this server that were deleted before they were sent, or refused.",
        u64::try_from(own.lost + own.refused).unwrap_or_default(),
    );
    counter(
        text,
        "share_skipped_total",
        "Documents of counts of other servers that never came.",
        u64::try_from(peers().map(|peer| peer.skipped).sum::<i64>()).unwrap_or_default(),
    );
    counter(
        text,
        "share_dropped_total",
        "Rows of counts of other servers that could not be added.",
        u64::try_from(peers().map(|peer| peer.dropped).sum::<i64>()).unwrap_or_default(),
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

pub(super) fn labelled(
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
