//! Tests of the server as its users see it.

mod agents;
mod alerts;
mod analytics;
mod dashboard;
mod explorer;
mod http;
mod import;
mod insight;
mod instances;
mod intake;
mod jaeger;
mod kept;
mod mcp;
mod oracle;
mod otlp;
mod pages;
mod store;
mod support;
mod triage;
