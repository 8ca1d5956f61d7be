//! `/api/v1`: the JSON twin of every page, with the same path and the same parameters.
//!
//! * Parameters are read by `params`; what is wrong is answered with 400 and `{"error", "parameter"}`.
//! * Answers carry an ETag made of the data's version and the question as it was understood, so that a
//!   client that asks again pays nothing while nothing has arrived.
//! * Handlers are short: they read parameters, and hand a question of `analytics` to the store's
//!   readers. What there is to ask, and with what, stands in `api/openapi.json`, which a test compares
//!   with [`PATHS`] and with real answers.

mod answer;
mod dependencies;
mod discover;
mod error;
mod errors;
pub(crate) mod insight;
mod metrics;
mod openapi;
mod params;
mod queries;
mod services;
mod traces;
mod transactions;

use actix_web::web::{self, ServiceConfig};

/// Gives the routes their handlers, and the tests their paths.
macro_rules! routes {
    ($($path:literal => $handler:path,)+) => {
        /// The paths that [`configure`] adds, as actix writes them.
        pub const PATHS: &[&str] = &[$($path),+];

        /// Adds the routes. Handlers expect a [`crate::store::Store`] as application data.
        pub fn configure(app: &mut ServiceConfig) {
            app$(.route($path, web::get().to($handler)))+;
        }
    };
}

routes! {
    "/api/v1/openapi.json" => openapi::file,
    "/api/v1/services" => services::list,
    "/api/v1/services/{service}" => services::one,
    "/api/v1/services/{service}/transactions" => transactions::list,
    "/api/v1/services/{service}/transactions/view" => transactions::one,
    "/api/v1/services/{service}/errors" => errors::list,
    "/api/v1/services/{service}/errors/{key}" => errors::one,
    "/api/v1/services/{service}/metrics" => metrics::page,
    "/api/v1/services/{service}/dependencies" => dependencies::of_service,
    "/api/v1/dependencies" => dependencies::list,
    "/api/v1/dependencies/{dependency:.+}" => dependencies::one,
    "/api/v1/queries" => queries::list,
    "/api/v1/queries/{fingerprint}" => queries::one,
    "/api/v1/traces" => traces::list,
    "/api/v1/traces/{trace}" => traces::one,
    "/api/v1/discover" => discover::search,
    "/api/v1/discover/fields" => discover::fields,
    "/api/v1/discover/groups" => discover::groups,
}

/// The description of the routes, OpenAPI 3.1.
pub use openapi::FILE as OPENAPI;
