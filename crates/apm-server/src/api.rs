//! `/api/v1`: the JSON twin of every page, with the same path and the same parameters.
//!
//! * Parameters are read by `params`; what is wrong is answered with 400 and `{"error", "parameter"}`.
//! * Answers carry an ETag made of the data's version and the question as it was understood, so that a
//!   client that asks again pays nothing while nothing has arrived.
//! * Handlers are short: they read parameters, and hand a question of `analytics` to the store's
//!   readers. What there is to ask, and with what, stands in `api/openapi.json`, which a test compares
//!   with [`ROUTES`] and with real answers.

mod answer;
mod dependencies;
mod discover;
mod error;
mod errors;
mod insight;
mod metrics;
mod openapi;
mod params;
mod queries;
mod services;
mod traces;
mod transactions;

use actix_web::web::ServiceConfig;

use crate::route::Access::{Admin, Read};
use crate::route::Route;

/// Gives the routes their handlers, and the tests their methods and paths.
macro_rules! routes {
    ($($path:literal => $($method:ident($access:ident) $handler:path),+;)+) => {
        /// The methods and paths that are answered, as actix writes them; HEAD is answered as GET is.
        pub const ROUTES: &[(&str, &str)] = &[$($((stringify!($method), $path)),+),+];

        /// The routes. Handlers expect a [`apm_store::Store`] and [`Settings`] as application data.
        pub(crate) fn routes() -> Vec<Route> {
            vec![$(Route::at($path).for_programs()$(.$method($access, $handler))+),+]
        }
    };
}

/// Adds the routes without a guard, for an application that has one of its own.
pub fn configure(app: &mut ServiceConfig) {
    for route in routes() {
        app.service(route.resource);
    }
}

routes! {
    "/api/v1/openapi.json" => get(Read) openapi::file;
    "/api/v1/services" => get(Read) services::list;
    "/api/v1/services/{service}" => get(Read) services::one;
    "/api/v1/services/{service}/transactions" => get(Read) transactions::list;
    "/api/v1/services/{service}/transactions/view" => get(Read) transactions::one;
    "/api/v1/errors" => get(Read) errors::list;
    "/api/v1/services/{service}/errors" => get(Read) errors::list;
    "/api/v1/services/{service}/errors/{key}" => get(Read) errors::one;
    "/api/v1/services/{service}/metrics" => get(Read) metrics::page;
    "/api/v1/services/{service}/dependencies" => get(Read) dependencies::of_service;
    "/api/v1/dependencies" => get(Read) dependencies::list;
    "/api/v1/dependencies/{dependency:.+}" => get(Read) dependencies::one;
    "/api/v1/queries" => get(Read) queries::list;
    "/api/v1/queries/{fingerprint}" => get(Read) queries::one;
    "/api/v1/queries/{fingerprint}/callers" => get(Read) insight::callers;
    "/api/v1/queries/{fingerprint}/growth" => get(Read) insight::growth;
    "/api/v1/queries/{fingerprint}/plan" => get(Read) insight::plan;
    "/api/v1/traces" => get(Read) traces::list;
    "/api/v1/traces/{trace}" => get(Read) traces::one;
    "/api/v1/discover" => get(Read) discover::search;
    "/api/v1/discover/fields" => get(Read) discover::fields;
    "/api/v1/discover/groups" => get(Read) discover::groups;
    "/api/v1/insights" => get(Read) insight::insights;
    "/api/v1/insights/{id}/dismiss" => post(Admin) insight::dismiss;
    "/api/v1/insights/{id}/restore" => post(Admin) insight::restore;
    "/api/v1/markers" => get(Read) insight::markers, post(Admin) insight::set_marker;
    "/api/v1/compare" => get(Read) insight::compare;
    "/api/v1/check" => get(Read) insight::check;
    "/api/v1/sql" => get(Read) insight::sql, post(Read) insight::sql_of_body;
}

pub use insight::Settings;

/// The description of the routes, OpenAPI 3.1.
pub use openapi::FILE as OPENAPI;
pub use traces::TracePart;
