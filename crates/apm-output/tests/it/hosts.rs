//! Addresses and credentials.

use std::net::TcpListener;

use apm_output::Auth;

use crate::support::engine::{Answer, Engine, OPENSEARCH, serve};
use crate::support::{config, feed, lines, of_hosts, start, store, wait};

#[test]
fn a_host_that_is_away_or_unwell_is_passed_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let away = format!("http://{}", closed.local_addr().expect("bound"));
    drop(closed);
    let unwell = serve(|_| Answer::Reply(503, Vec::new()));
    let unwell = format!("http://{unwell}");
    let count = feed(&store, lines(0, 500));
    let output = start(&store, of_hosts([away, unwell, engine.url()]));
    wait("all are there", || engine.events().len() == count);
    output.stop();
    assert_eq!(engine.duplicates(), 0);
}

#[test]
fn requests_go_below_the_path_of_the_address() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path());
    let (seen, paths) = std::sync::mpsc::channel();
    let address = serve(move |request| {
        let _ = seen.send(request.path.clone());
        Answer::Reply(404, Vec::new())
    });
    let output = start(&store, of_hosts([format!("http://{address}/search")]));
    assert_eq!(paths.recv().expect("asked"), "/search/");
    wait("it says why nothing is sent", || {
        output
            .stats()
            .trouble
            .is_some_and(|trouble| trouble.contains("404"))
    });
    output.stop();
}

#[test]
fn a_key_is_read_again_when_the_engine_refuses_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let file = dir.path().join("key");
    std::fs::write(&file, "old:key\n").expect("written");
    engine.state().credential = Some("ApiKey bmV3OmtleQ==".to_owned());
    let count = feed(&store, lines(0, 10));
    let mut config = config(&engine);
    config.auth = Auth::ApiKey(file.clone());
    let output = start(&store, config);
    wait("the key is refused", || {
        output
            .stats()
            .trouble
            .is_some_and(|trouble| trouble.contains("401"))
    });
    assert!(engine.events().is_empty());
    std::fs::write(&file, "new:key\n").expect("written");
    wait("all are there", || engine.events().len() == count);
    output.stop();
    assert_eq!(output.stats().trouble, None);
}
