use super::*;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const NOW: i64 = 1_800_000_000;

fn started(newest: Option<i64>, clock: i64) -> (Clock, Instant) {
    let mut made = Clock::new(Duration::from_secs(3_600));
    let at = Instant::now();
    made.start(newest, clock, at);
    (made, at)
}

fn minutes(at: Instant, minutes: u64) -> Instant {
    at + Duration::from_secs(60 * minutes)
}

#[test]
fn a_clock_near_the_newest_arrival_is_believed_and_so_is_one_without_any() {
    let (mut clock, at) = started(Some(NOW - 1800), NOW);
    assert_eq!(clock.now(NOW, at), NOW);
    assert_eq!(clock.now(NOW + 60, minutes(at, 1)), NOW + 60);
    let (mut clock, at) = started(None, NOW + 30 * DAY);
    assert_eq!(clock.now(NOW + 30 * DAY, at), NOW + 30 * DAY);
}

#[test]
fn a_clock_that_is_ahead_is_believed_when_arrivals_agreed_for_a_while() {
    let ahead = NOW + 30 * DAY;
    let (mut clock, at) = started(Some(NOW), ahead);
    assert_eq!(clock.now(ahead, at), NOW);
    // Time goes on from the newest arrival.
    assert_eq!(clock.now(ahead + 300, minutes(at, 5)), NOW + 300);
    clock.arrived(ahead + 300, minutes(at, 5));
    assert_eq!(clock.now(ahead + 840, minutes(at, 14)), NOW + 840);
    assert_eq!(clock.now(ahead + 900, minutes(at, 15)), ahead + 900);
    assert!(!clock.is_in_doubt());
}

#[test]
fn a_clock_that_arrivals_contradict_is_never_believed() {
    let ahead = NOW + 30 * DAY;
    let (mut clock, at) = started(Some(NOW), ahead);
    clock.now(ahead, at);
    for minute in 0..600 {
        let at = minutes(at, minute);
        let passed = 60 * i64::try_from(minute).unwrap();
        clock.arrived(NOW + passed, at);
        // One sender shares the wrong clock.
        if minute % 3 == 0 {
            clock.arrived(ahead + passed, at);
        }
        assert_eq!(clock.now(ahead + passed, at), NOW + passed);
    }
}

#[test]
fn a_jump_while_running_is_doubted_and_a_clock_that_is_behind_deletes_less() {
    let (mut clock, at) = started(Some(NOW), NOW);
    assert_eq!(clock.now(NOW + DAY, minutes(at, 1)), NOW + 60);
    // It is set back.
    assert_eq!(clock.now(NOW + 120, minutes(at, 2)), NOW + 120);
    assert!(!clock.is_in_doubt());
    assert_eq!(clock.now(NOW - DAY, minutes(at, 3)), NOW - DAY);
    // An arrival of the future was dated by a wrong clock.
    let (mut clock, at) = started(Some(NOW + 30 * DAY), NOW);
    assert_eq!(clock.now(NOW, at), NOW);
}

#[test]
fn a_clock_that_is_set_again_has_to_be_agreed_with_anew() {
    let (mut clock, at) = started(Some(NOW), NOW + 30 * DAY);
    clock.now(NOW + 30 * DAY, at);
    clock.arrived(NOW + 30 * DAY, at);
    let other = NOW + 60 * DAY;
    assert_eq!(clock.now(other, minutes(at, 9)), NOW + 540);
    assert_eq!(clock.now(other + 180, minutes(at, 12)), NOW + 720);
}
