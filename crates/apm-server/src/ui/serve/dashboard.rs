//! The forms of the dashboard.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use apm_store::Store;

use super::{back, committed, refused};
use crate::dashboard::{self, Pin};

/// Pins a chart or a page.
pub(in crate::ui) async fn add(
    request: HttpRequest,
    store: Data<Store>,
    form: Form<Vec<(String, String)>>,
) -> HttpResponse {
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let pin = Pin {
        id: 0,
        title: field("title"),
        address: field("address"),
        chart: field("chart"),
    };
    let pin = match pin.checked() {
        Ok(pin) => pin,
        Err(why) => {
            return refused(
                &request,
                StatusCode::BAD_REQUEST,
                "Nothing was pinned.",
                &why,
            );
        }
    };
    let full = format!(
        "{} pins are there already: remove one first.",
        dashboard::MOST
    );
    let written = store.write(move |conn| dashboard::add(conn, &pin));
    done(
        &request,
        written,
        |id| id.is_some(),
        (StatusCode::BAD_REQUEST, &full),
    )
    .await
}

/// Removes a pin.
pub(in crate::ui) async fn remove(
    request: HttpRequest,
    store: Data<Store>,
    id: Path<i64>,
) -> HttpResponse {
    let id = id.into_inner();
    let written = store.write(move |conn| dashboard::remove(conn, id));
    let missing = (StatusCode::NOT_FOUND, "There is no such pin.");
    done(&request, written, |is_gone| *is_gone, missing).await
}

/// Back to the dashboard, or a page that says why nothing was done.
async fn done<T: Send + 'static>(
    request: &HttpRequest,
    written: Result<apm_store::Ticket<T>, apm_store::SubmitError>,
    is_done: impl FnOnce(&T) -> bool,
    (status, why): (StatusCode, &str),
) -> HttpResponse {
    match committed(written).await {
        Ok(value) if is_done(&value) => back(request, "/dashboard"),
        Ok(_) => refused(request, status, "The dashboard was not changed.", why),
        Err(error) => refused(
            request,
            StatusCode::SERVICE_UNAVAILABLE,
            "The dashboard was not changed.",
            &error,
        ),
    }
}
