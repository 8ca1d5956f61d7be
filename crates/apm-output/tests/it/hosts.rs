//! Addresses and credentials.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use apm_output::Auth;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::engine::{Answer, ELASTICSEARCH, Engine, OPENSEARCH, Request, serve};
use crate::support::{config, feed, lines, of_hosts, sharing_store, start, store, wait};

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
    wait("all are there", || engine.event_count() == count);
    output.stop();
    assert_eq!(engine.duplicates(), 0);
}

#[test]
fn requests_go_below_the_path_of_the_address() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), sharing_store(dir.path()));
    let behind = engine.clone();
    let address = serve(move |request| match request.path.strip_prefix("/search/") {
        Some(rest) => behind.answer(&Request {
            method: request.method.clone(),
            path: format!("/{rest}"),
            headers: request.headers.clone(),
            body: request.body.clone(),
        }),
        None => {
            let path = format!("beside {}", request.path);
            behind.state().log.push(path);
            Answer::Reply(404, Vec::new())
        }
    });
    let count = feed(&store, lines(0, 500));
    let mut config = of_hosts([format!("http://{address}/search")]);
    config.retention = Some(Duration::from_secs(7 * 24 * 60 * 60));
    let output = start(&store, config);
    wait("all are there", || engine.event_count() == count);
    // Templates, policies, announcements and searches take the same way.
    let asked = |what: &str| {
        let state = engine.state();
        state.log.iter().any(|request| request.contains(what))
    };
    for what in [
        "GET /",
        "POST /_bulk",
        "PUT /_index_template/pocket-apm",
        "/_plugins/_ism/policies/pocket-apm-default",
        "PUT /pocket-apm-shared-default/_doc/server-",
        "/_search",
    ] {
        wait(what, || asked(what));
    }
    wait("the policy is set", || !output.stats().lacks_retention);
    output.stop();
    assert!(!asked("beside"), "{:?}", engine.state().log);
    assert_eq!(engine.duplicates(), 0);
}

#[test]
fn an_address_without_an_engine_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path());
    let address = serve(|_| Answer::Reply(404, Vec::new()));
    let output = start(&store, of_hosts([format!("http://{address}/search")]));
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
    wait("all are there", || engine.event_count() == count);
    output.stop();
    assert_eq!(output.stats().trouble, None);
}

#[test]
fn a_name_and_a_password_are_shown_as_basic_credentials() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let file = dir.path().join("password");
    std::fs::write(&file, "pass word\n").expect("written");
    engine.state().credential = Some("Basic ZWxhc3RpYzpwYXNzIHdvcmQ=".to_owned());
    let count = feed(&store, lines(0, 10));
    let mut config = config(&engine);
    config.auth = Auth::Basic {
        user: "elastic".to_owned(),
        password: file,
    };
    let output = start(&store, config);
    wait("all are there", || engine.event_count() == count);
    output.stop();
}

/// A file of the tests of the agent, which has certificates for 127.0.0.1.
fn tls(file: &str) -> String {
    format!(
        "{}/../apm-agent/tests/it/tls/{file}",
        env!("CARGO_MANIFEST_DIR")
    )
}

#[test]
fn an_engine_behind_tls_is_trusted_by_the_file_of_its_authority() {
    let certificate = CertificateDer::from_pem_file(tls("server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(tls("server.key")).expect("a key");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("they belong together");
    let dir = tempfile::tempdir().expect("a directory");
    let engine = Engine::start_tls(ELASTICSEARCH, Arc::new(server));
    let store = store(dir.path());
    let count = feed(&store, lines(0, 100));
    // Its authority is none of the system's.
    let output = start(&store, config(&engine));
    wait("it is not trusted", || {
        let trouble = output.stats().trouble.unwrap_or_default();
        trouble.contains("--elasticsearch-ca")
    });
    output.stop();
    assert!(engine.state().log.is_empty());
    let mut config = config(&engine);
    config.ca = Some(tls("authority.pem").into());
    let output = start(&store, config);
    wait("all are there", || engine.event_count() == count);
    output.stop();
}

#[test]
fn a_redirection_leads_no_document_and_no_credential_elsewhere() {
    let dir = tempfile::tempdir().expect("a directory");
    let (elsewhere, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let to = elsewhere.url();
    let here = serve(move |request| match &*request.path {
        "/" => Answer::Reply(200, ELASTICSEARCH.into()),
        path if path.contains("_search") || path.contains("_refresh") => {
            let none = r#"{"timed_out":false,"_shards":{"failed":0}}"#;
            Answer::Reply(200, none.into())
        }
        path => Answer::Redirect(format!("{to}{path}")),
    });
    feed(&store, lines(0, 10));
    let output = start(&store, of_hosts([format!("http://{here}")]));
    wait("it says why nothing is sent", || {
        let trouble = output.stats().trouble.unwrap_or_default();
        trouble.contains("307")
    });
    output.stop();
    assert!(elsewhere.state().log.is_empty());
    assert_eq!(output.stats().lag.events, 10);
}

#[test]
fn an_opensearch_that_does_not_tell_its_version_is_not_taken_for_elasticsearch() {
    let security = |reason: &str| {
        let error = serde_json::json!({"type": "security_exception", "reason": reason});
        serde_json::json!({"error": error, "status": 403}).to_string()
    };
    let open = security("no permissions for [cluster:monitor/main] and User [name=apm]");
    let elastic = security("action [cluster:monitor/main] is unauthorized for API key id [a]");
    for (answer, is_known) in [(open, false), (elastic, true)] {
        let dir = tempfile::tempdir().expect("a directory");
        let store = store(dir.path());
        let address = serve(move |_| Answer::Reply(403, answer.clone().into_bytes()));
        let output = start(&store, of_hosts([format!("http://{address}")]));
        wait("it has asked", || {
            let stats = output.stats();
            stats.engine.is_some() || stats.trouble.is_some()
        });
        output.stop();
        let stats = output.stats();
        assert_eq!(stats.engine.as_deref() == Some("Elasticsearch"), is_known);
        if !is_known {
            let trouble = stats.trouble.unwrap_or_default();
            assert!(trouble.contains("cluster:monitor/main"), "{trouble}");
        }
    }
}
