//! The middleware for actix-web.

use actix_web::Error;
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::TestRequest;
use actix_web::web::Bytes;
use apm_agent::testing::Recorded;
use serde_json::Value;

macro_rules! app {
    ($recorder:expr, $($part:tt)*) => {
        actix_web::test::init_service(
            actix_web::App::new()$($part)*.wrap($recorder.agent().middleware())
        ).await
    };
}

mod bodies;
mod errors;
mod request_cost;
mod requests;

/// Calls an application and sends its body to the end.
async fn call<B: MessageBody>(
    app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    request: TestRequest,
) -> (u16, Bytes) {
    match app.call(request.to_request()).await {
        Ok(response) => {
            let status = response.status().as_u16();
            (
                status,
                to_bytes(response.into_body()).await.unwrap_or_default(),
            )
        }
        Err(error) => (
            error.as_response_error().status_code().as_u16(),
            Bytes::new(),
        ),
    }
}

fn only(recorded: &Recorded) -> &Value {
    let [transaction] = &recorded.transactions[..] else {
        panic!("{recorded:#?}")
    };
    transaction
}

#[derive(Debug, thiserror::Error)]
#[error("the upstream is gone")]
struct Gone;

impl actix_web::ResponseError for Gone {}
