//! A log line.

use super::{Pass, Sender};
use crate::block::Document;
use crate::error::StoreError;
use crate::event::{Kind, Log, Outcome};
use crate::insert::Row as _;
use crate::rows::{LogRow, RowId};

impl<'a> Pass<'_, 'a> {
    pub(super) fn log(&mut self, sender: Sender<'a>, event: &'a Log) -> Result<(), StoreError> {
        let Sender { batch, .. } = sender;
        let service = self.service(sender, event.service)?;
        let trace_id = event.trace_id.map(|id| RowId::new(batch, id));
        let row = LogRow {
            seq: self.seq(),
            service_id: service,
            resource_id: sender.resource,
            ts: event.timestamp,
            trace_id,
            transaction_id: event.transaction_id.map(|id| RowId::new(batch, id)),
            span_id: event.span_id.map(|id| RowId::new(batch, id)),
            level: batch.opt(event.level).unwrap_or_default(),
        };
        let checksum = row.checksum(&mut self.checksum);
        self.logs.push(self.conn, row)?;
        self.rollup
            .events
            .add(Kind::Log, service, Outcome::Unknown, event.timestamp);
        let document = Document {
            kind: Kind::Log,
            stack: 0,
            json: batch.text(event.rest),
        };
        self.document(sender, event.timestamp, trace_id, document, checksum)
    }
}
