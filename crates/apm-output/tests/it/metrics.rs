//! Series of metrics of several servers before one engine.

use apm_store::{Store, StoreError};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Double};

use crate::support::engine::{Engine, OPENSEARCH};
use crate::support::rollups::rollups;
use crate::support::servers::{Server, deltas, follow};
use crate::support::{feed_body, now, wait};

const MINUTE: i64 = 60_000_000;

/// A report of a process: what it has done since it began, a distribution of it, and a gauge.
fn report(process: u32, at: i64, done: f64) -> String {
    let head = format!(
        r#"{{"metadata":{{"process":{{"pid":{process}}},
        "service":{{"name":"shop","agent":{{"name":"java","version":"1"}}}}}}}}"#
    );
    let metrics = format!(
        r#"{{"metricset":{{"timestamp":{at},"tags":{{"queue":"mail"}},"samples":{{
        "done":{{"type":"counter","value":{done}}},"size":{{"type":"histogram","temporality":"cumulative",
        "values":[0.25,16],"counts":[{},3]}},"depth":{{"value":7}}}}}}}}"#,
        done.floor()
    );
    [head, metrics]
        .map(|line| line.replace('\n', ""))
        .join("\n")
}

#[derive(QueryableByName, Debug, Default, PartialEq)]
struct Sums {
    #[diesel(sql_type = BigInt)]
    samples: i64,
    #[diesel(sql_type = Double)]
    count: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
}

/// The sums of a metric on one level.
fn sums(store: &Store, metric: &str, level: i32) -> Sums {
    let found = store.read::<_, StoreError>(|conn| {
        let sums = "SELECT coalesce(sum(r.n), 0) AS samples, coalesce(sum(r.count), 0.0) AS count, \
            coalesce(sum(r.sum), 0.0) AS sum FROM roll_metric r JOIN metric_series m ON m.id = r.series_id \
            JOIN metric_name n ON n.id = m.name_id WHERE n.name = ? AND r.level = ?";
        let query = sql_query(sums).bind::<diesel::sql_types::Text, _>(metric);
        Ok(query
            .bind::<diesel::sql_types::Integer, _>(level)
            .get_result(conn)?)
    });
    found.expect("readable")
}

fn is_near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-6
}

#[test]
fn counters_whose_reports_go_to_several_servers_in_turn_count_each_increase_once() {
    let engine = Engine::start(OPENSEARCH);
    let servers = [Server::new(), Server::new()];
    let _outputs = [
        servers[0].output(&engine, "a"),
        servers[1].output(&engine, "b"),
    ];
    let first = now() - 50 * MINUTE;
    // The value from which on is counted is known to both.
    for process in [1, 2] {
        feed_body(&servers[0].store, &report(process, first, 1000.0));
    }
    wait("the other server has the first reports", || {
        sums(&servers[1].store, "depth", 60).samples == 2
    });
    // Fractions whose last digit matters: one that is read as less would begin anew.
    let value = |n: i64| 1000.0 + n as f64 * 1.1;
    for n in 1..=40 {
        for process in [1, 2] {
            let body = report(process, first + n * MINUTE, value(n));
            let at = usize::try_from(n + i64::from(process)).expect("small") % 2;
            feed_body(&servers[at].store, &body);
        }
    }
    // The same value again: nothing came.
    for process in [1, 2] {
        let body = report(process, first + 41 * MINUTE, value(40));
        feed_body(&servers[process as usize % 2].store, &body);
    }
    for server in &servers {
        wait("all reports are there", || {
            sums(&server.store, "depth", 60).samples == 2 * 42
        });
        for level in [60, 600, 3600] {
            let done = sums(&server.store, "done", level);
            assert!(is_near(done.sum, 2.0 * 44.0), "{done:?}");
            let size = sums(&server.store, "size", level);
            assert!(is_near(size.count, 2.0 * 44.0), "{size:?}");
            assert!(is_near(size.sum, 2.0 * 44.0 * 0.25), "{size:?}");
            assert!(is_near(
                sums(&server.store, "depth", level).sum,
                2.0 * 42.0 * 7.0
            ));
        }
    }
    // A process that begins anew counts from nothing, wherever it reports.
    for (n, server, done) in [(42, 0, 5.0), (43, 1, 9.0)] {
        feed_body(&servers[server].store, &report(1, first + n * MINUTE, done));
        for server in &servers {
            wait("both have it", || {
                is_near(sums(&server.store, "done", 60).sum, 88.0 + done)
            });
        }
    }
}

#[test]
fn a_server_that_starts_again_or_joins_later_has_the_same_series() {
    let engine = Engine::start(OPENSEARCH);
    let (a, mut b) = (Server::new(), Server::new());
    // Whole minutes, so that no increase is spread over two of them and sums are the same to the last digit.
    let first = (now() / MINUTE - 20) * MINUTE;
    let first_output = a.output(&engine, "a");
    for n in 0..10 {
        feed_body(&a.store, &report(1, first + n * MINUTE, n as f64 * 3.5));
    }
    for round in 0..3 {
        let output = b.output(&engine, "b");
        wait("a part is there", || {
            sums(&b.store, "depth", 60).samples >= round
        });
        drop(output);
        b = b.again();
    }
    let _output = b.output(&engine, "b");
    let wanted = rollups(&a.store);
    wait("all is there", || rollups(&b.store) == wanted);
    assert!(is_near(sums(&b.store, "done", 60).sum, 9.0 * 3.5));
    // The first server is away: its process goes on at the other one.
    first_output.stop();
    feed_body(&b.store, &report(1, first + 10 * MINUTE, 40.0));
    assert!(is_near(sums(&b.store, "done", 60).sum, 40.0));
}

#[test]
fn a_reading_that_comes_late_or_twice_adds_nothing() {
    let (from, to) = (Server::new(), Server::new());
    let first = now() - 10 * MINUTE;
    feed_body(&from.store, &report(1, first, 10.0));
    feed_body(&from.store, &report(1, first + MINUTE, 12.0));
    let found = deltas(&from.store);
    follow(&to.store, None, 1, &found);
    feed_body(&to.store, &report(1, first + 3 * MINUTE, 20.0));
    assert!(is_near(sums(&to.store, "done", 60).sum, 10.0));
    // The report between comes late: what it grew by was counted with the next one.
    feed_body(&from.store, &report(1, first + 2 * MINUTE, 15.0));
    let late: Vec<_> = deltas(&from.store).split_off(found.len());
    assert!(!late.is_empty());
    follow(&to.store, Some(1), 2, &late);
    follow(&to.store, Some(2), 3, &late);
    assert!(is_near(sums(&to.store, "done", 60).sum, 10.0));
    assert_eq!(sums(&to.store, "depth", 60).samples, 3 + 2);
}

#[test]
fn metrics_that_another_program_wrote_break_nothing() {
    let to = Server::new();
    let minute = now() / MINUTE * 60;
    let micros = minute * 1_000_000;
    let labels = "x".repeat(5000);
    let odd = format!(
        r#"{{"format":1,"services":[{{"name":""}},{{"name":"a"}}],"series":[
        {{"service":1,"name":"m","kind":0,"labels":"{{}}"}},{{"service":1,"name":"c","kind":1,"labels":"{{}}"}},
        {{"service":0,"name":"m","kind":0,"labels":"{{}}"}},{{"service":1,"name":"m","kind":9,"labels":"{{}}"}},
        {{"service":1,"name":"m","kind":0,"labels":"[1]"}},
        {{"service":1,"name":"m","kind":0,"labels":"{{\"a\":\"{labels}\"}}"}},
        {{"service":9,"name":"m","kind":0,"labels":"{{}}"}}],
        "metric":[[0,{minute},1,1,5,5,5],[2,{minute},1,1,5,5,5],[3,{minute},1,1,5,5,5],[4,{minute},1,1,5,5,5],
        [5,{minute},1,1,5,5,5],[6,{minute},1,1,5,5,5],[7,{minute},1,1,5,5,5],[0,{minute},-1,1,5,5,5],
        [0,{minute},1,-1,5,5,5],[0,{minute},1,1,1e300,5,5],[0,7,1,1,5,5,5]],
        "metric_bins":[[0,{minute},-99999,1],[0,{minute},2147483647,1],[0,{minute},-2147483648,1],[0,{minute},3,-1]],
        "readings":[[1,5,0,{micros},"0e0","1e1",[]],[1,5,0,{micros},"0e0","inf",[]],[1,5,0,{micros},"NaN","1",[]],
        [1,5,{micros},{minute},"0","1",[]],[1,5,-1,{micros},"0","1",[]],[1,5,0,-5,"0","1",[]],
        [1,5,0,{micros},"0","1",[[3,1],[3,1]]],[1,5,0,{micros},"0","1",[[99999,1]]],[9,5,0,{micros},"0","1",[]]]}}"#
    );
    let followed = follow(&to.store, None, 1, &[(1, odd.into_bytes())]);
    assert_eq!((followed.is_taken, followed.dropped), (true, 10 + 4 + 8));
    let rows = rollups(&to.store);
    assert!(rows.iter().all(|row| row.contains("|a|m|")), "{rows:?}");
    assert_eq!(rows.len(), 3, "one on each level: {rows:?}");
}
