//! Counts that are written are read again.

use super::*;
use crate::event::{Cost, Outcome};
use crate::rollup::{Gauge, Increase, Observation, Owner, Point, Reading, Vital};

fn seen(ts: i64, count: f64, sum: i64) -> Observation {
    Observation {
        ts,
        result: 3,
        outcome: Outcome::Failure,
        count,
        n: 1,
        sum,
        of: 1,
    }
}

/// Something of each kind, also before 1970.
fn rollup() -> Rollup {
    let mut rollup = Rollup::default();
    for (at, count) in [(-61_000_000, 1.0), (1_795_000_000_000_000, 3.25), (0, 1e9)] {
        rollup.tx.add(1, seen(at, count, 70_000));
        rollup.statement.add(i64::MAX, seen(at, count, 0));
        rollup.destination.add(7, seen(at, count, i64::MAX / 4));
        rollup.calls.add(7, 2, seen(at, count, 10));
        rollup.vitals.add(1, at, Vital::Lcp, 1_000_000, count);
        rollup.add_error(5, at);
        let cost = Cost {
            steps: 12,
            rows_changed: Some(3),
            ..Cost::default()
        };
        rollup.cost.add(4, seen(at, count, 5), &cost);
        let key = BreakdownKey {
            tx_group: 1,
            bucket: 0,
            span_type: "dß".to_owned(),
            subtype: String::new(),
        };
        rollup.add_breakdown(key, 0.1, 1e14);
        rollup.instances.add(11, seen(at, count, 70_000));
        rollup.instances.gauge(11, at, Gauge::Cpu, 0.25);
        rollup.instances.gauge(12, at, Gauge::Used, count / 1e9);
        rollup.metrics.value(8, at, -0.25 * count);
        let increase = Increase {
            count,
            sum: 2.5,
            bins: vec![(-100_000, 1.5), (7, count)],
            ..Increase::default()
        };
        rollup.metrics.distribution(9, at, &increase);
        // It is not told: the reading is.
        rollup.grown.increase(10, at, &increase);
        rollup.readings.push(Reading {
            owner: Owner {
                series: 10,
                process: i64::MIN,
            },
            point: Point {
                start: at - 1,
                ts: at,
                count,
                sum: 0.1 + 0.2,
                bins: vec![(-240_000, 3.0), (5, 0.5)],
            },
        });
    }
    rollup
}

fn rows(rollup: &Rollup) -> String {
    format!(
        "{:?}",
        (
            [&rollup.tx, &rollup.statement, &rollup.destination]
                .map(|series| (series.cells(60), series.bins(60))),
            (rollup.cost.cells(60), rollup.cost.bins(60)),
            rollup.calls.cells(60),
            rollup.vitals.bins(60),
            rollup.errors(60),
            rollup.breakdown(60),
            (rollup.metrics.cells(60), rollup.metrics.bins(60)),
            (rollup.instances.cells(60), rollup.instances.bins(60)),
            &rollup.readings,
        )
    )
}

#[test]
fn what_is_written_is_read_again_and_adds_up() {
    let mut bytes = Vec::new();
    rollup().write(&mut bytes);
    let mut read = Rollup::default();
    read.read(&bytes).expect("counts");
    assert_eq!(rows(&read), rows(&rollup()));
    read.read(&bytes).expect("counts");
    let mut twice = rollup();
    twice.absorb(&rollup());
    twice.readings.extend(rollup().readings);
    assert_eq!(rows(&read), rows(&twice));
    assert!(read.grown.cells(60).is_empty());
}

#[test]
fn nothing_takes_no_bytes_and_bytes_that_are_cut_are_no_counts() {
    let mut bytes = Vec::new();
    Rollup::default().write(&mut bytes);
    assert!(bytes.is_empty());
    rollup().write(&mut bytes);
    for length in 1..bytes.len() {
        assert_eq!(Rollup::default().read(&bytes[..length]), None, "{length}");
    }
    for format in [0, FORMAT + 1] {
        bytes[0] = format;
        assert_eq!(Rollup::default().read(&bytes), None);
    }
}

#[test]
fn the_journals_of_earlier_versions_are_read() {
    // An empty list is one byte. Version 3 lacks the list of longest transactions, version 2 the two of instances as
    // well, and version 1 the three of metrics, too.
    for (format, lists) in [
        (WITHOUT_LONGEST, 1),
        (WITHOUT_INSTANCES, 3),
        (WITHOUT_METRICS, 6),
    ] {
        let mut bytes = Vec::new();
        let mut before = Rollup::default();
        before.add_error(5, 0);
        before.write(&mut bytes);
        bytes.truncate(bytes.len() - lists);
        bytes[0] = format;
        let mut read = Rollup::default();
        read.read(&bytes).expect("counts");
        assert_eq!(rows(&read), rows(&before));
    }
}
