use super::*;

const MOST: Duration = Duration::from_secs(2);

#[test]
fn who_waited_and_who_has_others_behind_it_takes_less_but_always_some() {
    let ms = Duration::from_millis;
    for (waited, limit, wanting, time) in [
        (0, 4, 1, 2_000),
        (0, 4, 4, 2_000),
        (0, 4, 8, 1_000),
        (1_500, 4, 4, 500),
        (1_500, 4, 8, 250),
        (500, 4, 8, 750),
        (5_000, 4, 4, 125),
        (0, 1, 100, 125),
    ] {
        let found = share(MOST, ms(waited), limit, wanting);
        assert_eq!(found, ms(time), "{waited} ms, {wanting} of {limit}");
    }
}

/// The time at which the last of some readers ends that come at the same time and take all that they may, ms.
fn last_end(readers: usize, limit: usize) -> u64 {
    let mut waiting = readers;
    let mut began: Vec<u64> = Vec::new();
    for now in 0.. {
        let wanting = waiting + began.len();
        began.retain(|began| {
            let waited = Duration::from_millis(*began);
            Duration::from_millis(now - began) < share(MOST, waited, limit, wanting)
        });
        while waiting > 0 && began.len() < limit {
            waiting -= 1;
            began.push(now);
        }
        if began.is_empty() {
            return now;
        }
    }
    unreachable!("time does not end")
}

#[test]
fn readers_that_come_together_end_together_within_the_time_of_one() {
    for readers in [1, 4, 5, 6, 8, 9, 16, 31, 64] {
        let end = last_end(readers, 4);
        // Each round may be seen to end a millisecond late.
        assert!(end <= 2_000 + 16, "{readers} readers: {end} ms");
    }
    // Beyond, each still gets a sixteenth.
    assert_eq!(last_end(128, 4), 4_000);
}

#[test]
fn a_reading_has_less_time_as_soon_as_others_wait_and_a_thread_that_reads_nothing_has_no_turn() {
    assert_eq!(share_taken(MOST), None);
    let wanting = Arc::new(AtomicUsize::new(1));
    let began = Instant::now();
    let turn = Turn {
        asked: began,
        began,
        limit: 1,
        search_time: SEARCH_TIME,
        wanting: Arc::clone(&wanting),
    };
    assert_eq!(turn.share(MOST), MOST);
    wanting.store(4, Ordering::Relaxed);
    assert_eq!(turn.share(MOST), MOST / 4);
    let taken = turn.begin();
    assert!(share_taken(MOST).is_some_and(|part| part >= 0.0));
    assert_eq!(share_taken(Duration::ZERO), Some(f64::INFINITY));
    drop(taken);
    assert_eq!(share_taken(MOST), None);
}

#[test]
fn a_longer_search_time_lengthens_every_reading_alike() {
    let began = Instant::now();
    let turn = Turn {
        asked: began,
        began,
        limit: 4,
        search_time: 10 * SEARCH_TIME,
        wanting: Arc::new(AtomicUsize::new(1)),
    };
    for ms in [2_000, 400] {
        let most = Duration::from_millis(ms);
        assert_eq!(turn.share(most), 10 * most);
    }
}
