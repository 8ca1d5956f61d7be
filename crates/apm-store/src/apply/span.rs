//! A span, its destination and its statement.

use sql_lexer::Fingerprint;

use super::memory::Names;
use super::{Pass, Sender};
use crate::block::Document;
use crate::dictionary::{Destination, SpanGroup, Statement};
use crate::error::StoreError;
use crate::event::{Event, Kind, Span};
use crate::limits::NameKind;
use crate::rollup::{Observation, outcome_code, weight};
use crate::rows::{RowId, SpanRow};

/// Statements longer than this are not remembered as they were sent: they would push out many short ones.
const REMEMBERED: usize = 4 * 1024;

impl<'a> Pass<'_, 'a> {
    /// `following`: the events behind it in its batch.
    pub(super) fn span(
        &mut self,
        sender: Sender<'a>,
        event: &'a Span,
        following: &[Event],
    ) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let service = self.service(sender, event.service)?;
        let kind = batch.text(event.kind);
        let subtype = batch.opt(event.subtype).unwrap_or_default();
        let group = SpanGroup {
            service,
            name: batch.text(event.name),
            kind,
            subtype,
            action: batch.opt(event.action).unwrap_or_default(),
        };
        let names = &mut self.memory.names;
        let group = names.span_groups.id(self.conn, received, &group)?;
        let target_type = batch.opt(event.target_type).unwrap_or_default();
        let target_name = batch.opt(event.target_name).unwrap_or_default();
        let resource = batch.opt(event.resource).unwrap_or_default();
        // Work inside of the service names none of them, and has no destination.
        let destination = if resource.is_empty() && target_type.is_empty() && target_name.is_empty()
        {
            None
        } else {
            let destination = Destination {
                service,
                resource,
                target_type,
                target_name,
                span_type: kind,
                span_subtype: subtype,
            };
            Some(self.destination(received, &destination)?)
        };
        let statement = match batch.opt(event.db_statement) {
            Some(sql) if !sql.is_empty() => Some(self.statement(sender, service, event, sql)?),
            _ => None,
        };
        let stack = match event.stack {
            Some(stack) => self.stack(sender, stack)?,
            None => 0,
        };
        let trace_id = RowId::new(batch, event.trace_id);
        let mut row = SpanRow {
            seq: self.seq(),
            group_id: group,
            resource_id: sender.resource,
            ts: event.timestamp,
            duration: event.duration,
            trace_id,
            id: RowId::new(batch, event.id),
            transaction_id: event.transaction_id.map(|id| RowId::new(batch, id)),
            parent_id: Some(RowId::new(batch, event.parent_id)),
            outcome: outcome_code(event.outcome),
            destination_id: destination,
            statement_id: statement,
            status: event.status.and_then(|status| status.try_into().ok()),
            composite_count: event.composite.map(|composite| composite.count),
            composite_sum: event.composite.map(|composite| composite.sum),
            sample_rate: event.sample_rate,
            steps: event.cost.map(|cost| cost.steps),
            scan_steps: event.cost.map(|cost| cost.scan_steps),
            sorts: event.cost.map(|cost| cost.sorts),
            autoindex_steps: event.cost.map(|cost| cost.autoindex_steps),
            rows_returned: event.cost.map(|cost| cost.rows_returned),
        };
        let checksum = self.share_ids(&mut row, event, following)?;
        self.spans.push(self.conn, row)?;
        let seen = observation(event);
        if let Some(destination) = destination {
            self.rollup.destination.add(destination, seen);
            // A database sends no transactions.
            if kind != "db" {
                let calls = &mut self.memory.calls;
                let key = calls.key(trace_id, RowId::new(batch, event.id));
                calls.call(&mut self.rollup, key, destination, seen, received);
            }
        }
        if let Some(statement) = statement {
            self.rollup.statement.add(statement, seen);
            if let Some(cost) = &event.cost {
                self.rollup.cost.add(statement, seen, cost);
            }
        }
        self.rollup
            .events
            .add(Kind::Span, service, event.outcome, event.timestamp);
        let document = Document {
            kind: Kind::Span,
            stack,
            json: batch.text(event.rest),
        };
        self.memory.block.span(event.duration);
        self.document(sender, event.timestamp, Some(trace_id), document, checksum)
    }

    fn statement(
        &mut self,
        sender: Sender<'a>,
        service: i64,
        event: &Span,
        sql: &str,
    ) -> Result<i64, StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let instance = batch.opt(event.db_instance).unwrap_or_default();
        let subtype = batch.opt(event.subtype).unwrap_or_default();
        let Names {
            statements,
            statements_sent,
            ..
        } = &mut self.memory.names;
        // Most statements come again word for word, and do not have to be normalised again.
        if sql.len() <= REMEMBERED
            && let Some(given) = statements_sent.remembered(received, |key| {
                key.number(service).text(instance).text(subtype).text(sql);
            })
        {
            if given.beyond {
                self.beyond.count(NameKind::Statement);
            }
            return Ok(given.id);
        }
        let statement = Statement {
            service,
            instance,
            subtype,
            fingerprint: &Fingerprint::of_subtype(sql, subtype),
            sample: sql,
            seen: event.timestamp.div_euclid(1_000_000),
        };
        let given = statements.given(self.conn, received, &statement)?;
        // The key is the one that `remembered` was asked for above.
        if sql.len() <= REMEMBERED {
            statements_sent.keep(received, given);
        }
        if given.beyond {
            self.beyond.count(NameKind::Statement);
        }
        Ok(given.id)
    }
}

/// A span as its destination and its statement count it.
fn observation(event: &Span) -> Observation {
    let (of, sum) = event.composite.map_or((1, event.duration), |composite| {
        (composite.count, composite.sum)
    });
    Observation {
        ts: event.timestamp,
        result: 0,
        outcome: event.outcome,
        count: weight(event.sample_rate) * of as f64,
        n: 1,
        sum,
        of,
    }
}
