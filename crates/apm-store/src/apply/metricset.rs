//! Metrics: samples, their series, and the breakdown of transactions by span type.

mod growth;
mod reading;
mod series;
mod state;

use super::{Pass, Sender};
use crate::block::Document;
use crate::dictionary::MetricName;
use crate::error::StoreError;
use crate::event::{Breakdown, Kind, Metricset, Outcome};
use crate::insert::Row as _;
use crate::limits::{NameKind, OTHER};
use crate::rollup::BreakdownKey;
use crate::rows::{MetricsetRow, SampleRow};
pub(crate) use reading::follow_reading;
pub(crate) use series::{MAX_LABELS, MAX_UNIT};

impl<'a> Pass<'_, 'a> {
    pub(super) fn metricset(
        &mut self,
        sender: Sender<'a>,
        event: &'a Metricset,
    ) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let service = self.service(sender, event.service)?;
        let row = MetricsetRow {
            seq: self.seq(),
            service_id: service,
            resource_id: sender.resource,
            ts: event.timestamp,
        };
        let checksum = row.checksum(&mut self.checksum);
        self.metricsets.push(self.conn, row)?;
        match event.breakdown {
            Some(breakdown) => self.breakdown(sender, service, event.timestamp, breakdown)?,
            None => {
                let samples = event.samples.start as usize..event.samples.end as usize;
                for sample in &batch.samples[samples] {
                    let name = MetricName {
                        service,
                        name: batch.text(sample.name),
                    };
                    let metrics = &mut self.memory.names.metrics;
                    let given = metrics.given(self.conn, received, &name)?;
                    if given.beyond {
                        // Samples of different metrics make no series. They stay in the event's document.
                        self.beyond.count(NameKind::Metric);
                        continue;
                    }
                    if let Some(value) = sample.number() {
                        let row = SampleRow {
                            service_id: service,
                            name_id: given.id,
                            ts: event.timestamp,
                            seq: self.seq(),
                            value: Some(value),
                        };
                        self.samples.push(self.conn, row)?;
                    }
                    self.series(sender, (service, given.id), event, sample)?;
                }
                self.instance_has(sender, service, event)?;
            }
        }
        self.rollup
            .events
            .add(Kind::Metricset, service, Outcome::Unknown, event.timestamp);
        let document = Document {
            kind: Kind::Metricset,
            stack: 0,
            json: batch.text(event.rest),
        };
        self.document(sender, event.timestamp, None, document, checksum)
    }

    fn breakdown(
        &mut self,
        sender: Sender<'a>,
        service: i64,
        ts: i64,
        breakdown: Breakdown,
    ) -> Result<(), StoreError> {
        let Sender { batch, .. } = sender;
        let kind = batch.opt(breakdown.transaction_kind).unwrap_or("unknown");
        let name = batch.opt(breakdown.transaction_name).unwrap_or_default();
        let mut span_type = batch.opt(breakdown.span_kind).unwrap_or_default();
        let mut subtype = batch.opt(breakdown.span_subtype).unwrap_or_default();
        if !self.memory.self_times.takes(service, (span_type, subtype)) {
            self.beyond.count(NameKind::SelfTime);
            (span_type, subtype) = (OTHER, "");
        }
        let key = BreakdownKey {
            tx_group: self.tx_group(sender, service, kind, name)?.id,
            bucket: crate::rollup::bucket(ts, crate::rollup::LEVELS[0]),
            span_type: span_type.to_owned(),
            subtype: subtype.to_owned(),
        };
        self.rollup
            .add_breakdown(key, breakdown.count, breakdown.sum);
        Ok(())
    }
}
