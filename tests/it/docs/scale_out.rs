//! The example of several servers before an engine: its files fit together, and its balancer spreads what agents send.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::Stdio;

use clap::CommandFactory as _;
use pocket_apm::cli::Cli;
use yaml_rust2::{Yaml, YamlLoader};

use super::proxies::{balancer, nginx, until_it_listens};
use super::{options, root};
use crate::support::{Ended, get};

const SERVERS: [&str; 2] = ["apm1", "apm2"];
const NODES: [&str; 3] = ["os1", "os2", "os3"];

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join("docs/scale-out").join(name)).unwrap()
}

/// A field of a service, its own or that of what it is merged with.
fn field<'y>(service: &'y Yaml, name: &str) -> &'y Yaml {
    match &service[name] {
        Yaml::BadValue => &service["<<"][name],
        own => own,
    }
}

fn words(list: &Yaml) -> Vec<&str> {
    let words = list.as_vec().into_iter().flatten();
    words.filter_map(Yaml::as_str).collect()
}

fn keys(map: &Yaml) -> BTreeSet<&str> {
    let keys = map.as_hash().into_iter().flat_map(|map| map.keys());
    keys.filter_map(Yaml::as_str).collect()
}

#[test]
fn the_output_runs_before_both_versions_of_opensearch_each_night() {
    let file = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let (script, workflow) = (file(".ci/engine"), file(".github/workflows/engine.yml"));
    let workflow = &YamlLoader::load_from_str(&workflow).unwrap()[0];
    let cron = workflow["on"]["schedule"][0]["cron"].as_str();
    assert_eq!(cron.map(|cron| cron.split(' ').count()), Some(5));
    let job = &workflow["jobs"]["opensearch"];
    let runs = job["steps"].as_vec().unwrap().iter();
    let step = runs.filter(|step| step["run"].as_str() == Some(".ci/engine"));
    let version = "${{ matrix.version }}";
    let named = step.map(|step| step["env"]["OPENSEARCH"].as_str());
    assert_eq!(named.collect::<Vec<_>>(), [Some(version)]);
    let mut majors = BTreeSet::new();
    for one in job["strategy"]["matrix"]["include"].as_vec().unwrap() {
        let (version, java) = (one["version"].as_str(), one["java"].as_str());
        let (version, java) = (version.unwrap(), java.unwrap());
        let major = version.split('.').next().unwrap();
        // The script knows the version of Java that each takes, and names the versions in its head.
        assert!(
            script.contains(&format!("    {major}) java={java} ")),
            "{version}"
        );
        assert!(script.contains(version), "{version}");
        majors.insert(major);
    }
    assert_eq!(majors.into_iter().collect::<Vec<_>>(), ["2", "3"]);
}

#[test]
fn two_servers_three_nodes_and_a_balancer_know_each_other() {
    let compose = text("compose.yaml");
    let compose = &YamlLoader::load_from_str(&compose).unwrap()[0];
    let services = &compose["services"];
    let all: BTreeSet<&str> = SERVERS
        .into_iter()
        .chain(NODES)
        .chain(["balancer"])
        .collect();
    assert_eq!(keys(services), all);
    let known = options::names(&Cli::command());
    let mut volumes = BTreeSet::new();
    for name in SERVERS {
        let environment = field(&services[name], "environment");
        for variable in keys(environment) {
            assert!(known.iter().any(|known| known == variable), "{variable}");
        }
        let engines = environment["APM_ELASTICSEARCH"].as_str().unwrap();
        let wanted = NODES.map(|node| format!("http://{node}:9200"));
        assert_eq!(engines.split(',').collect::<Vec<_>>(), wanted);
        assert_eq!(words(field(&services[name], "secrets")), ["token"]);
        let token = environment["APM_SECRET_TOKEN_FILE"].as_str();
        assert_eq!(token, Some("/run/secrets/token"));
        // The image keeps its database there.
        let own = words(field(&services[name], "volumes"));
        assert_eq!(own, [format!("{name}:/data")]);
        volumes.insert(name);
    }
    for name in NODES {
        let environment = field(&services[name], "environment");
        assert_eq!(environment["node.name"].as_str(), Some(name));
        for setting in [
            "discovery.seed_hosts",
            "cluster.initial_cluster_manager_nodes",
        ] {
            let nodes = environment["<<"][setting].as_str().unwrap();
            assert_eq!(nodes.split(',').collect::<Vec<_>>(), NODES, "{setting}");
        }
        volumes.insert(name);
    }
    assert_eq!(keys(&compose["volumes"]), volumes);
    let balancer = &services["balancer"];
    for volume in words(&balancer["volumes"]) {
        let source = volume.split(':').next().unwrap().trim_start_matches("./");
        assert!(
            root().join("docs/scale-out").join(source).exists(),
            "{volume}"
        );
    }
    let proxy = text("nginx.conf");
    for name in SERVERS {
        assert!(proxy.contains(&format!("server {name}:8200 ")), "{name}");
    }
    let dockerfile = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
    assert!(dockerfile.contains("VOLUME /data") && dockerfile.contains("APM_LISTEN=0.0.0.0:8200 "));
}

/// The transactions that an answer about services tells of.
async fn transactions(url: &str) -> f64 {
    let answer = get(&format!("{url}/api/v1/services?from=now-1h&to=now%2B1m")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let services = answer.json()["services"].clone();
    let services = services.as_array().into_iter().flatten();
    services
        .filter_map(|one| one["transactions"].as_f64())
        .sum()
}

#[actix_web::test]
async fn the_balancer_spreads_what_agents_send_and_keeps_a_reader_at_one_server() {
    const REQUESTS: usize = 60;
    let Some(program) = test_support::tool("nginx") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let servers = SERVERS.map(|name| {
        let mut config = apm_server::Config::default();
        config.listen = "127.0.0.1:0".to_owned();
        config.database = dir.path().join(name).with_extension("db");
        apm_server::Server::start(config).unwrap()
    });
    let urls = servers
        .each_ref()
        .map(|server| server.url().trim_end_matches('/').to_owned());
    // The listener is gone with the line: its port is the proxy's.
    let free = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap();
    let mut http = balancer().replace("listen 8200;", &format!("listen {free};"));
    for (name, url) in SERVERS.iter().zip(&urls) {
        let address = url.trim_start_matches("http://");
        http = http.replace(
            &format!("server {name}:8200 "),
            &format!("server {address} "),
        );
    }
    let mut proxy = nginx(program, dir.path(), &http);
    let mut proxy = Ended::start(proxy.stdin(Stdio::null()));
    until_it_listens(&mut proxy, free);
    let client = awc::Client::default();
    let at = apm_time::now();
    for n in 0..REQUESTS {
        let head =
            r#"{"metadata":{"service":{"name":"shop","agent":{"name":"rust","version":"1"}}}}"#;
        let event = serde_json::json!({"transaction": {
            "id": format!("{n:016x}"), "trace_id": format!("{n:032x}"), "name": "GET /", "type": "request",
            "duration": 1, "timestamp": at, "span_count": {"started": 0}}});
        let body = format!("{head}\n{event}");
        let sent = client
            .post(format!("http://{free}/intake/v2/events"))
            .insert_header(("Content-Type", "application/x-ndjson"))
            .send_body(body)
            .await
            .unwrap();
        assert_eq!(sent.status(), 202);
    }
    let mut counts = Vec::new();
    for url in &urls {
        counts.push(transactions(url).await);
    }
    assert_eq!(counts.iter().sum::<f64>(), REQUESTS as f64);
    assert!(counts.iter().all(|count| *count > 0.0), "{counts:?}");
    let balanced = format!("http://{free}");
    let first = transactions(&balanced).await;
    assert!(counts.contains(&first), "{first} of {counts:?}");
    for _ in 0..10 {
        assert_eq!(transactions(&balanced).await, first);
    }
}
