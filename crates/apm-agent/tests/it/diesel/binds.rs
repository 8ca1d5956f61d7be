//! Queries whose values cannot be bound: Diesel does not tell of their end.

use std::time::{Duration, Instant};

use apm_agent::diesel::QueryResultExt as _;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use serde_json::Value;

use super::{SqlitePool, names, people, pool};
use crate::support::Checked;

/// One value, and no place for it.
fn cannot_be_bound(connection: &mut SqliteConnection) -> QueryResult<usize> {
    diesel::sql_query("DELETE FROM people")
        .bind::<Integer, _>(7)
        .execute(connection)
}

/// Time that passes behind the failure.
const LATER: Duration = Duration::from_millis(50);

fn wait() {
    let start = Instant::now();
    while start.elapsed() < LATER {
        std::hint::spin_loop();
    }
}

fn assert_failed_at_once(span: &Value) {
    assert_eq!(span["name"], "DELETE FROM people");
    assert_eq!(span["outcome"], "failure");
    let duration = span["duration"].as_f64().unwrap();
    assert!(duration < 25.0, "{duration} ms");
}

#[test]
fn a_query_whose_values_cannot_be_bound_fails_with_the_work_that_ran_it() {
    let recorder = Checked::uncompressed();
    let pool = pool(&recorder);
    recorder.run(|agent| {
        let transaction = agent.transaction("job", "task");
        transaction.run(|| {
            cannot_be_bound(&mut pool.get().unwrap()).unwrap_err();
            wait();
        });
        wait();
    });
    let recorded = recorder.take();
    assert_eq!(names(&recorded), ["DELETE FROM people"]);
    assert_failed_at_once(&recorded.spans[0]);
    assert_eq!(recorded.transactions[0]["span_count"]["started"], 1);
}

#[test]
fn a_guard_closes_such_a_query_and_so_does_the_next_one_of_its_connection() {
    let recorder = Checked::uncompressed();
    let pool = pool(&recorder);
    recorder.run(|agent| {
        let transaction = agent.transaction("job", "task");
        let entered = transaction.enter();
        let connection = &mut pool.get().unwrap();
        cannot_be_bound(connection).unwrap_err();
        wait();
        diesel::sql_query("SELECT 7").execute(connection).unwrap();
        cannot_be_bound(connection).unwrap_err();
        drop(entered);
        wait();
    });
    let recorded = recorder.take();
    let all = ["DELETE FROM people", "SELECT", "DELETE FROM people"];
    assert_eq!(names(&recorded), all);
    assert_failed_at_once(&recorded.spans[0]);
    assert_eq!(recorded.spans[1]["outcome"], "success");
    assert_failed_at_once(&recorded.spans[2]);
}

#[test]
fn the_caller_marks_that_query_and_not_the_one_before() {
    let recorder = Checked::uncompressed();
    let pool = pool(&recorder);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            let connection = &mut pool.get().unwrap();
            diesel::sql_query("SELECT 7").execute(connection).unwrap();
            cannot_be_bound(connection).mark_failure().unwrap_err();
            drop(apm_agent::span("after", "app"));
        });
    });
    let recorded = recorder.take();
    assert_eq!(names(&recorded), ["SELECT", "DELETE FROM people", "after"]);
    assert_eq!(recorded.spans[0]["outcome"], "success");
    assert_failed_at_once(&recorded.spans[1]);
}

#[actix_web::test]
async fn in_a_request_it_fails_with_its_block_and_with_its_panic() {
    async fn in_the_pool(pool: &SqlitePool, panics: bool) {
        let pool = pool.clone();
        let done = apm_agent::actix::block(move || {
            let failed = cannot_be_bound(&mut pool.get().unwrap());
            if panics {
                failed.unwrap();
            }
        });
        assert_eq!(done.await.is_err(), panics);
    }
    let recorder = Checked::uncompressed();
    let pool = pool(&recorder);
    for panics in [false, true] {
        let job = recorder.agent().transaction("job", "task");
        job.wrap(async {
            in_the_pool(&pool, panics).await;
            wait();
        })
        .await;
        let recorded = recorder.take();
        assert_eq!(names(&recorded), ["DELETE FROM people"]);
        assert_failed_at_once(&recorded.spans[0]);
    }
}

/// Rows are read one by one, with other work between them: the query goes on.
#[test]
fn a_query_whose_rows_are_still_read_is_not_taken_for_a_failed_one() {
    let recorder = Checked::uncompressed();
    let pool = super::wide_pool(&recorder, 2);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            let (mut reader, mut writer) = (pool.get().unwrap(), pool.get().unwrap());
            let add = diesel::insert_into(people::table)
                .values(vec![people::name.eq("a"), people::name.eq("b")]);
            add.execute(&mut reader).unwrap();
            let rows = people::table
                .select(people::id)
                .load_iter::<i32, diesel::connection::DefaultLoadingMode>(&mut reader);
            for row in rows.unwrap() {
                let other = apm_agent::Context::current();
                other.run(|| cannot_be_bound(&mut writer).mark_failure().unwrap_err());
                wait();
                row.unwrap();
            }
        });
    });
    let recorded = recorder.take();
    let of = |name: &'static str| recorded.spans.iter().filter(move |it| it["name"] == name);
    of("DELETE FROM people").for_each(assert_failed_at_once);
    assert_eq!(of("DELETE FROM people").count(), 2);
    let read = of("SELECT FROM people").next().unwrap();
    assert_eq!(read["outcome"], "success");
    assert!(read["duration"].as_f64().unwrap() >= 100.0, "{read}");
}
