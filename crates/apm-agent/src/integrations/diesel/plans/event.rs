//! A plan on the wire: a metric set with labels, which every Elastic server takes (ADR 201).

use std::collections::BTreeMap;
use std::time::Instant;

use sql_lexer::{Dialect, Fingerprint};

use super::Source;
use crate::recording::recorder::Recorder;
use crate::sql;
use crate::worker::metrics::Metricset;

/// The version of the labels.
const VERSION: &str = "1";

/// Sends a plan, unless `disable_metrics` has its name.
pub(super) fn send(recorder: &Recorder, source: &Source, sql: &str, schema: i64, plan: &str) {
    // The fingerprint of the text that spans have.
    let sent = sql::statement(sql, Dialect::of_subtype("sqlite"), source.sanitize);
    let fingerprint = Fingerprint::of_subtype(&sent, "sqlite").hash;
    let mut labels = BTreeMap::from([
        ("sqlite_plan".to_owned(), plan.to_owned()),
        ("sqlite_plan_version".to_owned(), VERSION.to_owned()),
        ("sqlite_statement".to_owned(), format!("{fingerprint:016x}")),
    ]);
    if let Some(instance) = &source.instance {
        labels.insert("sqlite_database".to_owned(), instance.to_string());
    }
    let mut set = Metricset::new(recorder.clock.micros(Instant::now())).with_tags(labels);
    set.gauge("sqlite.plan.schema_version", schema as f64);
    let Some(set) = set.without(&recorder.config.load().disable_metrics) else {
        return;
    };
    let line = set.line();
    recorder
        .buffers
        .append(1, |out| out.extend_from_slice(&line));
}
