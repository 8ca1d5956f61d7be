//! A transaction, and what it says of spans that were not sent.

use super::{Pass, Sender};
use crate::block::Document;
use crate::dictionary::{Destination, Given, ResultValue};
use crate::error::StoreError;
use crate::event::{DroppedSpans, Kind, Transaction};
use crate::insert::Row as _;
use crate::limits::NameKind;
use crate::rollup::{Observation, outcome_code, weight};
use crate::rows::{RowId, TxRow};

impl<'a> Pass<'_, 'a> {
    pub(super) fn transaction(
        &mut self,
        sender: Sender<'a>,
        event: &'a Transaction,
    ) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let service = self.service(sender, event.service)?;
        let name = batch.opt(event.name).unwrap_or_default();
        let kind = batch.text(event.kind);
        let Given { id: group, beyond } = self.tx_group(sender, service, kind, name)?;
        if beyond {
            self.overflow.push("transaction.name", name);
            self.overflow.push("transaction.type", kind);
        }
        let result = match batch.opt(event.result) {
            Some(value) => {
                let results = &mut self.memory.names.results;
                let result = ResultValue { service, value };
                let given = results.given(self.conn, received, &result)?;
                if given.beyond {
                    self.beyond.count(NameKind::Result);
                    self.overflow.push("transaction.result", value);
                }
                Some(given.id)
            }
            None => None,
        };
        let trace_id = RowId::new(batch, event.trace_id);
        let row = TxRow {
            seq: self.seq(),
            group_id: group,
            resource_id: sender.resource,
            ts: event.timestamp,
            duration: event.duration,
            trace_id,
            id: RowId::new(batch, event.id),
            parent_id: event.parent_id.map(|id| RowId::new(batch, id)),
            outcome: outcome_code(event.outcome),
            result_id: result,
            sampled: event.sampled,
            sample_rate: event.sample_rate,
            status: event.status.and_then(|status| status.try_into().ok()),
            spans_started: Some(event.spans_started),
            spans_dropped: event.spans_dropped,
        };
        let checksum = row.checksum(&mut self.checksum);
        self.tx.push(self.conn, row)?;
        let weight = weight(event.sample_rate);
        let seen = Observation {
            ts: event.timestamp,
            result: result.unwrap_or_default(),
            outcome: event.outcome,
            count: weight,
            n: 1,
            sum: event.duration,
            of: 1,
        };
        self.rollup.tx.add(group, seen);
        self.instance_did(sender, (service, event.service), seen)?;
        self.vitals(sender, (service, group), event)?;
        // Only these counts tell of spans that the agent dropped.
        for dropped in &batch.dropped[event.dropped.start as usize..event.dropped.end as usize] {
            self.dropped(sender, service, event.timestamp, weight, dropped)?;
        }
        self.rollup
            .events
            .add(Kind::Transaction, service, event.outcome, event.timestamp);
        match event.parent_id {
            // The entry of its trace.
            None => self
                .rollup
                .events
                .add_entry(service, event.outcome, event.timestamp),
            // Its parent may be a call of another service, which arrives before it or after it.
            Some(parent) => {
                let calls = &mut self.memory.calls;
                let key = calls.key(trace_id, RowId::new(batch, parent));
                calls.callee(&mut self.rollup, key, service, received);
            }
        }
        let document = Document {
            kind: Kind::Transaction,
            stack: 0,
            json: batch.text(event.rest),
        };
        self.memory.block.transaction(event.duration);
        self.document(sender, event.timestamp, Some(trace_id), document, checksum)
    }

    /// Counts spans that the agent did not send for their destination, as APM Server does.
    fn dropped(
        &mut self,
        sender: Sender<'a>,
        service: i64,
        ts: i64,
        weight: f64,
        dropped: &DroppedSpans,
    ) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let destination = Destination {
            service,
            resource: batch.opt(dropped.resource).unwrap_or_default(),
            target_type: batch.opt(dropped.target_type).unwrap_or_default(),
            target_name: batch.opt(dropped.target_name).unwrap_or_default(),
            span_type: "",
            span_subtype: "",
        };
        let destination = self.destination(received, &destination)?;
        self.rollup.destination.add(
            destination,
            Observation {
                ts,
                result: 0,
                outcome: dropped.outcome,
                count: weight * dropped.count as f64,
                n: 0,
                sum: dropped.sum,
                of: dropped.count,
            },
        );
        Ok(())
    }
}
