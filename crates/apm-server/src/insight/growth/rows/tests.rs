use super::*;

/// A row each second from 0 to 100.
fn inserts() -> Vec<(f64, f64)> {
    (0..=100).map(|s| (f64::from(s), f64::from(s))).collect()
}

/// The rows at 5, 50 and 95 s, and their source.
fn told(gauge: &[(f64, f64)], inserts: Vec<(f64, f64)>) -> (Source, Vec<Option<i64>>) {
    let rows = Rows::from_samples(gauge.to_vec(), inserts);
    let at = |time: f64| rows.at(time).map(|rows| rows.round() as i64);
    (rows.source, [5.0, 50.0, 95.0].map(at).to_vec())
}

#[test]
fn a_pace_needs_half_an_hour_and_has_the_range_of_its_halves() {
    let of = |steps: &[(f64, f64)]| Rows::from_samples(Vec::new(), steps.to_vec()).pace();
    assert_eq!(of(&[(0.0, 0.0), (600.0, 900.0)]), None);
    assert_eq!(of(&[]), None);
    let pace = of(&[(0.0, 100.0), (3_600.0, 200.0), (7_200.0, 400.0)]).unwrap();
    let found = [pace.least_per_day, pace.per_day, pace.most_per_day].map(f64::round);
    assert_eq!(found, [2_400.0, 3_600.0, 4_800.0]);
    assert_eq!((pace.at, pace.rows), (7_200.0, 400.0));
}

#[test]
fn a_gauge_says_how_many_and_the_inserts_say_when() {
    let all = |a, b, c| vec![Some(a), Some(b), Some(c)];
    // (gauge, INSERTs) → source and rows at 5, 50 and 95 s.
    let table = [
        (vec![], inserts(), Source::Inserts, all(5, 50, 95)),
        // One sample sets the level.
        (
            vec![(40.0, 1_040.0)],
            inserts(),
            Source::Both,
            all(1_005, 1_050, 1_095),
        ),
        // Samples that are up to five seconds old.
        (
            vec![(10.0, 1_007.0), (20.0, 1_015.0), (30.0, 1_029.0)],
            inserts(),
            Source::Both,
            all(1_004, 1_049, 1_094),
        ),
        // A single sample that is old.
        (vec![(10.0, 2.0)], inserts(), Source::Both, all(5, 50, 95)),
        // All INSERTs were over when the gauge came, and its first sample is old.
        (
            vec![(110.0, 80.0), (120.0, 100.0), (130.0, 100.0)],
            inserts(),
            Source::Both,
            all(5, 50, 95),
        ),
        // So old that somebody else must have written.
        (
            vec![(110.0, 20.0), (120.0, 100.0), (130.0, 100.0)],
            inserts(),
            Source::Gauge,
            vec![None, None, None],
        ),
        // Of ten INSERTs one was sampled.
        (
            vec![(10.0, 100.0), (50.0, 500.0), (90.0, 900.0)],
            inserts(),
            Source::Both,
            all(50, 500, 950),
        ),
        // Rows are deleted as fast as they come: the gauge alone knows.
        (
            vec![(10.0, 500.0), (50.0, 480.0), (90.0, 505.0)],
            inserts(),
            Source::Gauge,
            vec![None, Some(480), Some(505)],
        ),
        // Somebody else writes.
        (
            vec![(10.0, 100.0), (50.0, 500.0), (90.0, 900.0)],
            vec![],
            Source::Gauge,
            vec![None, Some(500), Some(900)],
        ),
        (
            vec![(10.0, 100.0), (50.0, 500.0), (90.0, 900.0)],
            vec![(0.0, 5.0)],
            Source::Gauge,
            vec![None, Some(500), Some(900)],
        ),
        (vec![(50.0, 7.0)], vec![], Source::Gauge, all(7, 7, 7)),
        (vec![], vec![], Source::Inserts, vec![None, None, None]),
    ];
    for (gauge, inserts, source, rows) in table {
        let n = inserts.len();
        assert_eq!(told(&gauge, inserts), (source, rows), "{gauge:?} {n}");
    }
}
