//! `/api/v1`: the answers of pages as JSON, with the same path and the same parameters.
//!
//! * Parameters are read by `answers`; what is wrong is answered with 400 and `{"error", "parameter"}`.
//! * Answers carry an ETag made of the data's version and the question as it was understood, so that a client that asks
//!   again pays nothing while nothing has arrived.
//! * One table has every address: the routes, their access and their description come from it.

mod actions;
mod openapi;
mod respond;

use actix_web::web::ServiceConfig;

use crate::answers::{self, Question};
use crate::route::Access::Read;
use crate::route::Route;
use openapi::{Operation, Reply};

/// An address of the API, with the description of each of its methods.
struct Endpoint {
    route: Route,
    operations: Vec<Operation>,
}

impl Endpoint {
    fn new(route: Route, operations: Vec<Operation>) -> Self {
        let route = route.for_programs();
        Self { route, operations }
    }
}

/// The addresses of a question.
fn answers<Q: Question>() -> impl Iterator<Item = Endpoint> {
    let endpoint = |address: &answers::Address| {
        let operation = Operation {
            method: "get",
            summary: Q::SUMMARY,
            parameters: respond::parameters::<Q>(),
            body: None,
            reply: Reply::Answer(openapi::schema::<Q::Answer>),
        };
        let route = Route::at(address.data).get(Read, respond::answer::<Q>);
        Endpoint::new(route, vec![operation])
    };
    Q::ADDRESSES.iter().map(endpoint)
}

/// The table of all addresses. Handlers expect a [`apm_store::Store`] and [`Settings`] as application data.
fn table() -> Vec<Endpoint> {
    let mut all = vec![openapi::endpoint()];
    all.extend(answers::<answers::services::Params>());
    all.extend(answers::<answers::service::Params>());
    all.extend(answers::<answers::transactions::Params>());
    all.extend(answers::<answers::transaction::Params>());
    all.extend(answers::<answers::errors::All>());
    all.extend(answers::<answers::errors::Params>());
    all.extend(answers::<answers::error::Params>());
    all.extend(answers::<answers::metrics::Params>());
    all.extend(answers::<answers::dependencies::All>());
    all.extend(answers::<answers::dependencies::Params>());
    all.extend(answers::<answers::dependency::Params>());
    all.extend(answers::<answers::queries::Params>());
    all.extend(answers::<answers::statement::Params>());
    all.extend(answers::<answers::statement::CallersParams>());
    all.extend(answers::<answers::statement::GrowthParams>());
    all.extend(answers::<answers::statement::PlanParams>());
    all.extend(answers::<answers::traces::Params>());
    all.extend(answers::<answers::trace::Params>());
    all.extend(answers::<answers::discover::Params>());
    all.extend(answers::<answers::discover::FieldsParams>());
    all.extend(answers::<answers::discover::GroupsParams>());
    all.extend(answers::<answers::insights::Params>());
    all.extend(answers::<answers::compare::Params>());
    all.extend(answers::<answers::check::Params>());
    all.extend(answers::<answers::settings::Params>());
    all.extend(answers::<answers::compare::MarkersParams>().map(actions::with_markers));
    all.extend(answers::<answers::console::Params>().map(actions::with_body));
    all.extend(actions::insights());
    all
}

/// The routes of the table.
pub(crate) fn routes() -> Vec<Route> {
    table().into_iter().map(|endpoint| endpoint.route).collect()
}

/// Adds the routes without a guard, for an application that has one of its own.
pub fn configure(app: &mut ServiceConfig) {
    for route in routes() {
        app.service(route.resource);
    }
}

pub use crate::answers::Settings;
pub use crate::answers::trace::TracePart;
pub use openapi::{addresses, document};
