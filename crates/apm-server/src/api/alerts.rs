//! Changes of rules and receivers of alerts.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Path};
use apm_alerts::Alerts;
use apm_alerts::receiver::{Receiver, Written};
use apm_alerts::rule::Rule;
use apm_alerts::slo::Objective;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Endpoint;
use super::openapi::{Operation, Reply, schema};
use crate::answers::Problem;
use crate::answers::parameter::{Described, Parameter, Place};
use crate::route::Access::Admin;
use crate::route::Route;

const ID: Parameter = Parameter::text("id", "`id` of a rule.");
const OBJECTIVE: Parameter = Parameter::text("id", "`id` of an objective.");
const NAME: Parameter = Parameter::text("name", "`name` of a receiver.");

/// The addresses that change something.
pub(super) fn changes() -> Vec<Endpoint> {
    let rule = || in_path(ID);
    let receiver = || in_path(NAME);
    let address = Route::at;
    vec![
        endpoint(
            address("/api/v1/alerts/rules").post(Admin, save_rule),
            "Make a rule, or replace the one with its `id`",
            Vec::new,
            Some(body::<Rule>()),
            Reply::Created(schema::<Rule>),
        ),
        endpoint(
            address("/api/v1/alerts/rules/{id}/delete").post(Admin, delete_rule),
            "Delete a rule; one that comes with the program is as it was",
            rule,
            None,
            Reply::Done,
        ),
        endpoint(
            address("/api/v1/alerts/rules/{id}/silence").post(Admin, silence),
            "Send nothing for a rule for some time; 0 ends it",
            rule,
            Some(body::<Silence>()),
            Reply::Done,
        ),
        endpoint(
            address("/api/v1/alerts/rules/{id}/test").post(Admin, test_rule),
            "Send a message that says what the rule would find now",
            rule,
            None,
            Reply::Done,
        ),
        endpoint(
            address("/api/v1/alerts/receivers").post(Admin, save_receiver),
            "Make a receiver, or replace the one with its name",
            Vec::new,
            Some(body::<Written>()),
            Reply::Done,
        ),
        endpoint(
            address("/api/v1/alerts/receivers/{name}/delete").post(Admin, delete_receiver),
            "Delete a receiver",
            receiver,
            None,
            Reply::Done,
        ),
        endpoint(
            address("/api/v1/alerts/receivers/{name}/test").post(Admin, test_receiver),
            "Send a message to a receiver",
            receiver,
            None,
            Reply::Done,
        ),
        endpoint(
            address("/api/v1/slos/{id}/delete").post(Admin, delete_objective),
            "Delete an objective",
            || in_path(OBJECTIVE),
            None,
            Reply::Done,
        ),
    ]
}

/// Adds saving to the address of objectives.
pub(super) fn with_objectives(mut endpoint: Endpoint) -> Endpoint {
    endpoint.route = endpoint.route.post(Admin, save_objective);
    endpoint.operations.push(Operation {
        method: "post",
        summary: "Set an objective, or replace the one with its `id`",
        parameters: Vec::new,
        body: Some(body::<Objective>()),
        reply: Reply::Created(schema::<Objective>),
    });
    endpoint
}

fn endpoint(
    route: Route,
    summary: &'static str,
    parameters: fn() -> Vec<Described>,
    body: Option<Value>,
    reply: Reply,
) -> Endpoint {
    let operation = Operation {
        method: "post",
        summary,
        parameters,
        body,
        reply,
    };
    Endpoint::new(route, vec![operation])
}

fn in_path(parameter: Parameter) -> Vec<Described> {
    vec![Described {
        parameter,
        place: Place::Path,
        required: true,
    }]
}

/// The description of a JSON body.
pub(super) fn body<T: JsonSchema>() -> Value {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let schema = settings.into_generator().into_root_schema_for::<T>();
    json!({"required": true, "content": {"application/json": {"schema": schema}}})
}

/// The time of a silence.
#[derive(Deserialize, JsonSchema)]
struct Silence {
    /// Seconds from now on, at most 30 days.
    seconds: i64,
}

/// Reads a body; the error names what is wrong, and never repeats an address.
pub(super) fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::Parameter {
        parameter: "body",
        problem: error.to_string(),
    })
}

fn done() -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::NoContent().finish())
}

async fn save_objective(body: Bytes, alerts: Data<Alerts>) -> Result<HttpResponse, Problem> {
    let objective = alerts.save_objective(read(&body)?).await?;
    Ok(HttpResponse::Created().json(objective))
}

async fn delete_objective(id: Path<String>, alerts: Data<Alerts>) -> Result<HttpResponse, Problem> {
    alerts.delete_objective(&id).await?;
    done()
}

async fn save_rule(body: Bytes, alerts: Data<Alerts>) -> Result<HttpResponse, Problem> {
    let rule = alerts.save_rule(read(&body)?).await?;
    Ok(HttpResponse::Created().json(rule))
}

async fn delete_rule(id: Path<String>, alerts: Data<Alerts>) -> Result<HttpResponse, Problem> {
    alerts.delete_rule(&id).await?;
    done()
}

async fn silence(
    id: Path<String>,
    body: Bytes,
    alerts: Data<Alerts>,
) -> Result<HttpResponse, Problem> {
    let silence: Silence = read(&body)?;
    alerts.silence(&id, silence.seconds).await?;
    done()
}

async fn test_rule(id: Path<String>, alerts: Data<Alerts>) -> Result<HttpResponse, Problem> {
    alerts.test_rule(&id).await?;
    done()
}

async fn save_receiver(body: Bytes, alerts: Data<Alerts>) -> Result<HttpResponse, Problem> {
    let receiver: Receiver = read(&body)?;
    alerts.save_receiver(receiver).await?;
    done()
}

async fn delete_receiver(
    name: Path<String>,
    alerts: Data<Alerts>,
) -> Result<HttpResponse, Problem> {
    alerts.delete_receiver(&name).await?;
    done()
}

async fn test_receiver(name: Path<String>, alerts: Data<Alerts>) -> Result<HttpResponse, Problem> {
    alerts.test_receiver(&name).await?;
    done()
}
