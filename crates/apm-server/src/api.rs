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
    ($($method:ident $path:literal => $handler:path,)+) => {
        /// The methods and paths that [`configure`] adds, as actix writes them.
        pub const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),+];

        /// Adds the routes. Handlers expect a [`crate::store::Store`] and [`Settings`] as application data.
        pub fn configure(app: &mut ServiceConfig) {
            app$(.route($path, web::$method().to($handler)))+;
        }
    };
}

routes! {
    get "/api/v1/openapi.json" => openapi::file,
    get "/api/v1/services" => services::list,
    get "/api/v1/services/{service}" => services::one,
    get "/api/v1/services/{service}/transactions" => transactions::list,
    get "/api/v1/services/{service}/transactions/view" => transactions::one,
    get "/api/v1/services/{service}/errors" => errors::list,
    get "/api/v1/services/{service}/errors/{key}" => errors::one,
    get "/api/v1/services/{service}/metrics" => metrics::page,
    get "/api/v1/services/{service}/dependencies" => dependencies::of_service,
    get "/api/v1/dependencies" => dependencies::list,
    get "/api/v1/dependencies/{dependency:.+}" => dependencies::one,
    get "/api/v1/queries" => queries::list,
    get "/api/v1/queries/{fingerprint}" => queries::one,
    get "/api/v1/queries/{fingerprint}/callers" => insight::callers,
    get "/api/v1/queries/{fingerprint}/growth" => insight::growth,
    get "/api/v1/queries/{fingerprint}/plan" => insight::plan,
    get "/api/v1/traces" => traces::list,
    get "/api/v1/traces/{trace}" => traces::one,
    get "/api/v1/discover" => discover::search,
    get "/api/v1/discover/fields" => discover::fields,
    get "/api/v1/discover/groups" => discover::groups,
    get "/api/v1/insights" => insight::insights,
    post "/api/v1/insights/{id}/dismiss" => insight::dismiss,
    post "/api/v1/insights/{id}/restore" => insight::restore,
    get "/api/v1/markers" => insight::markers,
    post "/api/v1/markers" => insight::set_marker,
    get "/api/v1/compare" => insight::compare,
    get "/api/v1/check" => insight::check,
    get "/api/v1/sql" => insight::sql,
    post "/api/v1/sql" => insight::sql_of_body,
}

pub use insight::Settings;

/// The description of the routes, OpenAPI 3.1.
pub use openapi::FILE as OPENAPI;
