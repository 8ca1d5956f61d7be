use std::sync::LazyLock;

use diesel::QueryableByName;

use super::super::{Files, Table};
use super::*;
use crate::analytics::sql::Sql;

#[derive(Debug, Default)]
struct Megabyte;

#[derive(QueryableByName)]
struct NoRow {}

impl Part for Megabyte {
    type Row = NoRow;
    type Table = Table;

    fn sql(_: Table) -> Sql {
        Sql::new("")
    }

    fn bucket(_: &NoRow) -> i64 {
        0
    }

    fn push(&mut self, _: &NoRow) {}

    fn sum(_: &[Arc<Self>]) -> Self {
        Self
    }

    fn bytes(&self) -> usize {
        1 << 20
    }

    fn files() -> &'static Files<Self> {
        static FILES: Files<Megabyte> = LazyLock::new(Mutex::default);
        &FILES
    }
}

fn row(bucket: i64, received: i64) -> Received {
    Received {
        level: 60,
        bucket,
        received,
    }
}

#[test]
fn what_was_used_least_lately_is_forgotten_first() {
    let memory = Memory::<Megabyte>::default();
    let rows = [row(0, 0), row(60, 0)];
    memory.keep(Table::Statements, &rows, (0, 0, 0), &Arc::default());
    for bucket in 0..20_i64 {
        let rows = [row(bucket, 0)];
        memory.known(Table::Statements, &[&rows], (0, 0, 0));
        memory.keep(Table::Statements, &rows, (0, 0, 0), &Arc::default());
    }
    let state = memory.0.into_inner().unwrap();
    let buckets = &state.buckets;
    assert!(buckets.bytes <= Megabyte::ROOM && buckets.bytes > 0);
    let of = |bucket| (Table::Statements, 60, bucket, bucket);
    assert!(buckets.entries.contains_key(&of(19)));
    assert!(!buckets.entries.contains_key(&of(0)));
    assert_eq!(state.sums.entries.len(), 1, "it has its own room");
}

#[test]
fn a_stretch_holds_until_something_arrives_for_one_of_its_buckets() {
    let memory = Memory::<Megabyte>::default();
    let (old, new) = ((1, 1, 0), (2, 1, 0));
    let holds = |rows: &[Received], head| {
        let known = memory.known(Table::Statements, &[rows], head);
        known.into_iter().flatten().count() == 1
    };
    let rows = [row(0, 100), row(60, 200), row(120, 300)];
    memory.keep(Table::Statements, &rows, old, &Arc::default());
    assert!(holds(&rows, new));
    assert!(!holds(&[row(0, 100), row(60, 201), row(120, 300)], new));
    assert!(!holds(&[row(0, 100), row(120, 300)], new));

    let fresh = [row(0, 100), row(180, now() / SECOND)];
    memory.keep(Table::Statements, &fresh, old, &Arc::default());
    assert!(holds(&fresh, old));
    assert!(!holds(&fresh, new));
}
