//! `/api/v1`: the answers of pages as JSON, with the same path and the same parameters.
//!
//! * Parameters are read by `answers`; what is wrong is answered with 400 and `{"error", "parameter"}`.
//! * Answers carry an ETag made of the data's version and the question as it was understood, so that a client that asks
//!   again pays nothing while nothing has arrived.
//! * One table has every address: the routes, their access and their description come from it.

mod actions;
mod alerts;
mod dashboard;
mod errors;
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

/// The address of a question.
fn answer<Q: Question>() -> Endpoint {
    let operation = Operation {
        method: "get",
        summary: Q::SUMMARY,
        parameters: respond::parameters::<Q>,
        body: None,
        reply: Reply::Answer(openapi::schema::<Q::Answer>),
    };
    let route = Route::at(Q::ADDRESS.data).get(Read, respond::QuestionKind::of::<Q>().handler());
    Endpoint::new(route, vec![operation])
}

/// The table of all addresses. Handlers expect a [`apm_store::Store`] and [`Settings`] as application data.
fn table() -> Vec<Endpoint> {
    let mut all = vec![
        openapi::endpoint(),
        answer::<answers::services::Params>(),
        answer::<answers::service::Params>(),
        answer::<answers::transactions::Params>(),
        answer::<answers::transaction::Params>(),
        answer::<answers::correlations::Params>(),
        answer::<answers::errors::All>(),
        answer::<answers::errors::Params>(),
        answer::<answers::error::Params>(),
        answer::<answers::metrics::Params>(),
        answer::<answers::instances::Params>(),
        answer::<answers::versions::Params>(),
        answer::<answers::dependencies::All>(),
        answer::<answers::dependencies::Params>(),
        answer::<answers::dependency::Params>(),
        answer::<answers::service_map::All>(),
        answer::<answers::service_map::Params>(),
        answer::<answers::vitals::Params>(),
        answer::<answers::queries::Params>(),
        answer::<answers::statement::Params>(),
        answer::<answers::statement::CallersParams>(),
        answer::<answers::statement::GrowthParams>(),
        answer::<answers::statement::PlanParams>(),
        answer::<answers::traces::Params>(),
        answer::<answers::kept::Params>(),
        answer::<answers::trace::Params>(),
        answer::<answers::compare_traces::Params>(),
        answer::<answers::logs::All>(),
        answer::<answers::logs::Params>(),
        answer::<answers::discover::Params>(),
        answer::<answers::discover::FieldsParams>(),
        answer::<answers::discover::GroupsParams>(),
        answer::<answers::insights::Params>(),
        answer::<answers::alerts::Params>(),
        alerts::with_objectives(answer::<answers::slos::Params>()),
        answer::<answers::compare::Params>(),
        dashboard::with_pins(answer::<answers::dashboard::Params>()),
        answer::<answers::check::Params>(),
        answer::<answers::check::BaselineParams>(),
        answer::<answers::settings::Params>(),
        actions::with_markers(answer::<answers::compare::MarkersParams>()),
        actions::with_body(answer::<answers::console::Params>()),
        answer::<answers::console::SchemaParams>(),
    ];
    all.extend(actions::insights());
    all.push(actions::pins());
    all.extend(alerts::changes());
    all.push(errors::change());
    all.push(dashboard::remove());
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
