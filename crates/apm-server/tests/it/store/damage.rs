//! Damaged pages and logs: an error or what was stored, never a panic, never another text.
//!
//! `POCKET_APM_DAMAGE_ROUNDS` sets how many of each (default 12).

use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use apm_store::event::{Event, StoredEvent};
use apm_store::{Store, StoreError, StoreOptions, events, trace};
use fastrand::Rng;

use super::{number, open, wait_until};
use crate::support::events::pairs;

const PAGE: usize = 4096;

/// Events that are stored before the damage.
const STORED: u64 = 1500;

fn rounds() -> u64 {
    env::var("POCKET_APM_DAMAGE_ROUNDS").map_or(12, |rounds| rounds.parse().expect("a number"))
}

/// A sound database, its log as it is while the store is open, and all texts in it.
fn undamaged(dir: &Path) -> (Vec<u8>, Vec<u8>, HashSet<String>) {
    let store = open(dir);
    for first in (0..STORED).step_by(100) {
        let stored = store
            .submit(pairs("shop", first, 100))
            .expect("room")
            .wait();
        stored.expect("stored");
    }
    let all = read_all(&store).expect("sound");
    let texts = all.into_iter().map(|event| event.rest).collect();
    let log = fs::read(dir.join("apm.db-wal")).expect("a log");
    let before = fs::read(dir.join("apm.db")).expect("a file");
    drop(store);
    let after = fs::read(dir.join("apm.db")).expect("a file");
    assert!(log.len() > 50 * PAGE && before.len() < after.len());
    // The log belongs to the file as it was before it was copied over.
    fs::write(dir.join("before.db"), before).expect("written");
    (after, log, texts)
}

fn read_all(store: &Store) -> Result<Vec<StoredEvent>, StoreError> {
    let most = i64::try_from(4 * STORED).expect("small");
    store.read(|conn| events(conn, &(0..most).collect::<Vec<_>>()))
}

/// Opens a database, asks for all, and stores more.
fn use_it(path: &Path, texts: &HashSet<String>, what: &str) {
    let options = StoreOptions {
        max_size: None,
        raw_max_age: None,
        rollup_max_age: None,
        ..StoreOptions::new(path)
    };
    let Ok(store) = Store::open(options) else {
        return;
    };
    for number in (0..STORED).step_by(50) {
        let id = format!("{number:032x}");
        // An error is an answer.
        let Ok(found) = store.read::<_, StoreError>(|conn| trace(conn, &id)) else {
            continue;
        };
        for event in found {
            assert!(texts.contains(&event.rest), "{what}: {}", event.rest);
        }
    }
    for event in read_all(&store).into_iter().flatten() {
        assert!(texts.contains(&event.rest), "{what}: {}", event.rest);
    }
    let stored = store
        .submit(pairs("shop", 100_000, 50))
        .expect("room")
        .wait();
    let found = store.read::<_, StoreError>(|conn| trace(conn, &format!("{:032x}", 100_001)));
    if let (Ok(_), Ok(found)) = (stored, found) {
        assert!(!found.is_empty(), "{what}: acknowledged and not there");
    }
    store.close();
}

fn scratch(rng: &mut Rng, bytes: &mut [u8]) -> String {
    let at = rng.usize(..bytes.len());
    let end = (at + rng.usize(1..200)).min(bytes.len());
    match rng.u8(..4) {
        0 => {
            let bit = rng.u8(..8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        1 => {
            bytes[at..end].fill_with(|| rng.u8(..));
            format!("bytes {at} to {end} are noise")
        }
        2 => {
            bytes[at..end].fill(0);
            format!("bytes {at} to {end} are zero")
        }
        _ => {
            let (page, from) = (at / PAGE * PAGE, rng.usize(..bytes.len() / PAGE) * PAGE);
            let end = (page + PAGE).min(bytes.len());
            bytes.copy_within(from..from + end - page, page);
            format!("page at {page} is the one at {from}")
        }
    }
}

#[test]
fn damaged_pages_are_an_error_or_what_was_stored() {
    let dir = tempfile::tempdir().expect("a directory");
    let (sound, _, texts) = undamaged(dir.path());
    let path = dir.path().join("damaged.db");
    for round in 0..rounds() {
        let mut rng = Rng::with_seed(round);
        let mut damaged = sound.clone();
        let what = scratch(&mut rng, &mut damaged[PAGE..]);
        let _ = fs::remove_file(dir.path().join("damaged.db-wal"));
        fs::write(&path, &damaged).expect("written");
        use_it(&path, &texts, &format!("round {round}: {what}"));
    }
}

#[test]
fn damaged_logs_are_an_error_or_whole_commits() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_, sound, texts) = undamaged(dir.path());
    let before = fs::read(dir.path().join("before.db")).expect("a file");
    let path = dir.path().join("damaged.db");
    for round in 0..rounds() {
        let mut rng = Rng::with_seed(round);
        let mut damaged = sound.clone();
        let what = match rng.u8(..3) {
            0 => {
                damaged.truncate(rng.usize(..sound.len()));
                format!("cut to {} bytes", damaged.len())
            }
            1 => {
                damaged.extend((0..rng.usize(1..20_000)).map(|_| rng.u8(..)));
                "noise behind it".to_owned()
            }
            _ => scratch(&mut rng, &mut damaged),
        };
        let what = format!("round {round}: {what}");
        fs::write(&path, &before).expect("written");
        fs::write(dir.path().join("damaged.db-wal"), &damaged).expect("written");
        let _ = fs::remove_file(dir.path().join("damaged.db-shm"));
        if let Ok(store) = Store::open(StoreOptions {
            max_size: None,
            raw_max_age: None,
            rollup_max_age: None,
            ..StoreOptions::new(&path)
        }) {
            let check =
                "SELECT count(*) AS n FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
            assert_eq!(number(&store, check), 0, "{what}");
            let tx = number(&store, "SELECT count(*) AS n FROM tx");
            let spans = number(&store, "SELECT count(*) AS n FROM span");
            assert_eq!((tx % 100, tx), (0, spans), "{what}: whole batches only");
            for level in [60, 600, 3600] {
                let sql =
                    format!("SELECT coalesce(sum(n), 0) AS n FROM roll_tx WHERE level = {level}");
                assert_eq!(number(&store, &sql), tx, "{what}: counts agree");
            }
        }
        use_it(&path, &texts, &what);
    }
}

/// A number that stands nowhere else in a file: the duration of a transaction.
const RARE: i64 = 0x0123_4567_89ab;

/// A database with one transaction of a rare duration among others, and its bytes.
fn with_a_rare_number(dir: &Path) -> Vec<u8> {
    let store = open(dir);
    let mut sent = pairs("shop", 0, 100);
    for event in &mut sent.events {
        if let Event::Transaction(event) = event
            && event.spans_started == 1
        {
            event.duration = RARE;
            event.spans_started = 2;
            break;
        }
    }
    store.submit(sent).expect("room").wait().expect("stored");
    drop(store);
    fs::read(dir.join("apm.db")).expect("a file")
}

/// The places of the number in the file: in its row, and in an index.
fn places(file: &[u8]) -> Vec<usize> {
    let bytes = &RARE.to_be_bytes()[2..];
    let places = file.windows(bytes.len()).enumerate();
    let places = places.filter(|(_, found)| *found == bytes);
    places.map(|(place, _)| place).collect()
}

#[test]
fn a_flipped_bit_in_a_column_is_never_shown_with_its_event() {
    let dir = tempfile::tempdir().expect("a directory");
    let sound = with_a_rare_number(dir.path());
    let all = |store: &Store| store.read(|conn| events(conn, &(0..200).collect::<Vec<_>>()));
    let stored = all(&open(dir.path())).expect("sound");
    assert_eq!(stored.len(), 200);
    let mut noticed = 0;
    for place in places(&sound) {
        for bit in [0, 5] {
            let mut damaged = sound.clone();
            damaged[place + 3] ^= 1 << bit;
            fs::write(dir.path().join("apm.db"), &damaged).expect("written");
            let Ok(store) = Store::open(StoreOptions::new(dir.path().join("apm.db"))) else {
                noticed += 1;
                continue;
            };
            match all(&store) {
                Ok(events) => assert_eq!(events, stored, "bit {bit} at {place}"),
                Err(StoreError::BadBlock(reason)) => {
                    assert!(reason.contains("row of event"), "{reason}");
                    noticed += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(noticed >= 2, "{noticed}");
}

#[test]
fn damage_is_told_before_somebody_looks() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut file = with_a_rare_number(dir.path());
    let options = StoreOptions {
        scrub_pause: Duration::from_millis(5),
        ..StoreOptions::new(dir.path().join("apm.db"))
    };
    // Sound blocks are no damage.
    let store = Store::open(options.clone()).expect("opens");
    for first in (1_000..5_000).step_by(400) {
        let sent = pairs("shop", first, 400);
        store.submit(sent).expect("room").wait().expect("stored");
    }
    assert_eq!(store.stats().damaged_blocks, 0);
    drop(store);
    // The row stands in the table before it stands in the index, or after: both are damaged.
    file = fs::read(dir.path().join("apm.db")).unwrap_or(file);
    let found = places(&file);
    assert!(!found.is_empty());
    for place in found {
        file[place + 3] ^= 1;
    }
    fs::write(dir.path().join("apm.db"), &file).expect("written");
    let store = Store::open(options).expect("opens");
    wait_until("the damage is found", || store.stats().damaged_blocks > 0);
    assert_eq!(store.stats().damaged_blocks, 1);
}
