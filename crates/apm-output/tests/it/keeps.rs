//! The store keeps what was not sent, as long as it has room.

use std::time::Duration;

use apm_store::{Store, StoreOptions, TailSampling, output};

use crate::support::engine::{Act, Engine, OPENSEARCH};
use crate::support::{config, feed, lines, start, store, wait};

#[test]
fn unsent_events_outlive_their_age_and_go_once_they_are_sent() {
    let dir = tempfile::tempdir().expect("a directory");
    let engine = Engine::start(OPENSEARCH);
    let mut options = StoreOptions::new(dir.path().join("apm.db"));
    options.raw_max_age = Some(Duration::from_secs(1));
    options.keeps_unsent = true;
    let store = Store::open(options).expect("opens");
    let until_deleted = |store: &Store| store.stats().deleted_blocks;
    let connection = |store: &Store| {
        store
            .write(|conn| output::open(conn, "name"))
            .expect("open")
            .wait()
            .expect("written")
    };
    connection(&store);
    let count = feed(&store, lines(0, 2000));
    let stored = apm_time::now();
    wait("they are too old", || {
        // Each batch makes retention look.
        feed(&store, lines(10_000, 1));
        apm_time::now() - stored > 2_500_000
    });
    assert_eq!(until_deleted(&store), 0);
    let output = start(&store, config(&engine));
    wait("all are there", || engine.event_count() >= count);
    wait("they are deleted", || {
        feed(&store, lines(20_000, 1));
        until_deleted(&store) > 10
    });
    output.stop();
    assert_eq!(output.stats().lost, 0);
}

#[test]
fn what_has_no_room_is_counted_as_lost_and_the_rest_arrives() {
    let dir = tempfile::tempdir().expect("a directory");
    let engine = Engine::start(OPENSEARCH);
    let mut options = StoreOptions::new(dir.path().join("apm.db"));
    options.max_size = Some(4 << 20);
    options.keeps_unsent = true;
    let store = Store::open(options).expect("opens");
    store
        .write(|conn| output::open(conn, "name"))
        .expect("open")
        .wait()
        .expect("written");
    let mut count = 0;
    for round in 0..60 {
        count += feed(&store, lines(round * 1000, 500));
    }
    wait("some is deleted", || {
        count += feed(&store, lines(100_000, 4));
        store.stats().deleted_blocks > 0
    });
    let output = start(&store, config(&engine));
    wait("nothing waits", || {
        let stats = output.stats();
        stats.documents > 0 && stats.lag.events == 0
    });
    output.stop();
    let place = store.read::<_, apm_store::StoreError>(|conn| Ok(output::state(conn)?));
    let lost = place.expect("readable").expect("there").lost;
    assert!(lost > 0);
    assert_eq!(engine.duplicates(), 0);
    assert_eq!(
        engine.event_count() + usize::try_from(lost).expect("some"),
        count
    );
}

#[test]
fn after_everything_was_deleted_new_events_arrive_under_a_new_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let output = start(&store, config(&engine));
    let count = feed(&store, lines(0, 50));
    wait("all are there", || engine.event_count() == count);
    store.clear().expect("open").wait().expect("cleared");
    let more = feed(&store, lines(0, 50));
    wait("more is there", || engine.event_count() == count + more);
    output.stop();
    drop(output);
    // The numbers of a new start are not those of the old one.
    store.close();
    let store = self::store(dir.path());
    let output = start(&store, config(&engine));
    let last = feed(&store, lines(0, 50));
    wait("the last are there", || {
        engine.event_count() == count + more + last
    });
    output.stop();
    assert_eq!(engine.duplicates(), 0);
}

#[test]
fn a_warning_says_that_events_wait() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    engine.script(std::iter::repeat_n(Act::Status(429), 100));
    let mut config = config(&engine);
    config.lag_warning = Duration::ZERO;
    config.pace.longest_pause = Duration::from_millis(400);
    let count = feed(&store, lines(0, 4));
    let output = start(&store, config);
    wait("it is behind", || {
        output.stats().is_behind && output.stats().trouble.is_some()
    });
    engine.state().script.clear();
    wait("all are there", || engine.event_count() == count);
    wait("it is not", || {
        !output.stats().is_behind && output.stats().trouble.is_none()
    });
    output.stop();
}

#[test]
fn events_that_were_sent_and_not_counted_before_a_crash_are_whole_after_it_and_sampled_once_they_are_counted()
 {
    let dir = tempfile::tempdir().expect("a directory");
    let engine = Engine::start(OPENSEARCH);
    let mut options = StoreOptions::new(dir.path().join("apm.db"));
    options.keeps_unsent = true;
    options.tail = Some(TailSampling {
        share: 0.0,
        slow: None,
        wait: Duration::from_secs(1),
    });
    let sampling = Store::open(options).expect("opens");
    // More than a block, of traces that do not matter. All of it was sent, and nothing counted.
    let count = feed(
        &sampling,
        lines(0, 2000).filter(|line| !line.contains("{\"error")),
    );
    skip_all(&sampling);
    let stored = apm_time::now();
    wait("their traces are complete", || {
        // Each batch makes retention look.
        feed(&sampling, [log_line()]);
        apm_time::now() - stored > 3_500_000
    });
    assert_eq!(sampling.stats().sampled_out, 0);
    send_and_count(&sampling, &engine);
    let output = start(&sampling, config(&engine));
    let transactions = i64::try_from(count / 3).expect("few");
    for interval in ["1m", "10m", "60m"] {
        wait("each transaction is counted", || {
            let all = engine.aggregates();
            let of_interval = all.iter().filter(|one| {
                one["metricset"]["name"] == "service_transaction"
                    && one["metricset"]["interval"] == interval
            });
            of_interval
                .filter_map(|one| one["_doc_count"].as_i64())
                .sum::<i64>()
                == transactions
        });
    }
    output.stop();
    wait("they are sampled", || {
        feed(&sampling, [log_line()]);
        sampling.stats().sampled_out > 0
    });
}

fn log_line() -> String {
    r#"{"log":{"message":"still here"}}"#.to_owned()
}

/// Notes that all events were sent, and none was counted: as a crash leaves it.
fn skip_all(store: &Store) {
    store
        .write(move |conn| {
            output::open(conn, "0123456789ab")?;
            let last = output::newest(conn, -1)?.last;
            output::skip(conn, last, 0)
        })
        .expect("open")
        .wait()
        .expect("written");
}

/// Sends what is not sent yet, and counts all there is: a stop does.
fn send_and_count(store: &Store, engine: &Engine) {
    let output = start(store, config(engine));
    wait("what came since is sent", || {
        output.stats().lag.events == 0 && output.stats().documents > 0
    });
    output.stop();
}

/// The last event that is counted in what was written, by width.
fn counted(store: &Store) -> [i64; 3] {
    let place = store.read::<_, apm_store::StoreError>(|conn| Ok(output::state(conn)?));
    place.expect("readable").expect("there").aggregated
}

#[test]
fn events_that_were_sent_and_not_counted_before_a_crash_outlive_their_age_and_go_once_they_are_counted()
 {
    let dir = tempfile::tempdir().expect("a directory");
    let engine = Engine::start(OPENSEARCH);
    let mut options = StoreOptions::new(dir.path().join("apm.db"));
    options.raw_max_age = Some(Duration::from_secs(1));
    options.keeps_unsent = true;
    let aging = Store::open(options).expect("opens");
    let count = feed(&aging, lines(0, 2000));
    // All of it was sent, and nothing counted.
    skip_all(&aging);
    let stored = apm_time::now();
    wait("they are too old", || {
        // Each batch makes retention look.
        feed(&aging, [log_line()]);
        apm_time::now() - stored > 2_500_000
    });
    assert_eq!(aging.stats().deleted_blocks, 0);
    send_and_count(&aging, &engine);
    let counted = counted(&aging);
    assert!(
        counted.into_iter().all(|to| to >= count as i64),
        "{counted:?}"
    );
    wait("they are deleted", || {
        feed(&aging, [log_line()]);
        aging.stats().deleted_blocks > 10
    });
}

#[test]
fn counts_are_written_before_the_events_in_them_take_much_of_the_room() {
    let dir = tempfile::tempdir().expect("a directory");
    let engine = Engine::start(OPENSEARCH);
    let mut options = StoreOptions::new(dir.path().join("apm.db"));
    options.max_size = Some(4 << 20);
    options.keeps_unsent = true;
    let store = Store::open(options).expect("opens");
    let output = start(&store, config(&engine));
    // Of about 300 bytes each: more than a sixteenth of the room.
    feed(&store, lines(0, 2000));
    wait("all widths are written", || {
        counted(&store).into_iter().all(|to| to > 0)
    });
    output.stop();
}
