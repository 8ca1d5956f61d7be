use super::*;

const MINUTE: i64 = 60 * SECOND;

fn range(minutes: i64) -> Range {
    let to = 1_773_844_512_345_678;
    Range {
        from: to - minutes * MINUTE,
        to,
    }
}

#[test]
fn the_interval_follows_the_range() {
    let table = [
        (5, 5),
        (15, 30),
        (60, 60),
        (6 * 60, 300),
        (24 * 60, 1800),
        (7 * 24 * 60, 10_800),
        (30 * 24 * 60, 43_200),
        (365 * 24 * 60, 604_800),
    ];
    for (minutes, seconds) in table {
        assert_eq!(interval(range(minutes), 1), seconds, "{minutes} min");
    }
    assert_eq!(interval(range(15), 60), 60);
    let year = 365 * 24 * 60;
    for (years, most) in [(9, 112), (11, 13), (56, 60), (8_030, 62)] {
        let range = Range {
            from: 0,
            to: years * year * MINUTE,
        };
        let window = Window::new(range, range.to);
        let buckets = window.buckets().len();
        assert!(
            (years.min(50) as usize..=most).contains(&buckets),
            "{years}: {buckets}"
        );
        assert!(window.series_slices().len() <= 5);
    }
    let second = Range {
        from: 0,
        to: SECOND,
    };
    assert_eq!(interval(second, 1), 1);
}

#[test]
fn a_window_is_whole_minutes_and_divides_by_what_has_passed() {
    let asked = range(15);
    let window = Window::new(asked, asked.to);
    assert_eq!(window.range.from % MINUTE, 0);
    assert_eq!(window.range.to % MINUTE, 0);
    assert!(window.range.from <= asked.from && asked.to <= window.range.to);
    assert!((window.minutes - (asked.to - window.range.from) as f64 / MINUTE as f64).abs() < 1e-9);
    let past = Window::new(asked, asked.to + 10 * MINUTE);
    assert!((past.minutes - 16.0).abs() < 1e-9);
    let future = Window::new(asked, asked.from - 10 * MINUTE);
    assert!(future.minutes > 0.0);
}

#[test]
fn slices_cover_the_window_once_with_the_widest_rows() {
    for minutes in [1, 9, 15, 60, 61, 600, 24 * 60, 30 * 24 * 60] {
        let window = Window::new(range(minutes), i64::MAX / 2);
        for slices in [window.slices(), window.series_slices()] {
            let mut at = window.range.from / SECOND;
            for (level, from, to) in &slices {
                assert_eq!(*from, at, "{minutes}: {slices:?}");
                assert!(from < to && from % level == 0 && to % level == 0);
                at = *to;
            }
            assert_eq!(at, window.range.to / SECOND);
            assert!(slices.len() <= 5);
        }
        let rows: i64 = window
            .slices()
            .iter()
            .map(|(level, from, to)| (to - from) / level)
            .sum();
        assert!(rows <= 2 * (9 + 5) + minutes / 60 + 1, "{minutes}: {rows}");
        let widest = window.series_slices().iter().map(|slice| slice.0).max();
        assert!(widest.unwrap() <= window.interval);
    }
}

#[test]
fn buckets_leave_no_gap_and_say_what_they_cover() {
    let asked = range(15);
    let window = Window::new(asked, asked.to);
    let buckets = window.buckets();
    assert_eq!(buckets.len(), 16);
    let covered: f64 = buckets.iter().map(|bucket| bucket.covered).sum();
    assert!((covered / 60.0 - window.minutes).abs() < 1e-6);
    assert!(buckets[15].covered < 60.0 && buckets[14].covered == 60.0);
}

#[test]
fn the_previous_window_has_the_same_shape() {
    let asked = range(15);
    let window = Window::new(asked, asked.to);
    let before = window.shifted_back(asked.micros());
    assert_eq!(before.range.micros(), window.range.micros());
    assert_eq!(before.range.to - window.range.to, -15 * MINUTE);
    assert!(window.minutes < 16.0 && (before.minutes - 16.0).abs() < 1e-9);
    let covered: f64 = before.buckets().iter().map(|bucket| bucket.covered).sum();
    assert!((covered / 60.0 - before.minutes).abs() < 1e-6);
}
