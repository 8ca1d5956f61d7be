//! Attributes that have fields of their own, whatever the span is about.

use super::{EventKind, Read};
use crate::conventions::labels::cut;
use crate::conventions::value::Value;
use crate::conventions::write::Json;

/// Attributes that are fields of the same name.
const FIELDS: [&str; 7] = [
    "session.id",
    "network.connection.type",
    "network.connection.subtype",
    "network.carrier.name",
    "network.carrier.mcc",
    "network.carrier.mnc",
    "network.carrier.icc",
];

#[derive(Debug, Default)]
pub(in crate::conventions) struct Other<'a> {
    /// The type that a transaction names for itself.
    pub(in crate::conventions) kind: Option<&'a str>,
    pub(super) dataset: Option<&'a str>,
    pub(super) namespace: Option<&'a str>,
    pub(super) sampler_type: Option<&'a str>,
    pub(super) sampler_param: Option<f64>,
    service_version: Option<&'a str>,
    code_stack: Option<&'a str>,
    profiler_ids: Option<Vec<&'a str>>,
    fields: Vec<(&'static str, &'a str)>,
}

impl<'a> Other<'a> {
    pub(super) fn read(&mut self, key: &'a str, value: &'a Value<'a>, of: EventKind) -> Read {
        if let ("sampler.param", Value::Double(share)) = (key, value) {
            self.sampler_param = Some(*share);
            return Read::Both;
        }
        if key == "elastic.profiler_stack_trace_ids" && of == EventKind::Transaction {
            self.profiler_ids = value.texts();
            return if self.profiler_ids.is_some() {
                Read::Understood
            } else {
                Read::Label
            };
        }
        let Some(text) = value.text() else {
            return Read::Label;
        };
        match (key, of) {
            ("type", EventKind::Transaction) => self.kind = Some(text),
            ("service.version", EventKind::Transaction) => self.service_version = Some(text),
            ("code.stacktrace", EventKind::Span) => self.code_stack = Some(text),
            ("data_stream.dataset", _) => self.dataset = Some(text),
            ("data_stream.namespace", _) => self.namespace = Some(text),
            ("sampler.type", _) => {
                self.sampler_type = Some(text);
                return Read::Both;
            }
            _ => match FIELDS.into_iter().find(|field| *field == key) {
                Some(field) => self.fields.push((field, text)),
                None => return Read::Label,
            },
        }
        Read::Understood
    }

    pub(super) fn write(&self, json: &mut Json<'_>) {
        for (field, text) in &self.fields {
            json.text(field, cut(text));
        }
        json.text(
            "service.version",
            cut(self.service_version.unwrap_or_default()),
        );
        json.text("code.stacktrace", self.code_stack.unwrap_or_default());
        if let Some(ids) = self.profiler_ids.as_ref().filter(|ids| !ids.is_empty()) {
            json.key("transaction.profiler_stack_trace_ids").open('[');
            ids.iter().for_each(|id| json.element(id));
            json.close(']');
        }
    }
}
