//! Two servers before one engine that are killed while agents send to both.

use std::time::Duration;

use super::cluster::Cluster;
use super::load::Load;
use super::server::Server;
use super::together::{rounds_of, wait};
use super::{complete, rollover};

/// The time between two bodies of an agent: 1 000 events a second of all, which one node takes beside two servers.
const EACH: Duration = Duration::from_millis(240);

/// The transactions of all services, as a server's list shows them.
fn listed(server: &Server) -> f64 {
    let answer = server.get("/api/v1/services?from=now-4h&to=now%2B2m");
    let services = answer["services"].as_array().expect("services").iter();
    services
        .filter_map(|one| one["transactions"].as_f64())
        .sum()
}

#[test]
#[ignore = "needs OpenSearch: .ci/engine"]
fn two_servers_that_are_killed_under_load_keep_and_count_each_event_once() {
    let cluster = Cluster::start(1);
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    let mut servers = [0, 1].map(|at: usize| Server::start(dirs[at].path(), &cluster.urls()));
    let loads = [
        Load::of_agents(servers[0].port(), [1, 2], EACH),
        Load::of_agents(servers[1].port(), [3, 4], EACH),
    ];
    let rounds = rounds_of(20);
    for round in 0..rounds {
        std::thread::sleep(Duration::from_millis(700 + round as u64 * 53));
        let at = round % 2;
        servers[at].kill();
        if round % 3 == 1 {
            rollover(&cluster);
            cluster.post_leniently("/metrics-pocket.rollup-default/_rollover");
        }
        servers[at] = servers[at].again(&cluster.urls());
    }
    for load in &loads {
        load.stop();
    }
    let all = complete(&cluster, &servers, &loads);
    for server in &servers {
        let mut last = 0.0;
        wait("the list has what both stored", || {
            last = listed(server);
            last >= all as f64
        });
        assert_eq!(last, all as f64);
        let covers = server.status()["output"]["covers"].clone();
        assert_eq!(covers["servers"], 2, "{covers}");
        assert_eq!(covers["others"][0]["skipped"], 0, "{covers}");
    }
    eprintln!("both servers, killed {rounds} times in all, list {all} transactions");
}
