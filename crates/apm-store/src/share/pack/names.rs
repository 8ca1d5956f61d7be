//! Names as the lists of a delta have them.

use super::super::delta::{self, Delta};
use super::super::names::{Name, Table};

/// Adds a name to its list; its place there.
pub(super) fn push(delta: &mut Delta, table: Table, service: usize, name: Name) -> usize {
    let Name {
        a,
        b,
        c,
        d,
        e,
        f,
        number,
        seen,
        flag,
        ..
    } = name;
    match table {
        Table::Service => add(
            &mut delta.services,
            delta::Service {
                name: a,
                environment: b,
                agent: c,
                agent_version: d,
                language: e,
                version: f,
            },
        ),
        Table::Transaction => add(&mut delta.transactions, (service, a, b)),
        Table::Result => add(&mut delta.results, (service, a)),
        Table::Destination => add(
            &mut delta.destinations,
            delta::Destination {
                service,
                resource: a,
                target_type: b,
                target_name: c,
                span_type: d,
                span_subtype: e,
            },
        ),
        Table::Statement => add(
            &mut delta.statements,
            delta::Statement {
                service,
                instance: a,
                subtype: b,
                normalized: c,
                sample: d,
                verb: e,
                table: f,
                seen,
            },
        ),
        Table::Error => add(
            &mut delta.errors,
            delta::ErrorGroup {
                service,
                key: number,
                kind: a,
                message: b,
                culprit: c,
                handled: flag,
                seen,
            },
        ),
        Table::Series => add(
            &mut delta.series,
            delta::Series {
                service,
                name: a,
                kind: i32::try_from(number).unwrap_or(-1),
                unit: b,
                labels: c,
            },
        ),
        Table::Instance => add(
            &mut delta.instances,
            delta::Instance {
                service,
                node: a,
                version: b,
                host: c,
                pod: d,
                runtime: e,
            },
        ),
    }
}

fn add<T>(list: &mut Vec<T>, item: T) -> usize {
    list.push(item);
    list.len() - 1
}
