//! An error and its group.

use super::{Pass, Sender};
use crate::block::Document;
use crate::dictionary::{ErrorGroup, Given};
use crate::error::StoreError;
use crate::event::{ErrorEvent, Kind, Outcome};
use crate::insert::Row as _;
use crate::limits::NameKind;
use crate::rows::{ErrorRow, RowId};

impl<'a> Pass<'_, 'a> {
    pub(super) fn error(
        &mut self,
        sender: Sender<'a>,
        event: &'a ErrorEvent,
    ) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let service = self.service(sender, event.service)?;
        let group = ErrorGroup {
            service,
            grouping_key: event.grouping_key,
            kind: batch.opt(event.kind).unwrap_or_default(),
            message: batch.opt(event.message).unwrap_or_default(),
            culprit: batch.opt(event.culprit).unwrap_or_default(),
            handled: event.handled,
            seen: event.timestamp.div_euclid(1_000_000),
        };
        let groups = &mut self.memory.names.error_groups;
        let Given { id: group, beyond } = groups.given(self.conn, received, &group)?;
        if beyond {
            self.beyond.count(NameKind::Error);
            let key = format!("{:016x}", event.grouping_key);
            self.overflow.push("error.grouping_key", key);
        }
        let tx_group = match batch.opt(event.transaction_name) {
            Some(name) => {
                let kind = batch.opt(event.transaction_kind).unwrap_or("unknown");
                Some(self.tx_group(sender, service, kind, name)?.id)
            }
            None => None,
        };
        let stack = match event.stack {
            Some(stack) => self.stack(sender, stack)?,
            None => 0,
        };
        let trace_id = event.trace_id.map(|id| RowId::new(batch, id));
        let row = ErrorRow {
            seq: self.seq(),
            group_id: group,
            resource_id: sender.resource,
            ts: event.timestamp,
            trace_id,
            id: RowId::new(batch, event.id),
            transaction_id: event.transaction_id.map(|id| RowId::new(batch, id)),
            parent_id: event.parent_id.map(|id| RowId::new(batch, id)),
            tx_group_id: tx_group,
        };
        let checksum = row.checksum(&mut self.checksum);
        self.errors.push(self.conn, row)?;
        self.rollup.add_error(group, event.timestamp);
        self.rollup
            .events
            .add(Kind::Error, service, Outcome::Unknown, event.timestamp);
        let document = Document {
            kind: Kind::Error,
            stack,
            json: batch.text(event.rest),
        };
        self.document(sender, event.timestamp, trace_id, document, checksum)
    }
}
