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

/// When it was measured, and the result.
type Known = HashMap<Key, (Instant, Verdict)>;

/// The result of a measurement.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// A sentence on what the index did.
    pub(super) words: String,
    /// The share of the steps that the index saved, 0 to 1; none where nothing was measured.
    pub(super) saved: Option<f64>,
}

impl Verdict {
    /// Nothing was measured, and why.
    fn unknown(words: String) -> Self {
        Self { words, saved: None }
    }
}

/// Measurements, at most one at a time.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    known: Arc<Mutex<Known>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proofs {
    /// The effect of an index on a statement on a copy; that it is not verified, where nobody measured it yet.
    pub(super) fn verdict(
        &mut self,
        service: &str,
        file: &Path,
        sql: &str,
        index: &str,
    ) -> Verdict {
        let key = (service.to_owned(), sql.to_owned(), index.to_owned());
        if let Some((_, verdict)) = lock(&self.known)
            .get(&key)
            .filter(|(at, _)| at.elapsed() < FRESH)
        {
            return verdict.clone();
        }
        // A file that cannot be looked at is not copied.
        let size = std::fs::metadata(file).map_or(u64::MAX, |meta| meta.len());
        if size > LARGEST {
            return Verdict::unknown(format!(
                "Not verified: {} is too large to be copied unasked; pocket-apm advise --service {service} does it.",
                file.display()
            ));
        }
        self.start(key, file);
        Verdict::unknown("Not verified yet.".to_owned())
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
                let verdict = judged(prove(&file, &key.1, &key.2, &options));
                let mut known = lock(&known);
                if known.len() >= MOST {
                    known.retain(|_, (at, _)| at.elapsed() < FRESH);
                }
                if known.len() < MOST {
                    known.insert(key, (Instant::now(), verdict));
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

fn judged(proof: Result<Proof, sql_advisor::AdviseError>) -> Verdict {
    let proof = match proof {
        Ok(proof) => proof,
        Err(error) => return Verdict::unknown(format!("Not verified: {error}.")),
    };
    let (old, new) = (proof.before.steps, proof.after.steps);
    let helps = new < old;
    // Steps depend on the rows. The copy may have others than the table had when the statement was recorded.
    let copy = match &proof.size {
        Some(size) => format!(
            "a copy with {} rows of {}",
            count_words(size.rows as f64),
            size.table
        ),
        None => "a copy".to_owned(),
    };
    let steps = format!(
        "{} steps of SQLite become {}",
        count_words(old),
        count_words(new)
    );
    // Steps on an empty table say nothing of a full one.
    let is_empty = proof.size.is_some_and(|size| size.rows == 0);
    let saved = if helps { (old - new) / old } else { 0.0 };
    Verdict {
        words: match helps {
            true => format!("Verified on {copy}: {steps}."),
            false => format!("Tried on {copy}, where it does not help: {steps}."),
        },
        saved: (!is_empty).then_some(saved),
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
                let verdict =
                    proofs.verdict("shop", &file, "SELECT id FROM people WHERE name = ?", index);
                if verdict.words != "Not verified yet." {
                    return verdict;
                }
                assert!(start.elapsed() < TIME, "{index}");
                std::thread::yield_now();
            }
        };
        let good = until("CREATE INDEX people_name ON people (name)");
        let begin = "Verified on a copy with 1,000 rows of people: ";
        assert!(
            good.words.starts_with(begin) && good.words.contains(" steps of SQLite become "),
            "{good:?}"
        );
        assert!(
            good.saved.is_some_and(|saved| saved > 0.9 && saved < 1.0),
            "{good:?}"
        );
        let bad = until("CREATE INDEX people_city ON people (city)");
        let begin = "Tried on a copy with 1,000 rows of people, where it does not help: ";
        assert!(bad.words.starts_with(begin), "{bad:?}");
        assert_eq!(bad.saved, Some(0.0));
        let wrong = until("CREATE INDEX people_x ON people (x)");
        assert!(wrong.words.starts_with("Not verified: "), "{wrong:?}");
        assert_eq!(wrong.saved, None);
    }

    #[test]
    fn a_verdict_names_the_rows_of_the_copy_and_the_share_of_the_steps_that_an_index_saves() {
        let of = |rows: Option<u64>, before: f64, after: f64| {
            let cost = |steps| sql_advisor::Cost {
                steps,
                ..sql_advisor::Cost::default()
            };
            judged(Ok(Proof {
                before: cost(before),
                after: cost(after),
                size: rows.map(|rows| sql_advisor::Size {
                    table: "people".to_owned(),
                    rows,
                }),
            }))
        };
        let some = of(Some(412), 5_186.0, 3_084.0);
        assert_eq!(
            some.words,
            "Verified on a copy with 412 rows of people: 5,186 steps of SQLite become 3,084."
        );
        assert!((some.saved.unwrap() - 0.405).abs() < 0.001, "{some:?}");
        assert_eq!(of(Some(0), 20.0, 10.0).saved, None, "an empty table");
        let unknown = of(None, 100.0, 200.0);
        assert_eq!(unknown.saved, Some(0.0));
        assert!(
            unknown.words.starts_with("Tried on a copy, where"),
            "{unknown:?}"
        );
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
