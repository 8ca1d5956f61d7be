use super::*;

#[test]
fn values_step_by_1_2_2_5_and_5() {
    for (max, steps, whole, want) in [
        (58.9, 4, false, &[0.0, 20.0, 40.0, 60.0][..]),
        (80.0, 4, false, &[0.0, 20.0, 40.0, 60.0, 80.0]),
        (250.0, 3, true, &[0.0, 100.0, 200.0, 300.0]),
        (9.0, 4, false, &[0.0, 2.5, 5.0, 7.5, 10.0]),
        (1.0, 4, true, &[0.0, 1.0]),
        (3.0, 4, true, &[0.0, 1.0, 2.0, 3.0]),
        (9.0, 4, true, &[0.0, 3.0, 6.0, 9.0]),
        (0.0, 4, false, &[0.0, 1.0]),
        (f64::NAN, 4, false, &[0.0, 1.0]),
        (5e-324, 4, false, &[0.0, 1.0]),
        (f64::MIN_POSITIVE, 4, true, &[0.0, 1.0]),
    ] {
        assert_eq!(from_zero(max, steps, whole), want, "{max}");
    }
}

#[test]
fn an_axis_of_any_number_has_a_few_finite_steps() {
    let powers = (-323..=308).map(|power| 10f64.powi(power));
    for max in powers.chain([f64::MAX, f64::MIN_POSITIVE, 1e-300, 1.7e300]) {
        for (steps, whole) in [(1, false), (4, false), (4, true)] {
            let values = from_zero(max, steps, whole);
            assert!((2..=8).contains(&values.len()), "{max}: {values:?}");
            assert!(
                values.iter().all(|value| value.is_finite()),
                "{max}: {values:?}"
            );
            let rises = values.windows(2).all(|pair| pair[0] < pair[1]);
            assert!(rises, "{max}: {values:?}");
        }
    }
}

#[test]
fn an_axis_goes_below_zero_where_there_are_values() {
    for (least, most, want) in [
        (0.0, 80.0, &[0.0, 20.0, 40.0, 60.0, 80.0][..]),
        (-5.0, 5.0, &[-5.0, -2.5, 0.0, 2.5, 5.0]),
        (-3.0, 0.0, &[-3.0, -2.0, -1.0, 0.0]),
        (-9.0, -1.0, &[-10.0, -7.5, -5.0, -2.5, 0.0]),
        (-1.0, 80.0, &[-25.0, 0.0, 25.0, 50.0, 75.0, 100.0]),
        (-5e-324, 0.0, &[0.0, 1.0]),
    ] {
        assert_eq!(between(least, most, 4, false), want, "{least} {most}");
    }
    let powers = (-323..=308).map(|power| 10f64.powi(power));
    for size in powers.chain([f64::MAX]) {
        for (least, most) in [(-size, size), (-size, 0.0), (-size, 1.0), (-1.0, size)] {
            let values = between(least, most, 4, false);
            let told = format!("{least} {most}: {values:?}");
            assert!((2..=9).contains(&values.len()), "{told}");
            assert!(values.windows(2).all(|pair| pair[0] < pair[1]), "{told}");
            assert!(values.iter().all(|value| value.is_finite()), "{told}");
        }
    }
}

fn written(ticks: &[Tick]) -> Vec<String> {
    ticks
        .iter()
        .map(|tick| tick.label.replace(NARROW, " "))
        .collect()
}

#[test]
fn log_axes_carry_1_2_5_and_3_7_where_they_fit() {
    assert_eq!(
        written(&log_durations(Scale::log(4_000.0, 100_000.0))),
        ["5", "7", "10", "20", "30", "50", "70", "100 ms"]
    );
    assert_eq!(
        written(&log_durations(Scale::log(80.0, 10_000_000.0))),
        ["100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]
    );
}

#[test]
fn a_narrow_log_axis_still_has_ticks() {
    assert_eq!(
        written(&log_durations(Scale::log(6_000.0, 10_600.0))),
        ["6", "7", "8", "9", "10 ms"]
    );
}

#[test]
fn log_axes_of_hours_and_days_are_round_in_their_own_unit() {
    let days = 8.64e10;
    assert_eq!(
        written(&log_durations(Scale::log(3.4 * days, 5.1 * days))),
        ["4", "5 d"]
    );
    let hours = 3.6e9;
    assert_eq!(
        written(&log_durations(Scale::log(2.0 * hours, 10.0 * hours))),
        ["2", "3", "5", "7", "10 h"]
    );
}

#[test]
fn linear_axes_put_the_unit_on_the_last_tick() {
    assert_eq!(
        written(&linear(Scale::linear(0.0, 62_000.0), 6, "ms", 1e3)),
        ["0", "20", "40", "60 ms"]
    );
}

#[test]
fn times_are_round_and_four_to_seven() {
    let at = |text: &str| {
        text.parse::<Timestamp>()
            .map(|t| t.as_microsecond())
            .unwrap()
    };
    let utc = TimeZone::UTC;
    for (from, to, want) in [
        (
            "2026-11-22T13:45:00Z",
            "2026-11-22T14:00:00Z",
            vec!["13:45", "13:48", "13:51", "13:54", "13:57", "14:00"],
        ),
        (
            "2026-11-22T13:45:07Z",
            "2026-11-22T14:00:07Z",
            vec!["13:48", "13:51", "13:54", "13:57", "14:00"],
        ),
        (
            "2026-11-22T13:00:00Z",
            "2026-11-22T13:00:20Z",
            vec!["13:00:00", "13:00:05", "13:00:10", "13:00:15", "13:00:20"],
        ),
        (
            "2026-11-21T14:00:00Z",
            "2026-11-22T14:00:00Z",
            vec!["16:00", "20:00", "22 Nov", "04:00", "08:00", "12:00"],
        ),
        (
            "2026-11-15T14:00:00Z",
            "2026-11-22T14:00:00Z",
            vec!["16 Nov", "18 Nov", "20 Nov", "22 Nov"],
        ),
    ] {
        assert_eq!(written(&times(at(from), at(to), &utc)), want, "{from}");
    }
}

#[test]
fn times_are_round_in_the_readers_zone() {
    let kolkata = TimeZone::fixed(jiff::tz::offset(5).saturating_add(30.minutes()));
    let at = |text: &str| {
        text.parse::<Timestamp>()
            .map(|t| t.as_microsecond())
            .unwrap()
    };
    let ticks = times(
        at("2026-11-22T08:00:00Z"),
        at("2026-11-22T14:00:00Z"),
        &kolkata,
    );
    assert_eq!(
        written(&ticks),
        ["14:00", "15:00", "16:00", "17:00", "18:00", "19:00"]
    );
}
