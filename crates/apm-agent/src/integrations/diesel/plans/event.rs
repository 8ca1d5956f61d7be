//! A plan on the wire: a metric set with labels, which every Elastic server takes (ADR 201, ADR 320).

use std::collections::BTreeMap;

use sql_lexer::{Dialect, Fingerprint};

use super::Source;
use super::plan::Plan;
use crate::recording::recorder::Recorder;
use crate::sql;
use crate::util::clock::Moment;
use crate::worker::metrics::Metricset;

/// The version of the labels.
const VERSION: &str = "1";

/// Sends a plan, unless `disable_metrics` has its name. `schema`: the version of SQLite's schema. `again`: it was sent
/// before, so that it tells of no change.
pub(super) fn send(
    recorder: &Recorder,
    source: &Source,
    sql: &str,
    schema: Option<i64>,
    (plan, again): (&Plan, bool),
) {
    // The fingerprint of the text that spans have.
    let subtype = source.target.subtype();
    let sent = sql::statement(sql, Dialect::of_subtype(subtype), source.sanitize);
    let fingerprint = Fingerprint::of_subtype(&sent, subtype).hash;
    let family = match schema {
        Some(_) => "sqlite",
        None => "sql",
    };
    let mut labels = BTreeMap::new();
    let mut label = |name: &str, value: String| labels.insert(format!("{family}_{name}"), value);
    label("plan", plan.text.clone());
    label("plan_version", VERSION.to_owned());
    if again {
        label("plan_again", "1".to_owned());
    }
    label("statement", format!("{fingerprint:016x}"));
    if let Some(instance) = &source.instance {
        label("database", instance.to_string());
    }
    if schema.is_none() {
        label("system", subtype.to_owned());
    }
    let mut set = Metricset::new(recorder.clock.micros(Moment::now())).with_tags(labels);
    match schema {
        Some(version) => set.gauge("sqlite.plan.schema_version", version as f64),
        None => set.gauge("sql.plan.steps", plan.steps as f64),
    }
    let Some(set) = set.without(&recorder.config.load().disable_metrics) else {
        return;
    };
    let line = set.line();
    recorder
        .buffers
        .append(1, |out| out.extend_from_slice(&line));
}
