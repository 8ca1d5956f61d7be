//! A gate that does not flake: the same requests pass however busy the machine is, and a regression fails each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Recorded, text};

/// Threads that keep the processors busy until they are dropped: twice as many as there are processors.
struct Busy(Arc<AtomicBool>, Vec<thread::JoinHandle<()>>);

impl Busy {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let count = 2 * thread::available_parallelism().map_or(2, usize::from);
        let threads = (0..count).map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        });
        let threads = threads.collect();
        Self(stop, threads)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        for thread in self.1.drain(..) {
            let _ = thread.join();
        }
    }
}

/// `POCKET_APM_NOISE_ROUNDS` services one after another, each with other random people, beside busy processors. Every
/// tenth has lost its index.
#[actix_web::test]
#[ignore = "minutes: .ci/torture runs it"]
async fn a_baseline_passes_each_run_under_load_and_fails_each_regression() {
    let rounds = std::env::var("POCKET_APM_NOISE_ROUNDS");
    let rounds: u32 = rounds.map_or(100, |rounds| rounds.parse().unwrap());
    let mut good = Recorded::new("index", 40, 20).await;
    good.stop();
    let path = good.dir.path().join("sql-baseline.json");
    let baseline = path.to_str().unwrap();
    let written = good.run(&["check", "--baseline", baseline, "--update"]);
    assert!(written.status.success(), "{}", text(&written));

    let busy = Busy::start();
    let (mut passed, mut failed) = (0, 0);
    for round in 1..=rounds {
        // Noise: other people, other numbers of requests.
        let mut run = Recorded::new("index", 40, 10 + round as usize % 20).await;
        run.stop();
        let output = run.run(&["check", "--baseline", baseline]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "round {round}: {}",
            text(&output)
        );
        passed += 1;
        if round % 10 == 0 {
            let mut worse = Recorded::new("scan", 40, 10).await;
            worse.stop();
            let output = worse.run(&["check", "--baseline", baseline]);
            assert_eq!(
                output.status.code(),
                Some(1),
                "round {round}: {}",
                text(&output)
            );
            failed += 1;
        }
    }
    drop(busy);
    eprintln!(
        "{passed} of {rounds} runs passed, {failed} of {} regressions failed",
        rounds / 10
    );
}
