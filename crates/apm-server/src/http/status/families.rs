//! The families of `/metrics`, as text for Prometheus.

mod output;
mod store;

use std::fmt::Write as _;

use apm_intake::{Look, LookAtWire};

use crate::http::Shared;

pub(super) use self::output::{coverage_families, output_families};
pub(super) use self::store::store_families;

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
    let (given_up, unsent) = shared.response_budget.look();
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
