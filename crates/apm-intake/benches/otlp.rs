//! The cost of making events of spans that came by OTLP, and of storing them.
//!
//! ```sh
//! cargo bench -p pocket-apm-intake --bench otlp                          # decoding alone
//! POCKET_APM_OTLP=300000 cargo bench -p pocket-apm-intake --bench otlp   # so many spans are stored: CPU and bytes
//! POCKET_APM_OTLP=300000 POCKET_APM_OTLP_SERVER=127.0.0.1:8200 …         # the same to a running server, over HTTP
//! POCKET_APM_OTLP_ACROSS=1 …                                             # each trace goes across three services
//! ```
//!
//! Bodies are those of an SDK's batch processor: 512 spans of one resource, in traces of about ten, a third of them
//! with a SQL statement. Beside decoding stands what the messages of `opentelemetry-proto` need to read the same bytes,
//! without making anything of them. Times are for one body: throughput says spans per second.
//!
//! For the store, bodies of twelve services alternate, with fresh ids and moving times.

#[path = "otlp/across.rs"]
mod across;
#[path = "otlp/request.rs"]
mod request;
#[path = "otlp/server.rs"]
mod server;
#[path = "otlp/stored.rs"]
mod stored;

use std::hint::black_box;

use apm_intake::otlp::{Encoding, Signal, decode};
use criterion::{Criterion, Throughput};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use request::{NOW, SPANS, request};

fn main() {
    let spans = std::env::var("POCKET_APM_OTLP").ok();
    let spans = spans.map(|spans| spans.parse().expect("POCKET_APM_OTLP is a number"));
    match (spans, std::env::var("POCKET_APM_OTLP_SERVER")) {
        (Some(spans), Ok(server)) => server::run(spans, &server),
        (Some(spans), Err(_)) => stored::run(spans),
        (None, _) => {
            let mut criterion = Criterion::default().configure_from_args();
            decoding(&mut criterion);
            criterion.final_summary();
        }
    }
}

fn decoding(criterion: &mut Criterion) {
    let request = request(0);
    let protobuf = request.encode_to_vec();
    let json = serde_json::to_vec(&request).expect("a message can be written");
    let received = i64::try_from(NOW / 1000).expect("microseconds fit");
    let mut group = criterion.benchmark_group("otlp");
    group.throughput(Throughput::Elements(SPANS.into()));
    for (name, encoding, body) in [
        ("protobuf to events", Encoding::Protobuf, &protobuf),
        ("json to events", Encoding::Json, &json),
    ] {
        let export = decode(Signal::Traces, encoding, body, received).expect("a body");
        assert_eq!(
            export
                .batches
                .iter()
                .map(|batch| batch.events.len())
                .sum::<usize>(),
            SPANS as usize
        );
        group.bench_function(name, |bencher| {
            bencher.iter(|| decode(Signal::Traces, encoding, black_box(body), received));
        });
    }
    group.bench_function("prost, messages alone", |bencher| {
        bencher.iter(|| ExportTraceServiceRequest::decode(black_box(&*protobuf)));
    });
    group.finish();
}
