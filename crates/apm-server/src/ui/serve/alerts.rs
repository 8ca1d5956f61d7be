//! The forms of `/alerts`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use apm_alerts::{AlertError, Alerts};

use super::{back, refused};
use crate::ui::pages::alerts::{read_receiver, read_rule};
use crate::ui::pages::slos::read_objective;

/// The fields of a form.
type Fields = Form<Vec<(String, String)>>;

/// Keeps a rule.
pub(in crate::ui) async fn save_rule(
    request: HttpRequest,
    alerts: Data<Alerts>,
    form: Fields,
) -> HttpResponse {
    match read_rule(&form) {
        Ok(rule) => done(&request, alerts.save_rule(rule).await),
        Err(why) => wrong(&request, &why),
    }
}

/// Silences, tests or deletes a rule.
pub(in crate::ui) async fn change_rule(
    request: HttpRequest,
    alerts: Data<Alerts>,
    path: Path<(String, String)>,
    form: Fields,
) -> HttpResponse {
    let (id, action) = path.into_inner();
    match &*action {
        "silence" => {
            let seconds = form.iter().find(|(key, _)| key == "seconds");
            match seconds.and_then(|(_, value)| value.parse().ok()) {
                Some(seconds) => done(&request, alerts.silence(&id, seconds).await),
                None => wrong(&request, "The form has no number of seconds."),
            }
        }
        "test" => done(&request, alerts.test_rule(&id).await),
        "delete" => done(&request, alerts.delete_rule(&id).await),
        _ => super::not_found(&request),
    }
}

/// Keeps a receiver.
pub(in crate::ui) async fn save_receiver(
    request: HttpRequest,
    alerts: Data<Alerts>,
    form: Fields,
) -> HttpResponse {
    match read_receiver(&form) {
        Ok(receiver) => done(&request, alerts.save_receiver(receiver).await),
        Err(why) => wrong(&request, &why),
    }
}

/// Tests or deletes a receiver.
pub(in crate::ui) async fn change_receiver(
    request: HttpRequest,
    alerts: Data<Alerts>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (name, action) = path.into_inner();
    match &*action {
        "test" => done(&request, alerts.test_receiver(&name).await),
        "delete" => done(&request, alerts.delete_receiver(&name).await),
        _ => super::not_found(&request),
    }
}

/// Keeps an objective.
pub(in crate::ui) async fn save_objective(
    request: HttpRequest,
    alerts: Data<Alerts>,
    form: Fields,
) -> HttpResponse {
    match read_objective(&form) {
        Ok(objective) => done_at(&request, "/slos", alerts.save_objective(objective).await),
        Err(why) => wrong(&request, &why),
    }
}

/// Deletes an objective.
pub(in crate::ui) async fn delete_objective(
    request: HttpRequest,
    alerts: Data<Alerts>,
    id: Path<String>,
) -> HttpResponse {
    done_at(&request, "/slos", alerts.delete_objective(&id).await)
}

/// Back to the page, or a page that says why nothing was done.
fn done<T>(request: &HttpRequest, result: Result<T, AlertError>) -> HttpResponse {
    done_at(request, "/alerts", result)
}

fn done_at<T>(
    request: &HttpRequest,
    page: &'static str,
    result: Result<T, AlertError>,
) -> HttpResponse {
    let status = match &result {
        Ok(_) => return back(request, page),
        Err(AlertError::Unknown { .. }) => StatusCode::NOT_FOUND,
        Err(AlertError::Store(_) | AlertError::Submit(_)) => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::BAD_REQUEST,
    };
    let why = result.err().map(|error| error.to_string());
    refused(
        request,
        status,
        "This was not done.",
        &why.unwrap_or_default(),
    )
}

fn wrong(request: &HttpRequest, why: &str) -> HttpResponse {
    refused(request, StatusCode::BAD_REQUEST, "This was not saved.", why)
}
