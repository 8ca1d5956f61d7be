//! `/api/v1`: the JSON twin of every page, with the same path and the same parameters.
//!
//! * Parameters are read by `params`; what is wrong is answered with 400 and `{"error", "parameter"}`.
//! * Answers carry an ETag made of the data's version and the question as it was understood, so that a
//!   client that asks again pays nothing while nothing has arrived.
//! * Handlers are short: they read parameters, and hand a question of `analytics` to the store's
//!   readers. What there is to ask, and with what, stands in `api/openapi.json`, which a test compares
//!   with [`configure`] and with real answers.

mod answer;
mod dependencies;
mod discover;
mod error;
mod errors;
mod metrics;
mod openapi;
mod params;
mod queries;
mod services;
mod traces;
mod transactions;

use actix_web::web::{self, ServiceConfig};

/// Adds the routes. Handlers expect a [`crate::store::Store`] as application data.
pub fn configure(app: &mut ServiceConfig) {
    app.route("/api/v1/openapi.json", web::get().to(openapi::file))
        .route("/api/v1/services", web::get().to(services::list))
        .route("/api/v1/services/{service}", web::get().to(services::one))
        .route(
            "/api/v1/services/{service}/transactions",
            web::get().to(transactions::list),
        )
        .route(
            "/api/v1/services/{service}/transactions/view",
            web::get().to(transactions::one),
        )
        .route(
            "/api/v1/services/{service}/errors",
            web::get().to(errors::list),
        )
        .route(
            "/api/v1/services/{service}/errors/{key}",
            web::get().to(errors::one),
        )
        .route(
            "/api/v1/services/{service}/metrics",
            web::get().to(metrics::page),
        )
        .route(
            "/api/v1/services/{service}/dependencies",
            web::get().to(dependencies::of_service),
        )
        .route("/api/v1/dependencies", web::get().to(dependencies::list))
        .route(
            "/api/v1/dependencies/{dependency:.+}",
            web::get().to(dependencies::one),
        )
        .route("/api/v1/queries", web::get().to(queries::list))
        .route("/api/v1/queries/{fingerprint}", web::get().to(queries::one))
        .route("/api/v1/traces/{trace}", web::get().to(traces::one))
        .route("/api/v1/discover", web::get().to(discover::search))
        .route("/api/v1/discover/fields", web::get().to(discover::fields))
        .route("/api/v1/discover/groups", web::get().to(discover::groups));
}
