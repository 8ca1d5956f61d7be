//! The one port: who may ask, what is answered where.
//!
//! From outside in: `protect` (security headers, portions, panics) → `guard` (Host, Origin, secret token, time of the body) → the routes of this module, for agents and
//! scripts → `api` → `ui`.

mod agents;
mod body;
mod guard;
mod health;
mod intake;
mod login;
mod protect;
mod respond;
mod root;
mod sessions;
mod status;

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, HttpRequest, HttpResponse, web};

use crate::config::Config;
use crate::intake::Intake;
use crate::store::Store;
use guard::Guard;

/// What the handlers need besides the store.
#[derive(Debug)]
pub(crate) struct Shared {
    config: Config,
    intake: Intake,
    guard: Guard,
    health: health::Health,
    started: Instant,
}

impl Shared {
    /// `is_exposed`: whether it is reached from beyond this machine.
    pub(crate) fn new(config: Config, store: &Store, is_exposed: bool) -> Self {
        Self {
            intake: Intake::new(store.clone(), config.read_timeout, config.body_timeout),
            guard: Guard::new(&config, is_exposed),
            health: health::Health::default(),
            started: Instant::now(),
            config,
        }
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
    let insight = crate::api::Settings::of(&shared.config);
    App::new()
        .app_data(web::Data::new(insight))
        .app_data(shared)
        .app_data(store)
        .configure(configure)
        .configure(crate::api::configure)
        .configure(crate::ui::configure)
        .default_service(web::to(not_found))
        .wrap(from_fn(guard::check))
        .wrap(from_fn(protect::protect))
}

fn configure(app: &mut web::ServiceConfig) {
    let rum = ["/intake/v2/rum/events", "/intake/v3/rum/events"];
    let login = web::resource("/login").route(web::get().to(login::page));
    app.service(web::resource("/").to(root::info))
        .service(web::resource("/intake/v2/events").to(intake::events))
        .service(web::resource(rum).to(intake::rum))
        .service(web::resource("/config/v1/agents").to(agents::settings))
        .service(web::resource("/healthz").to(health::check))
        .service(login.route(web::post().to(login::submit)))
        .route("/logout", web::post().to(login::leave))
        .service(
            web::resource("/metrics")
                .route(web::get().to(status::metrics))
                .route(web::head().to(status::metrics)),
        )
        .route("/api/v1/status", web::get().to(status::json));
}

async fn not_found(request: HttpRequest) -> HttpResponse {
    match respond::wants_page(&request) {
        true => crate::ui::not_found(request).await,
        false => respond::error(&request, 404, "404 page not found"),
    }
}
