//! The database in trouble: the service says so, and nothing is half-written.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::support::{Answer, agent, get, request, sink::Sink, start_service};

struct Demo {
    url: String,
    conn: SqliteConnection,
    path: std::path::PathBuf,
    dir: tempfile::TempDir,
}

impl Demo {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.db");
        let service = start_service(&path, &agent(&Sink::start().url), &[]);
        let conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        Self {
            url: format!("http://{}", service.addr),
            conn,
            path,
            dir,
        }
    }

    async fn write(&self) -> Answer {
        get(&format!("{}/sql-write", self.url)).await
    }

    fn rows(&mut self) -> i64 {
        pocket_apm::schema::people::table
            .count()
            .get_result(&mut self.conn)
            .unwrap()
    }
}

fn error(answer: &Answer) -> String {
    assert_eq!(answer.status, 503, "{}", answer.body);
    answer.json()["error"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_lock_held_past_the_busy_timeout_is_a_503_and_writing_goes_on_afterwards() {
    let mut demo = Demo::start().await;
    demo.conn.batch_execute("BEGIN IMMEDIATE").unwrap();

    let refused = demo.write().await;
    let read_meanwhile = get(&format!("{}/sql-group", demo.url)).await;
    demo.conn.batch_execute("COMMIT").unwrap();
    let written = demo.write().await;

    assert!(error(&refused).contains("locked"));
    assert_eq!((read_meanwhile.status, written.status), (200, 200));
    assert_eq!(demo.rows(), 5);
}

#[actix_web::test]
async fn a_full_disk_is_a_503_and_leaves_nothing_half_written() {
    let mut demo = Demo::start().await;
    // A row that does not fit any more, after four that do: the transaction fails in its middle.
    demo.conn
        .batch_execute(
            "CREATE TRIGGER full BEFORE INSERT ON people WHEN (SELECT count(*) FROM people) = 9
             BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
        )
        .unwrap();

    let (written, refused) = (demo.write().await, demo.write().await);

    assert_eq!(written.status, 200);
    assert!(error(&refused).contains("nothing was written"));
    assert_eq!(demo.rows(), 5);
}

#[actix_web::test]
async fn a_deleted_file_is_a_503_instead_of_a_write_that_is_lost() {
    let demo = Demo::start().await;
    assert_eq!(demo.write().await.status, 200);
    std::fs::remove_file(&demo.path).unwrap();

    let refused = demo.write().await;

    assert!(error(&refused).contains("is gone"), "{}", refused.body);
    assert!(!demo.path.exists() && demo.dir.path().exists());
}

#[actix_web::test]
async fn a_deleted_log_is_a_503_instead_of_a_write_that_is_lost() {
    let mut demo = Demo::start().await;
    assert_eq!(demo.write().await.status, 200);
    let log = demo.path.with_file_name("people.db-wal");
    let away = demo.path.with_file_name("away");
    std::fs::rename(&log, &away).unwrap();

    let refused = demo.write().await;

    assert!(
        error(&refused).contains("people.db-wal is gone"),
        "{}",
        refused.body
    );
    std::fs::rename(&away, &log).unwrap();
    assert_eq!(demo.write().await.status, 200);
    assert_eq!(demo.rows(), 10);
}

#[actix_web::test]
async fn the_files_are_for_their_owner_only_also_those_that_were_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("people.db");
    let mode = |name: &str| {
        let file = std::fs::metadata(dir.path().join(name)).unwrap();
        file.permissions().mode() & 0o777
    };
    for round in 0..2 {
        let service = start_service(&path, &agent(&Sink::start().url), &[]);
        let answer = get(&format!("http://{}/sql-write", service.addr)).await;
        assert_eq!(answer.status, 200);
        for name in ["people.db", "people.db-wal", "people.db-shm"] {
            assert_eq!(mode(name), 0o600, "{name} in round {round}");
            let open_to_all = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(dir.path().join(name), open_to_all).unwrap();
        }
    }
}

#[actix_web::test]
async fn concurrent_writers_all_succeed() {
    let mut demo = Demo::start().await;

    let writes = futures_util::future::join_all((0..40).map(|_| demo.write())).await;

    assert!(writes.iter().all(|answer| answer.status == 200));
    assert_eq!(demo.rows(), 200);
}

#[actix_web::test]
async fn an_existing_database_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (path, sink) = (dir.path().join("people.db"), Sink::start());
    let first = start_service(&path, &agent(&sink.url), &[]);
    get(&format!("http://{}/sql-write", first.addr)).await;

    let second = start_service(&path, &agent(&sink.url), &[]);
    let json = [("Accept", "application/json")];
    let rows = request("GET", &format!("http://{}/sql-read", second.addr), &json)
        .await
        .json();

    assert_eq!(rows.as_array().unwrap().len(), 5);
}

#[actix_web::test]
async fn those_who_read_do_not_wait_for_forty_writers() {
    let mut demo = Demo::start().await;
    assert_eq!(demo.write().await.status, 200);
    demo.conn.batch_execute("BEGIN IMMEDIATE").unwrap();
    let writers: Vec<_> = (0..40)
        .map(|_| {
            let url = format!("{}/sql-write", demo.url);
            actix_web::rt::spawn(async move { get(&url).await })
        })
        .collect();
    // The last of them has been sent when this one is answered.
    get(&format!("{}/", demo.url)).await;

    let started = Instant::now();
    for path in ["/sql-read", "/sql-group", "/sql-read"] {
        assert_eq!(get(&format!("{}{path}", demo.url)).await.status, 200);
    }
    let took = started.elapsed();
    demo.conn.batch_execute("COMMIT").unwrap();

    assert!(took < Duration::from_secs(2), "reading took {took:?}");
    for writer in writers {
        let answer = writer.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(demo.rows(), 205);
}

#[actix_web::test]
async fn writers_who_get_no_turn_are_a_503_that_says_so() {
    let mut demo = Demo::start().await;
    demo.conn.batch_execute("BEGIN IMMEDIATE").unwrap();

    let answers = futures_util::future::join_all((0..8).map(|_| demo.write())).await;
    demo.conn.batch_execute("COMMIT").unwrap();

    for answer in &answers {
        assert!(error(answer).contains("try again"), "{}", answer.body);
    }
    assert!(
        answers
            .iter()
            .any(|answer| error(answer).contains("other writes"))
    );
    assert_eq!(demo.write().await.status, 200);
    assert_eq!(demo.rows(), 5);
}
