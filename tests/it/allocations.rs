//! Allocations of the agent on the service's own threads. `cargo bench --bench agent_allocations` prints more of the
//! same.

use std::hint::black_box;
use std::time::Duration;

use actix_web::dev::Service as _;
use actix_web::rt::System;
use allocation_counter::measure;
use apm_agent::Agent;
use apm_agent::options::CloudProvider;

use self::scenario::{BROWSER, PLAIN, Watched};

#[path = "../../benches/agent_overhead/scenario.rs"]
#[expect(dead_code, reason = "the benches use the rest")]
mod scenario;

const CALLS: usize = 200;

/// Allocations of a call once all caches are filled; and in how many of [`CALLS`] they differ, as buffers grow and
/// actix renews its date twice a second.
fn allocations(mut call: impl FnMut()) -> (u64, usize) {
    for _ in 0..CALLS {
        call();
    }
    let mut counts: Vec<u64> = (0..CALLS).map(|_| measure(&mut call).count_total).collect();
    counts.sort_unstable();
    let usual = counts[CALLS / 2];
    (
        usual,
        counts.iter().filter(|count| **count != usual).count(),
    )
}

#[test]
fn a_statement_seen_before_costs_no_allocation_beyond_diesels_own_formatting_of_hashed_values() {
    let formatting = allocations(|| {
        black_box(scenario::format(&scenario::select()));
    });
    let run = |watched: Watched| {
        let agent = watched.agent();
        let mut connection = scenario::connection(&agent);
        let transaction = agent.transaction("queries", "test");
        transaction.run(|| {
            allocations(|| {
                black_box(scenario::query(&mut connection));
            })
        })
    };
    let (bare, watched) = (run(Watched::Disabled), run(Watched::Sampled));
    let unhashed = run(Watched::Unhashed);

    assert!(formatting.0 > 0 && bare.0 > 0, "{formatting:?} {bare:?}");
    assert_eq!(watched.0, bare.0 + formatting.0);
    // If values are not hashed, the text comes from SQLite.
    assert_eq!(unhashed.0, bare.0);
    // The spans of 200 statements fill a buffer or two.
    assert!(watched.1 <= 4, "{watched:?}");
}

#[test]
fn a_service_whose_agent_does_not_record_allocates_as_one_without() {
    let system = System::new();
    let of = |watched: Watched, agent: &Agent| {
        let service = watched.service(&system, agent);
        let requests = (0..2 * CALLS).map(|_| scenario::request(PLAIN, &BROWSER));
        let mut requests = requests.collect::<Vec<_>>().into_iter();
        let (usual, other) = allocations(|| {
            let request = requests.next().unwrap();
            drop(system.block_on(service.call(request)).unwrap());
        });
        // The longer the calls take, the more dates are renewed meanwhile.
        assert!(other <= CALLS / 10, "{other}");
        usual
    };
    let recording = |recording: bool| {
        Agent::builder()
            .service_name("allocations")
            .recording(recording)
            .disable_send(true)
            .cloud_provider(CloudProvider::None)
            // A buffer that is handed over for its age is followed by an empty one, which grows anew.
            .api_request_time(Duration::from_secs(3_600))
            .start()
    };
    let without = of(Watched::Not, &recording(true));
    let with = of(Watched::Sampled, &recording(false));
    let recorded = of(Watched::Sampled, &recording(true));

    assert_eq!(with, without);
    // The transaction, and actix's pattern that its name is looked up by. All requests of a route share the name, and
    // the context that becomes JSON has its memory from a transaction before.
    assert_eq!(recorded, without + 2);
}
