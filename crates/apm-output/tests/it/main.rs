//! The output against an engine that answers as Elasticsearch and OpenSearch do, and fails as they do.

mod aggregates;
mod decisions;
mod delivers;
mod faults;
mod hosts;
mod keeps;
mod lifecycle;
mod metrics;
mod reads;
mod real;
mod recorded;
mod refusals;
mod shares;
mod support;
mod templates;
