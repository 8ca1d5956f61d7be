//! The one port: who may ask, what is answered where.
//!
//! From outside in: `protect` (security headers, portions, panics) → `rewrite` (proxies, base path) → the router → the
//! `guard` of the route that was found (Host, Origin, secret token, time of the body) → its handler. All routes stand
//! in `routes`.

mod agents;
mod attempts;
mod body;
mod cors;
mod credentials;
mod guard;
mod health;
mod hosts;
mod intake;
mod login;
mod otlp;
mod protect;
mod proxy;
mod refusals;
mod respond;
mod response_budget;
mod rewrite;
mod root;
mod routes;
mod rum;
mod sessions;
mod site;
mod source_maps;
mod status;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, web};
use apm_alerts::Alerts;
use apm_intake::{Intake, Limits};
use apm_store::Store;

use crate::answers;
use crate::config::Config;
use crate::connections::Connections;
use crate::ui::Uploads;
pub(crate) use credentials::Credentials;
pub(crate) use guard::Exposed;
use guard::Guard;

/// The state that handlers need besides the store.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) intake: Intake,
    pub(crate) guard: Guard,
    health: health::Health,
    connections: Arc<Connections>,
    response_budget: Arc<response_budget::ResponseBudget>,
    uploads: web::Data<Uploads>,
    pub(crate) alerts: Alerts,
    /// Made once: what may run at a time is for all workers together.
    pub(crate) answers: answers::Settings,
    started: Instant,
    /// The same by the clock, µs since the epoch.
    started_at: i64,
    stopping: AtomicBool,
}

impl Shared {
    /// The state that the handlers of a server share, whose ports are reached from as far as `exposed` says.
    pub(crate) fn new(
        config: Config,
        store: &Store,
        credentials: Credentials,
        connections: Arc<Connections>,
        exposed: Exposed,
        alerts: Alerts,
    ) -> Self {
        let limits = Limits {
            line: config.read_timeout,
            whole: config.body_timeout,
            streams: config.max_streams,
            export: config.max_export_size,
        };
        let uploads = Uploads::new(config.read_timeout, config.body_timeout);
        Self {
            intake: Intake::new(store.clone(), limits),
            connections,
            response_budget: Arc::default(),
            uploads: web::Data::new(uploads),
            alerts,
            answers: answers::Settings::from_config(&config),
            guard: Guard::new(&config, credentials, exposed),
            health: health::Health::default(),
            started: Instant::now(),
            started_at: apm_time::now(),
            stopping: AtomicBool::new(false),
            config,
        }
    }

    /// Ends bodies of events that are still open: what came is stored, and nothing more is read.
    pub(crate) fn end_streams(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.intake.streams.stop();
    }

    /// Whether the server is about to end.
    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// The application that each worker runs.
pub(crate) fn app(
    shared: web::Data<Shared>,
    store: web::Data<Store>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(web::Data::new(shared.answers.clone()))
        // The guard has read a body by then, and refuses longer ones in its own words.
        .app_data(web::PayloadConfig::new(body::MOST))
        .app_data(shared.uploads.clone())
        .app_data(web::Data::new(shared.alerts.clone()))
        .app_data(shared)
        .app_data(store)
        .configure(routes::configure)
        .configure(routes::configure_rest)
        .wrap(from_fn(rewrite::rewrite))
        .wrap(from_fn(protect::protect))
}

/// The application of a port that takes OTLP alone.
pub(crate) fn otlp_app(
    shared: web::Data<Shared>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(otlp::Port)
        .app_data(shared)
        .configure(routes::configure_telemetry)
        .wrap(from_fn(rewrite::rewrite))
        .wrap(from_fn(protect::protect))
}
