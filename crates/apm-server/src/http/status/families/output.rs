//! The families of the output to an engine, and of the counts that other servers share there.

use apm_output::{Coverage, Stats};

use super::{counter, gauge, labelled};

/// The output to an engine.
pub(in crate::http::status) fn output_families(text: &mut String, stats: &Stats) {
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
    gauge(
        text,
        "output_retention_ok",
        "0 while the policy that --elasticsearch-retention asks for is not set, else 1.",
        u8::from(!stats.lacks_retention),
    );
}

/// The servers whose counts are here.
pub(in crate::http::status) fn coverage_families(text: &mut String, coverage: &Coverage) {
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
    labelled(
        text,
        "share_refused_total",
        "Settings, markers, decisions, announcements and counts of others that were not taken, by reason.",
        "reason",
        &coverage.refused,
    );
}
