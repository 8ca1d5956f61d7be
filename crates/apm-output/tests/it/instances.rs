//! Instances of services and versions in which errors occurred, on several servers before one engine.

use apm_store::share::{self, ErrorVersion};
use apm_store::{NameKind, NameLimits, Store, StoreOptions};

use crate::support::engine::{Engine, OPENSEARCH};
use crate::support::rollups::rollups;
use crate::support::servers::{Server, deltas, follow};
use crate::support::{feed_body, now, wait};

const MINUTE: i64 = 60_000_000;

/// A report of an instance: requests, and samples of its process and machine. All numbers are whole halves, so that
/// sums are the same in any order.
fn report(node: u64, version: u64, at: i64, n: u64) -> String {
    let mut body = format!(
        r#"{{"metadata":{{"service":{{"name":"shop","version":"1.{version}","node":{{"configured_name":"n{node}"}},
        "runtime":{{"name":"jvm","version":"21"}},"agent":{{"name":"java","version":"1"}}}},
        "system":{{"configured_hostname":"h{node}","kubernetes":{{"pod":{{"name":"p{node}"}}}}}}}}}}"#
    )
    .replace('\n', "");
    let outcome = ["success", "failure", "unknown"][(n % 3) as usize];
    let lines = [
        format!(
            r#"{{"transaction":{{"id":"{n:016x}","trace_id":"{n:032x}","name":"GET /","type":"request",
            "outcome":"{outcome}","duration":{},"timestamp":{at},"sample_rate":0.5,"span_count":{{"started":0}}}}}}"#,
            n % 50
        ),
        format!(
            r#"{{"metricset":{{"timestamp":{at},"samples":{{"system.process.cpu.total.norm.pct":{{"value":0.5}},
            "system.cpu.total.norm.pct":{{"value":0.75}},"system.process.memory.rss.bytes":{{"value":{}}},
            "system.memory.total":{{"value":1024}},"system.memory.actual.free":{{"value":{}}}}}}}}}"#,
            n % 1000,
            512 - (n % 2) * 256
        ),
    ];
    for line in lines {
        body.push('\n');
        body += &line.replace('\n', "");
    }
    body
}

/// Rows about instances and versions, by names.
fn rows(store: &Store) -> Vec<String> {
    let kinds = ["instance|", "instance_hist|", "error_version|"];
    let mut rows = rollups(store);
    rows.retain(|row| kinds.iter().any(|kind| row.starts_with(kind)));
    rows
}

/// Occurrences of the first group of errors in a version, as insights count them.
fn occurred(store: &Store, version: &str, at: i64, n: i64) {
    let row = ErrorVersion {
        group: 1,
        version: version.to_owned(),
        first: at,
        last: at + n,
        occurrences: n,
    };
    let ticket = store.write(move |conn| {
        share::add_error_versions(conn, std::slice::from_ref(&row))?;
        share::note_error_versions(conn, &[row])
    });
    ticket.expect("open").wait().expect("written");
}

const ERROR: &str = r#"{"metadata":{"service":{"name":"shop","agent":{"name":"java","version":"1"}}}}
{"error":{"id":"00000000000000c1","exception":{"type":"E","message":"m"}}}"#;

/// A generator of numbers that are the same in each run of a seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % below
    }
}

#[test]
fn sums_of_all_servers_are_those_of_their_parts_however_reports_and_deltas_come() {
    let at = now() / MINUTE * MINUTE - 30 * MINUTE;
    for seed in 1..=6 {
        let mut numbers = Numbers(seed);
        let (mut a, b, reference) = (Server::new(), Server::new(), Server::new());
        let mut place = None;
        for n in 0..60 {
            let (node, version) = (numbers.next(4), numbers.next(3));
            // Some are of an earlier hour.
            let when = at - numbers.next(90) as i64 * MINUTE;
            let body = report(node, version, when, n * 7 + numbers.next(7));
            feed_body(&reference.store, &body);
            match numbers.next(2) {
                0 => feed_body(&a.store, &body),
                _ => feed_body(&b.store, &body),
            };
            if numbers.next(8) == 0 {
                a = a.again();
            }
            // All deltas that there are, also those that were taken: each counts once.
            if numbers.next(5) == 0
                && let Some((last, _)) = deltas(&a.store).last().cloned()
            {
                let found = deltas(&a.store);
                let new = found
                    .iter()
                    .filter(|delta| place.is_none_or(|place| delta.0 > place));
                let new: Vec<_> = new.cloned().collect();
                if !new.is_empty() {
                    assert!(follow(&b.store, place, last, &new).is_taken);
                    assert!(!follow(&b.store, place, last, &new).is_taken);
                    place = Some(last);
                }
            }
        }
        let found = deltas(&a.store);
        let rest: Vec<_> = found
            .iter()
            .filter(|delta| place.is_none_or(|place| delta.0 > place))
            .cloned()
            .collect();
        if let Some((last, _)) = rest.last() {
            assert!(follow(&b.store, place, *last, &rest).is_taken);
        }
        let wanted = rows(&reference.store);
        assert!(wanted.len() > 30, "{wanted:?}");
        assert_eq!(rows(&b.store), wanted, "seed {seed}");
    }
}

#[test]
fn servers_before_one_engine_have_the_instances_and_versions_of_all() {
    let engine = Engine::start(OPENSEARCH);
    let (a, b, reference) = (Server::new(), Server::new(), Server::new());
    let at = now() - 5 * MINUTE;
    for store in [&a.store, &b.store, &reference.store] {
        feed_body(store, ERROR);
    }
    let outputs = (a.output(&engine, "a"), b.output(&engine, "b"));
    for n in 0..20 {
        let body = report(n % 3, n % 2, at, n);
        feed_body(if n % 2 == 0 { &a.store } else { &b.store }, &body);
        feed_body(&reference.store, &body);
    }
    occurred(&a.store, "1.0", at, 3);
    occurred(&b.store, "1.0", at - 5, 4);
    occurred(&b.store, "1.1", at, 1);
    for (version, at, n) in [("1.0", at, 3), ("1.0", at - 5, 4), ("1.1", at, 1)] {
        occurred(&reference.store, version, at, n);
    }
    let wanted = rows(&reference.store);
    assert_eq!(
        wanted
            .iter()
            .filter(|row| row.starts_with("error_version|"))
            .count(),
        2
    );
    wait("both have all", || {
        rows(&a.store) == wanted && rows(&b.store) == wanted
    });
    // One that begins again takes nothing twice.
    drop(outputs.1);
    let b = b.again();
    let _b = b.output(&engine, "b");
    feed_body(&a.store, &report(1, 1, at, 99));
    feed_body(&reference.store, &report(1, 1, at, 99));
    let wanted = rows(&reference.store);
    wait("both have the rest", || {
        rows(&a.store) == wanted && rows(&b.store) == wanted
    });
}

#[test]
fn instances_that_another_program_wrote_break_nothing() {
    let to = Server::new();
    let minute = now() / MINUTE * 60;
    let micros = minute * 1_000_000;
    let long = "x".repeat(5000);
    let sums = "[1,0,1,5,0,0,0,0,0,0,0,0]";
    let odd = format!(
        r#"{{"format":1,"later":[1,2],"services":[{{"name":""}},{{"name":"a"}}],
        "errors":[{{"service":1,"key":7,"seen":0}}],
        "instances":[{{"service":1,"node":"n"}},{{"service":0,"node":"n"}},{{"service":9}},
        {{"service":1,"node":"{long}"}}],
        "instance":[[0,{minute},{sums},null],[0,{minute},[1,0,1,5,0,0,0,0,0,0,1,0.5,7],[0.5,0.5]],
        [1,{minute},{sums},null],[2,{minute},{sums},null],[3,{minute},{sums},null],[8,{minute},{sums},null],
        [0,{minute},[1,0,1],null],[0,{minute},[1,0,1,-5,0,0,0,0,0,0,0,0],null],
        [0,{minute},[1e300,0,1,5,0,0,0,0,0,0,0,0],null],[0,{minute},{sums},[2,1]],[0,{minute},{sums},[-1,1]],
        [0,7,{sums},null],[0,60,{sums},null]],
        "instance_bins":[[0,{minute},3,2],[0,{minute},-1,2],[0,{minute},9999,2],[5,{minute},3,2],[0,{minute},3,-2]],
        "error_versions":[[0,"1",{micros},{micros},2],[0,"{long}",{micros},{micros},2],[3,"1",{micros},{micros},2],
        [0,"1",{micros},5,2],[0,"1",0,0,2],[0,"1",{micros},{micros},-2]]}}"#
    );
    let followed = follow(&to.store, None, 1, &[(1, odd.into_bytes())]);
    assert_eq!((followed.is_taken, followed.dropped), (true, 11 + 4 + 5));
    let found = rows(&to.store);
    // A cell and a bar on each of three levels, and one version. The longest transaction is not known, as one of two
    // cells tells it.
    assert_eq!(found.len(), 7, "{found:?}");
    let hour = minute / 3600 * 3600;
    let cell = format!(
        "instance|3600|a||n|||||{hour}|2.0|0.0|2.0|10.0|0.0|0.0|0.0|0.0|0.0|0.0|1.0|0.5|0.5|0.5|"
    );
    assert!(found.contains(&cell), "{found:?}");
    let version = format!("error_version|a|7|1|{micros}|{micros}|2");
    assert!(found.contains(&version), "{found:?}");
}

#[test]
fn instances_beyond_the_limit_are_counted_together_by_version() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut options = StoreOptions::new(dir.path().join("apm.db"));
    options.shares_counts = true;
    options.names = NameLimits::new(3);
    let store = Store::open(options).expect("opens");
    let at = now() / MINUTE * MINUTE;
    for n in 0..9 {
        feed_body(&store, &report(n, n % 2, at, 0));
    }
    let mut found: Vec<String> = rows(&store)
        .iter()
        .filter(|row| row.starts_with("instance|60|"))
        .map(|row| row.split('|').skip(4).take(2).collect::<Vec<_>>().join(" "))
        .collect();
    found.sort();
    assert_eq!(
        found,
        ["_other 1.0", "_other 1.1", "n0 1.0", "n1 1.1", "n2 1.0"]
    );
    // A transaction and a metricset of each of the six.
    assert_eq!(store.stats().beyond.number(NameKind::Instance), 12);
    // All of them are counted: each request stands for two.
    let counts = rows(&store).into_iter().filter_map(|row| {
        let row = row.strip_prefix("instance|3600|")?.to_owned();
        row.split('|').nth(8)?.parse::<f64>().ok()
    });
    assert_eq!(counts.sum::<f64>(), 18.0);
}

#[test]
fn a_server_of_its_own_counts_no_instances() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = crate::support::store(dir.path());
    feed_body(&store, &report(1, 1, now(), 1));
    assert!(rows(&store).is_empty());
}
