//! The output against an engine that answers as Elasticsearch and OpenSearch do, and fails as they do.

mod aggregates;
mod announce;
mod backups;
mod decisions;
mod delivers;
mod faults;
mod full;
mod hosts;
mod instances;
mod keeps;
mod lifecycle;
mod metrics;
mod moved;
mod reads;
mod real;
mod recorded;
mod refusals;
mod shares;
mod support;
mod templates;
