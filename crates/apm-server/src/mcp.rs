//! `/mcp`: the Model Context Protocol, by which assistants ask what the pages show.
//!
//! Streamable HTTP without sessions: a request is a POST of one JSON-RPC message, and its answer is JSON. Tools are
//! questions of `answers`, asked with the same parameters and the same access; their answers are short texts with a
//! link to the page.

mod protocol;
mod resource;
mod text;
mod tools;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;
use serde_json::{Value, json};

use crate::answers::Settings;
use crate::front::Front;
use crate::route::Access::Read;
use crate::route::Route;
use protocol::{Fault, Incoming};

/// The route.
pub(crate) fn route() -> Route {
    Route::at("/mcp").post(Read, answer).for_programs()
}

/// Answers a message. One that wants no answer is answered 202.
async fn answer(
    request: HttpRequest,
    body: Bytes,
    store: Data<Store>,
    settings: Data<Settings>,
) -> HttpResponse {
    let (id, done) = match protocol::read(&body) {
        Err(fault) => (Value::Null, Err(fault)),
        Ok(Incoming::Notice) => return HttpResponse::Accepted().finish(),
        Ok(Incoming::Request { id, method, params }) => {
            let url = Front::from_request(&request).url();
            (id, call(&method, &params, &url, (&store, &settings)).await)
        }
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(protocol::written(&id, done).to_string())
}

/// Does what a method asks for. `url`: of the pages.
async fn call(
    method: &str,
    params: &Value,
    url: &str,
    (store, settings): (&Store, &Settings),
) -> Result<Value, Fault> {
    match method {
        "initialize" => Ok(protocol::welcome(params)),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({"tools": tools::list()})),
        "tools/call" => tools::call(params, url, store, settings).await,
        "resources/list" => Ok(json!({"resources": [resource::described()]})),
        "resources/templates/list" => Ok(json!({"resourceTemplates": []})),
        "resources/read" => resource::read(params, store).await,
        other => Err(Fault::method(other)),
    }
}
