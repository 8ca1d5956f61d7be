//! Lines of a log, and spans of `tracing`.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use log::{LevelFilter, Log, Metadata, Record};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::Run;

/// Has the process subscribe to spans, with the agent's layer or without a layer.
pub(crate) fn subscribe(run: &Run) {
    let layer = run.watched.is_on().then(apm_agent::tracing::layer);
    let subscriber = tracing_subscriber::registry().with(layer);
    subscriber.try_init().expect("nothing else subscribes");
}

pub(crate) fn span(run: &Run) {
    subscribe(run);
    run.within(|| {
        tracing::info_span!("find what is old", days = 30).in_scope(|| black_box(()));
    });
}

/// As clients of databases make them that know OpenTelemetry's conventions.
pub(crate) fn query(run: &Run) {
    subscribe(run);
    run.within(|| {
        let span = tracing::debug_span!(
            "query",
            otel.kind = "client",
            db.system = "postgresql",
            db.statement = "SELECT name FROM people WHERE id = $1",
        );
        span.in_scope(|| black_box(()));
    });
}

/// A logger that formats lines, and writes them nowhere.
struct Length(AtomicUsize);

impl Log for Length {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0
            .store(record.args().to_string().len(), Ordering::Relaxed);
    }

    fn flush(&self) {}
}

fn install(run: &Run) {
    let logger = Length(AtomicUsize::new(0));
    let installed = if run.watched.is_on() {
        apm_agent::log::Logger::new(logger).install(LevelFilter::Info)
    } else {
        log::set_max_level(LevelFilter::Info);
        log::set_boxed_logger(Box::new(logger))
    };
    installed.expect("there is no other logger");
}

/// It is passed on, and not sent.
pub(crate) fn info(run: &Run) {
    install(run);
    run.within(|| log::info!("{} people were found", black_box(7)));
}

/// It becomes an event of its own.
pub(crate) fn error(run: &Run) {
    install(run);
    run.within(|| log::error!("{} people were lost", black_box(7)));
}
