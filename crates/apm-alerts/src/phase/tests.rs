use super::*;

/// Takes a subject through levels, one every 10 s: what was told, with its time.
fn told(hold: i64, levels: &[f64]) -> Vec<(i64, &'static str)> {
    let mut phase = None;
    let mut told = Vec::new();
    for (at, level) in (0..).step_by(10).zip(levels) {
        phase = match step(phase, *level, at, hold) {
            Step::Quiet => None,
            Step::Stay(phase) => Some(phase),
            Step::Fire => {
                told.push((at, "fired"));
                Some(Phase::Firing {
                    since: at,
                    calm: None,
                })
            }
            Step::Resolve => {
                told.push((at, "resolved"));
                None
            }
        };
    }
    told
}

#[test]
fn a_condition_fires_when_it_has_held_and_resolves_when_it_has_been_calm() {
    let mut levels = vec![2.0; 10];
    levels.extend([0.0; 10]);
    assert_eq!(told(30, &levels), [(30, "fired"), (160, "resolved")]);
}

#[test]
fn a_condition_that_does_not_hold_long_enough_is_not_told() {
    assert_eq!(told(30, &[2.0, 2.0, 2.0, 0.5, 2.0, 2.0, 2.0, 0.5]), []);
}

#[test]
fn a_level_that_moves_around_its_bound_is_told_once() {
    let levels: Vec<f64> = (0..100)
        .map(|n| if n % 2 == 0 { 1.05 } else { 0.95 })
        .collect();
    assert_eq!(told(0, &levels), [(0, "fired")]);
}

#[test]
fn a_clock_that_is_set_back_neither_fires_nor_keeps_firing() {
    let pending = Some(Phase::Pending { since: 1_000 });
    assert_eq!(
        step(pending, 2.0, 0, 30),
        Step::Stay(Phase::Pending { since: 0 })
    );
    let calm = Some(Phase::Firing {
        since: 500,
        calm: Some(1_000),
    });
    let since = 500;
    let calm_since = Some(0);
    let next = Phase::Firing {
        since,
        calm: calm_since,
    };
    assert_eq!(step(calm, 0.0, 0, 30), Step::Stay(next));
}
