//! Damaged pages and logs: an error or what was stored, never a panic, never another text.
//!
//! `POCKET_APM_DAMAGE_ROUNDS` sets how many of each (default 12).

use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::Path;

use apm_store::event::StoredEvent;
use apm_store::{Store, StoreError, StoreOptions, events, trace};
use fastrand::Rng;

use super::{number, open};
use crate::support::events::pairs;

const PAGE: usize = 4096;

/// Events that are stored before the damage.
const STORED: u64 = 1500;

fn rounds() -> u64 {
    env::var("POCKET_APM_DAMAGE_ROUNDS").map_or(12, |rounds| rounds.parse().expect("a number"))
}

/// A sound database, its log as it is while the store is open, and all texts in it.
fn sound(dir: &Path) -> (Vec<u8>, Vec<u8>, HashSet<String>) {
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
    let (sound, _, texts) = sound(dir.path());
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
    let (_, sound, texts) = sound(dir.path());
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
