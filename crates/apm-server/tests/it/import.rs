//! Recorded and made-up streams go through the intake into a store.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use apm_server::generate::{Options, generate};
use apm_server::import::{ImportError, Summary, Target, file, stream};
use apm_server::remote::{Remote, Secret, Trust};
use apm_store::{StoreError, trace};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::store::{number, open};
use crate::support::events::now;

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"shop","agent":{"name":"rust","version":"1"}}}}"#;

fn transaction(number: u64) -> String {
    let transaction = serde_json::json!({
        "id": format!("{number:016x}"), "trace_id": format!("{number:032x}"),
        "name": "GET /a", "type": "request", "duration": 1.5, "span_count": {"started": 0},
    });
    serde_json::json!({ "transaction": transaction }).to_string()
}

#[test]
fn a_made_up_data_set_is_taken_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut last = 0;
    let options = Options::new(400, now());
    let summary = generate(&options, &mut Target::store(store.clone()), |done| {
        last = done
    });
    let summary = summary.expect("stored");
    assert_eq!(last, 400);
    assert_eq!(summary.rejected, 0);
    let events = number(&store, "SELECT sum(events) AS n FROM block");
    assert_eq!(summary.accepted, events.unsigned_abs());
    assert_eq!(number(&store, "SELECT count(*) AS n FROM service"), 4);
    assert!(number(&store, "SELECT count(*) AS n FROM span") > 1600);
    assert!(number(&store, "SELECT count(*) AS n FROM log") > 0);
    assert!(number(&store, "SELECT count(*) AS n FROM error_group") > 0);
    assert!(number(&store, "SELECT count(*) AS n FROM roll_breakdown") > 0);
    // Every parent is there, and traces cross services.
    let orphans = "SELECT count(*) AS n FROM span WHERE parent_id NOT IN (SELECT id FROM tx)";
    assert_eq!(number(&store, orphans), 0);
    let crossing = "SELECT count(*) AS n FROM \
                    (SELECT trace_id FROM tx GROUP BY trace_id HAVING count(DISTINCT resource_id) > 1)";
    assert!(number(&store, crossing) > 10);
    // Statements differ in values only.
    assert!(number(&store, "SELECT count(*) AS n FROM statement") < 20);
}

#[test]
fn the_same_seed_makes_the_same_data() {
    let made = || {
        let text = Rc::new(RefCell::new(Vec::new()));
        let kept = Rc::clone(&text);
        let mut target = Target::function(move |body| kept.borrow_mut().extend_from_slice(body));
        generate(
            &Options::new(50, 1_767_225_600_000_000),
            &mut target,
            |_| (),
        )
        .expect("made");
        text.take()
    };
    assert_eq!(made(), made());
}

#[test]
fn a_recorded_file_is_taken_plain_and_compressed() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut text = format!("{METADATA}\n");
    for number in 0..3000 {
        text.push_str(&transaction(number));
        text.push('\n');
    }
    text.push_str("{\"transaction\":{\"id\":7}}\n");
    text.push_str(&METADATA.replace("shop", "other"));
    text.push('\n');
    // The last line has no end.
    text.push_str(&transaction(9999));
    let plain = dir.path().join("recorded.ndjson");
    std::fs::write(&plain, &text).expect("written");
    let packed = dir.path().join("recorded.ndjson.gz");
    let mut encoder = GzEncoder::new(
        std::fs::File::create(&packed).expect("made"),
        Compression::fast(),
    );
    encoder.write_all(text.as_bytes()).expect("written");
    encoder.finish().expect("written");

    for path in [&plain, &packed] {
        let mut read = 0;
        let summary = file(path, &mut Target::store(store.clone()), |bytes| {
            read = bytes
        })
        .expect("stored");
        assert_eq!(
            summary,
            Summary {
                accepted: 3001,
                rejected: 1
            }
        );
        assert_eq!(read, std::fs::metadata(path).expect("a file").len());
    }
    assert_eq!(number(&store, "SELECT count(*) AS n FROM tx"), 6002);
    assert_eq!(number(&store, "SELECT count(*) AS n FROM service"), 2);
    let found = store.read::<_, StoreError>(|conn| trace(conn, &format!("{:032x}", 9999)));
    let found = found.expect("reads");
    assert!(found[0].resource.contains("other"), "{}", found[0].resource);
}

#[test]
fn what_is_no_stream_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut target = Target::store(store);
    let refused = stream(&b"these are my notes\n"[..], &mut target, || ());
    assert!(matches!(refused, Err(ImportError::NoMetadata)));
    let missing = file(&dir.path().join("none.ndjson"), &mut target, |_| ());
    assert!(matches!(missing, Err(ImportError::Open { .. })));
    let damaged = dir.path().join("a.ndjson.gz");
    std::fs::write(&damaged, [0x1f, 0x8b, 8, 0, 1, 2, 3]).expect("written");
    let refused = file(&damaged, &mut target, |_| ());
    assert!(matches!(refused, Err(ImportError::Read { .. })));
    let empty = stream(&b""[..], &mut target, || ());
    assert!(matches!(empty, Err(ImportError::NoEvents { lines: 0 })));
    let metadata = format!("{METADATA}\n{METADATA}\n");
    let metadata = stream(metadata.as_bytes(), &mut target, || ());
    assert!(matches!(metadata, Err(ImportError::NoEvents { lines: 2 })));
}

#[actix_web::test]
async fn a_running_server_takes_a_data_set_and_names_what_is_wrong() {
    let server = crate::support::server::TestServer::with(|config| {
        config.secret_token = apm_server::SecretToken::new("hush");
    });
    let url = server.running.url();
    // The target has a runtime of its own.
    let sent = std::thread::spawn(move || {
        let options = Options::new(30, now());
        let send = |url: &str, token: Option<&str>| {
            let token = token.map(|token| Secret::Token(token.to_owned()));
            let server = Remote::new(url, token.as_ref(), &Trust::System).expect("an address");
            let mut target = Target::server(server);
            generate(&options, &mut target, |_| ()).map_err(|error| error.to_string())
        };
        let taken = send(&url, Some("hush"));
        let refused = send(&url, Some("wrong"));
        // A port that was free a moment ago.
        let gone = {
            let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            format!("http://{}", port.local_addr().expect("bound"))
        };
        let unreached = send(&gone, None);
        (taken, (refused, url), (unreached, gone))
    });
    crate::support::server::eventually("the data set", async || sent.is_finished()).await;
    let (taken, (refused, url), (unreached, gone)) = sent.join().expect("no panic");
    let taken = taken.expect("taken");
    assert!(taken.accepted > 100 && taken.rejected == 0, "{taken:?}");
    let headers = [("Accept", "text/plain"), ("Authorization", "Bearer hush")];
    let metrics = server.send("GET", "/metrics", &headers, "").await;
    let accepted: u64 = metrics
        .text
        .lines()
        .filter(|line| line.starts_with("pocket_apm_events_accepted_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(accepted, taken.accepted);
    let refused = refused.expect_err("another token");
    assert!(
        refused.contains(&url) && refused.contains("401") && refused.contains("--apm-secret-token"),
        "{refused}"
    );
    let unreached = unreached.expect_err("nobody there");
    assert!(
        unreached.contains(&gone) && unreached.contains("is a server running there"),
        "{unreached}"
    );
    server.stop().await;
}

#[test]
fn blank_lines_are_no_events_wherever_they_stand() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let text = format!("\n\r\n{METADATA}\n\n{}\n  \n", transaction(1));
    let mut target = Target::store(store.clone());
    let summary = stream(text.as_bytes(), &mut target, || ()).expect("taken");
    assert_eq!((summary.accepted, summary.rejected), (1, 0));
    for nothing in ["", "\n\n", " \r\n"] {
        let mut target = Target::store(store.clone());
        let refused = stream(nothing.as_bytes(), &mut target, || ());
        assert!(
            matches!(refused, Err(ImportError::NoEvents { lines: 0 })),
            "{nothing:?}"
        );
    }
}

#[test]
fn gzip_is_told_by_its_first_bytes_and_refusals_by_their_reason() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let text = format!("{METADATA}\n{}\nnot json\n", transaction(1));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("compressed");
    let compressed = encoder.finish().expect("compressed");
    for (name, bytes) in [("plain.gz", text.as_bytes()), ("packed.dat", &compressed)] {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        let mut target = Target::store(store.clone());
        let summary = file(&path, &mut target, |_| ()).expect(name);
        assert_eq!((summary.accepted, summary.rejected), (1, 1), "{name}");
        assert_eq!(target.taken(), summary);
        let [refusal] = target.refusals() else {
            panic!("{:?}", target.refusals());
        };
        assert_eq!(refusal.document, "not json", "{refusal:?}");
        assert!(!refusal.message.is_empty());
    }
}

#[test]
fn what_was_stored_before_a_stream_broke_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    writeln!(encoder, "{METADATA}").expect("compressed");
    for number in 0..20_000 {
        writeln!(encoder, "{}", transaction(number)).expect("compressed");
    }
    let mut compressed = encoder.finish().expect("compressed");
    compressed.truncate(compressed.len() - 20);
    let path = dir.path().join("cut.ndjson.gz");
    std::fs::write(&path, compressed).expect("written");
    let mut target = Target::store(store.clone());
    let error = file(&path, &mut target, |_| ()).expect_err("cut");
    assert!(matches!(error, ImportError::Read { .. }), "{error}");
    let settled = target.taken().accepted;
    assert!(settled > 10_000, "{settled}");
    assert_eq!(
        number(&store, "SELECT count(*) AS n FROM tx").unsigned_abs(),
        settled
    );
}
