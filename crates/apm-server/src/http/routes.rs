//! The table of all routes, and how they are mounted: each behind the guard.
//!
//! An application gets its routes from here and from nowhere else, so none can be forgotten.

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;

use super::{
    Shared, agents, guard, health, intake, login, otlp, respond, root, rum, source_maps, status,
};
use crate::otlp::PATHS;
use crate::route::Access::{Admin, Config, Intake, Open, Read};
use crate::route::{Body, Caller, Route, Rules, Sites};

/// Every route that the server answers.
pub(super) fn table() -> Vec<Route> {
    let mut all = own();
    all.extend(telemetry());
    all.extend(crate::api::routes());
    all.extend(crate::ui::routes());
    all.push(crate::mcp::route());
    all.extend(crate::jaeger::routes());
    all
}

/// The routes for agents and scripts, and signing in.
fn own() -> Vec<Route> {
    vec![
        Route::at("/").any(Open, root::info).for_programs(),
        Route::at("/healthz")
            .any(Open, health::check)
            .for_programs(),
        Route::at("/readyz")
            .any(Open, health::ready)
            .for_programs()
            .light(),
        Route::at("/intake/v2/events")
            .any(Intake, intake::events)
            .for_programs()
            .streamed(),
        Route::at("/intake/v2/rum/events")
            .any(Open, rum::events)
            .for_programs()
            .for_sites(Sites::Browsers)
            .streamed(),
        Route::at("/intake/v3/rum/events")
            .any(Open, rum::events)
            .for_programs()
            .for_sites(Sites::Browsers)
            .streamed(),
        Route::at("/config/v1/rum/agents")
            .any(Open, rum::settings)
            .for_programs()
            .for_sites(Sites::Browsers),
        Route::at("/config/v1/agents")
            .any(Config, agents::settings)
            .for_programs(),
        Route::at("/api/apm/sourcemaps")
            .get(Read, source_maps::list)
            .post(Admin, source_maps::upload)
            .for_programs()
            .streamed(),
        Route::at("/api/apm/sourcemaps/{id}")
            .delete(Admin, source_maps::delete)
            .for_programs(),
        // Elastic's server took them here before its version 8.
        Route::at("/assets/v1/sourcemaps")
            .post(Admin, source_maps::upload_to_assets)
            .for_programs()
            .streamed(),
        Route::at("/metrics")
            .get(Read, status::metrics)
            .for_programs()
            .light(),
        Route::at("/metrics/services")
            .get(Read, status::services::metrics)
            .for_programs(),
        Route::at("/api/v1/status")
            .get(Read, status::json)
            .for_programs()
            .light(),
        Route::at("/login")
            .get(Open, login::page)
            .post(Open, login::submit),
        Route::at("/logout").post(Open, login::leave),
    ]
}

/// The routes of OTLP. They are answered on a port of their own, too.
fn telemetry() -> Vec<Route> {
    let [traces, metrics, logs] = PATHS.map(|(path, _)| Route::at(path).for_programs());
    [
        traces.any(Intake, otlp::traces),
        metrics.any(Intake, otlp::metrics),
        logs.any(Intake, otlp::logs),
    ]
    .map(|route| route.streamed().for_sites(Sites::Telemetry))
    .into()
}

/// Mounts the table.
pub(super) fn configure(app: &mut ServiceConfig) {
    mount(table(), app);
}

/// Mounts the routes of OTLP, and nothing else.
pub(super) fn configure_telemetry(app: &mut ServiceConfig) {
    mount(telemetry(), app);
    let rest = web::scope("").default_service(web::to(otlp::not_found));
    app.service(rest.wrap(from_fn(guarded(rest_rules()))));
}

fn mount(routes: Vec<Route>, app: &mut ServiceConfig) {
    for Route { rules, resource } in routes {
        app.service(resource.wrap(from_fn(guarded(rules))));
    }
}

/// The answer to addresses that no route has. It does nothing, but names of other machines and other sites' pages are
/// refused here as well.
pub(super) fn configure_rest(app: &mut ServiceConfig) {
    let rest = web::scope("").default_service(web::to(not_found));
    app.service(rest.wrap(from_fn(guarded(rest_rules()))));
}

fn rest_rules() -> Rules {
    Rules {
        path: "",
        methods: vec![(None, Open)],
        caller: Caller::Program,
        body: Body::Whole,
        sites: Sites::None,
        light: true,
    }
}

/// A browser that is not signed in is asked to sign in, whatever address it asks for, and learns nothing else.
async fn not_found(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    if !respond::wants_page(&request) {
        return respond::error(&request, 404, "404 page not found");
    }
    let may_read = match shared.guard.see(&request) {
        guard::Seen::Holder { holder, .. } => holder.may(Read),
        _ => false,
    };
    match may_read {
        true => crate::ui::not_found(request).await,
        false => login::redirect(&request),
    }
}

/// The middleware of a route.
fn guarded(
    rules: Rules,
) -> impl Fn(ServiceRequest, Next<BoxBody>) -> LocalBoxFuture<'static, Result<ServiceResponse, Error>>
{
    let rules = Rc::new(rules);
    move |request, next| Box::pin(guard::check(Rc::clone(&rules), request, next))
}

#[cfg(test)]
mod tests;
