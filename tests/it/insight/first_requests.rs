//! The article's loop on a machine that is busy: growth is told from its first hundred requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::article::LOOP;
use super::{Client, number, start_agent, start_server, text};
use crate::support::start_service;

/// Threads that take the processor away, until they are dropped.
struct Busy {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Busy {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let work = |stop: Arc<AtomicBool>| {
            while !stop.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        };
        let threads = (0..4).map(|_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || work(stop))
        });
        let threads = threads.collect();
        Self { stop, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[actix_web::test]
async fn growth_shows_within_the_first_hundred_requests_on_a_busy_machine() {
    let dir = tempfile::tempdir().unwrap();
    let server = start_server(dir.path(), "my-app-01");
    let agent = start_agent("my-app-01", &server);
    let service = start_service(&dir.path().join("people.db"), &agent, &[]);
    let client = Client::new();
    let busy = Busy::start();
    for path in LOOP.iter().cycle().take(100) {
        client.get(&format!("http://{}{path}", service.addr)).await;
    }
    drop(busy);
    // No request comes any more: what is said is said of these.
    let about = ("growth", "GET /sql-group");
    let growth = client.until(&server, about, |_| true, async || {}).await;
    assert!(
        text(&growth["cause"]).contains("rows: it grows with the rows."),
        "{growth:#}"
    );
    let figures = &growth["figures"];
    assert!(number(&figures["rows"]) <= 250.0, "{growth:#}");
    assert!(number(&figures["steps"]) > 1_000.0, "{growth:#}");
    assert!(
        figures.get("forecast").is_none(),
        "of a few seconds nothing follows for days: {growth:#}"
    );
    // The other route that reads the whole table may be told of too, and nothing else.
    let found = client.findings(&server).await;
    for finding in found.iter().filter(|finding| finding["kind"] == "growth") {
        let title = text(&finding["title"]);
        assert!(
            ["GET /sql-group ", "GET /sql-read "]
                .iter()
                .any(|route| title.starts_with(route)),
            "{found:#?}"
        );
    }

    assert!(agent.shutdown(super::SOON));
    service.stop().await;
    server.stop(true).await;
}
