//! Whether a proposed index helps, measured on a copy of the service's file by a thread of its own, and remembered.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sql_advisor::{Options, Proof, prove};

use crate::insight::finding::count_words;

/// The time for which a measurement is remembered.
const FRESH: Duration = Duration::from_secs(3_600);

/// Measurements that are remembered.
const MOST: usize = 500;

/// Larger files are not copied by a server: `pocket-apm advise` does it when it is asked to.
const LARGEST: u64 = 256 << 20;

/// The longest time that one measurement may take.
const TIME: Duration = Duration::from_secs(20);

/// The longest time that the server waits for a measurement when it stops.
const PATIENCE: Duration = Duration::from_secs(2);

/// A statement of a service, and an index.
type Key = (String, String, String);

/// When it was measured, and a sentence.
type Known = HashMap<Key, (Instant, String)>;

/// Measurements, at most one at a time.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    known: Arc<Mutex<Known>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proofs {
    /// A sentence on what an index did for a statement on a copy; that it is not verified, where nobody measured it
    /// yet.
    pub(super) fn sentence(
        &mut self,
        service: &str,
        file: &Path,
        sql: &str,
        index: &str,
    ) -> String {
        let key = (service.to_owned(), sql.to_owned(), index.to_owned());
        if let Some((_, words)) = lock(&self.known)
            .get(&key)
            .filter(|(at, _)| at.elapsed() < FRESH)
        {
            return words.clone();
        }
        // A file that cannot be looked at is not copied.
        let size = std::fs::metadata(file).map_or(u64::MAX, |meta| meta.len());
        if size > LARGEST {
            return format!(
                "Not verified: {} is too large to be copied unasked; pocket-apm advise --service {service} does it.",
                file.display()
            );
        }
        self.start(key, file);
        "Not verified yet.".to_owned()
    }

    /// Measures, unless something else is being measured: the rules ask again.
    fn start(&mut self, key: Key, file: &Path) {
        if let Some(thread) = self.thread.take_if(|thread| thread.is_finished())
            && thread.join().is_err()
        {
            log::error!("the thread that tries indexes on copies panicked");
        }
        if self.thread.is_some() {
            return;
        }
        let (known, stop, file) = (
            Arc::clone(&self.known),
            Arc::clone(&self.stop),
            file.to_owned(),
        );
        let started = std::thread::Builder::new()
            .name("apm-proof".to_owned())
            .spawn(move || {
                let options = Options {
                    time: TIME,
                    statement_time: TIME / 4,
                    runs: 3,
                    stop,
                    ..Options::default()
                };
                let words = words(prove(&file, &key.1, &key.2, &options));
                let mut known = lock(&known);
                if known.len() >= MOST {
                    known.retain(|_, (at, _)| at.elapsed() < FRESH);
                }
                if known.len() < MOST {
                    known.insert(key, (Instant::now(), words));
                }
            });
        match started {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => log::debug!("no thread to try an index: {error}"),
        }
    }
}

impl Drop for Proofs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else {
            return;
        };
        // It stops within some steps of SQLite's. One of them may be a function that takes long: the server does not
        // wait for that, and the thread ends with the process.
        let until = Instant::now() + PATIENCE;
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn words(proof: Result<Proof, sql_advisor::AdviseError>) -> String {
    match proof {
        Ok(Proof { before, after }) => {
            let (old, new) = (count_words(before.steps), count_words(after.steps));
            match after.steps < before.steps {
                true => format!("Verified on a copy: {old} steps of SQLite become {new}."),
                false => format!(
                    "Tried on a copy, where it does not help: {old} steps of SQLite become {new}."
                ),
            }
        }
        Err(error) => format!("Not verified: {error}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_not_verified_until_it_was_measured_and_then_it_says_by_how_much_it_helps() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("people.db");
        let conn = rusqlite::Connection::open(&file).unwrap();
        conn.execute_batch(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, city TEXT); \
             INSERT INTO people (name, city) WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s \
             WHERE n < 1000) \
             SELECT 'n' || n, 'c' || (n % 9) FROM s",
        )
        .unwrap();
        let mut proofs = Proofs::default();
        let mut until = |index: &str| {
            let start = Instant::now();
            loop {
                let words =
                    proofs.sentence("shop", &file, "SELECT id FROM people WHERE name = ?", index);
                if words != "Not verified yet." {
                    return words;
                }
                assert!(start.elapsed() < TIME, "{index}");
                std::thread::yield_now();
            }
        };
        let good = until("CREATE INDEX people_name ON people (name)");
        assert!(
            good.starts_with("Verified on a copy: ") && good.contains(" steps of SQLite become "),
            "{good}"
        );
        let bad = until("CREATE INDEX people_city ON people (city)");
        assert!(
            bad.starts_with("Tried on a copy, where it does not help: "),
            "{bad}"
        );
        let wrong = until("CREATE INDEX people_x ON people (x)");
        assert!(wrong.starts_with("Not verified: "), "{wrong}");
    }

    #[test]
    fn a_measurement_that_does_not_end_is_not_waited_for() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let mut proofs = Proofs::default();
        let thread = std::thread::spawn(move || {
            let _ = ended.recv();
        });
        proofs.thread.replace(thread);
        drop(proofs);
        // Until here it goes on.
        drop(end);
    }
}
