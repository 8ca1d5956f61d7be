//! The families of the store: its queue, its commits, its files.

use std::fmt::Write as _;

use apm_store::{COMMIT_TIMES, StoreStats};

use super::{counter, gauge, head, labelled};
use crate::http::status::beyond;

pub(in crate::http::status) fn store_families(text: &mut String, stats: &StoreStats) {
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
