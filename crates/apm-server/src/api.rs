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

use actix_web::web::{self, ServiceConfig};

/// Gives the routes their handlers, and the tests their methods and paths.
macro_rules! routes {
    ($($path:literal => $($method:ident $handler:path),+;)+) => {
        /// The methods and paths that [`configure`] adds, as actix writes them; HEAD is answered as GET is.
        pub const ROUTES: &[(&str, &str)] = &[$($((stringify!($method), $path)),+),+];

        /// Adds the routes. Handlers expect a [`crate::store::Store`] and [`Settings`] as application data.
        pub fn configure(app: &mut ServiceConfig) {
            // A resource for each path: it refuses any other method with 405 and `Allow`.
            app$(.service(routes!(@ web::resource($path) $(, $method $handler)+)))+;
        }
    };
    (@ $resource:expr) => { $resource };
    (@ $resource:expr, get $handler:path $(, $method:ident $other:path)*) => {
        routes!(@ $resource.route(web::get().to($handler)).route(web::head().to($handler)) $(, $method $other)*)
    };
    (@ $resource:expr, post $handler:path $(, $method:ident $other:path)*) => {
        routes!(@ $resource.route(web::post().to($handler)) $(, $method $other)*)
    };
}

routes! {
    "/api/v1/openapi.json" => get openapi::file;
    "/api/v1/services" => get services::list;
    "/api/v1/services/{service}" => get services::one;
    "/api/v1/services/{service}/transactions" => get transactions::list;
    "/api/v1/services/{service}/transactions/view" => get transactions::one;
    "/api/v1/errors" => get errors::list;
    "/api/v1/services/{service}/errors" => get errors::list;
    "/api/v1/services/{service}/errors/{key}" => get errors::one;
    "/api/v1/services/{service}/metrics" => get metrics::page;
    "/api/v1/services/{service}/dependencies" => get dependencies::of_service;
    "/api/v1/dependencies" => get dependencies::list;
    "/api/v1/dependencies/{dependency:.+}" => get dependencies::one;
    "/api/v1/queries" => get queries::list;
    "/api/v1/queries/{fingerprint}" => get queries::one;
    "/api/v1/queries/{fingerprint}/callers" => get insight::callers;
    "/api/v1/queries/{fingerprint}/growth" => get insight::growth;
    "/api/v1/queries/{fingerprint}/plan" => get insight::plan;
    "/api/v1/traces" => get traces::list;
    "/api/v1/traces/{trace}" => get traces::one;
    "/api/v1/discover" => get discover::search;
    "/api/v1/discover/fields" => get discover::fields;
    "/api/v1/discover/groups" => get discover::groups;
    "/api/v1/insights" => get insight::insights;
    "/api/v1/insights/{id}/dismiss" => post insight::dismiss;
    "/api/v1/insights/{id}/restore" => post insight::restore;
    "/api/v1/markers" => get insight::markers, post insight::set_marker;
    "/api/v1/compare" => get insight::compare;
    "/api/v1/check" => get insight::check;
    "/api/v1/sql" => get insight::sql, post insight::sql_of_body;
}

pub use insight::Settings;

/// The description of the routes, OpenAPI 3.1.
pub use openapi::FILE as OPENAPI;
