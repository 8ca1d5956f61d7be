//! Responses of pages: a page, a file, or a page that says why there is neither.

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use apm_store::StoreError;
use flate2::Compression;
use maud::html;

use super::clock;
use crate::front::Front;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::header::QueryState;
use crate::ui::components::shell::{Page, Section, document};
use crate::ui::components::surroundings::Surroundings;
use crate::ui::view::View;
use crate::ui::{assets, isolate};

/// Only this server's own files; nothing inline, no frames, no forms to elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The response.
pub(super) enum Made {
    Page(StatusCode, String),
    /// A file of this name.
    File(String, Vec<u8>),
    TooLarge,
}

pub(super) fn whole(view: &View, around: &Surroundings, status: StatusCode, page: &Page) -> Made {
    Made::Page(status, document(view, around, page).into_string())
}

pub(super) fn respond(request: &HttpRequest, made: Result<Made, StoreError>) -> HttpResponse {
    match made {
        Ok(Made::TooLarge) => {
            log::warn!("the page {} would be too large", request.path());
            refused(
                request,
                StatusCode::BAD_REQUEST,
                "This page would be too large.",
                "Choose a shorter range, or filter.",
            )
        }
        Ok(Made::Page(status, text)) => html_response(request, status, text),
        Ok(Made::File(name, file)) => HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .insert_header((
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{name}\""),
            ))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(file),
        Err(error) => {
            log::warn!("cannot answer {}: {error}", request.path());
            refused(
                request,
                StatusCode::SERVICE_UNAVAILABLE,
                "The database did not answer.",
                &error.to_string(),
            )
        }
    }
}

pub(super) fn no_such_table(request: &HttpRequest) -> HttpResponse {
    refused(
        request,
        StatusCode::NOT_FOUND,
        "This page does not have that table.",
        "Open the page again and use its CSV button.",
    )
}

pub(in crate::ui) fn no_marker(request: &HttpRequest) -> HttpResponse {
    let why = "Give it a name, such as: before the index.";
    refused(
        request,
        StatusCode::BAD_REQUEST,
        "A marker needs a name.",
        why,
    )
}

pub(in crate::ui) fn not_stored(request: &HttpRequest, why: &str) -> HttpResponse {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    refused(request, status, "This was not stored.", why)
}

/// To a page, as it was when one of its forms was sent: the address of the form has its parameters.
pub(in crate::ui) fn back(request: &HttpRequest, page: &str) -> HttpResponse {
    let location = match request.query_string() {
        "" => page.to_owned(),
        query => format!("{page}?{query}"),
    };
    see_other(&location)
}

/// To another page, which is read anew.
pub(in crate::ui) fn see_other(address: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, address))
        .finish()
}

/// A page for an address that leads nowhere.
pub(in crate::ui) fn not_found(request: &HttpRequest) -> HttpResponse {
    refused(
        request,
        StatusCode::NOT_FOUND,
        "This page does not exist.",
        "The address may be wrong, or belong to another version.",
    )
}

/// `sent_from`: the address of the page whose form was not taken.
fn trouble(section: Section, sent_from: Option<&str>, what: &str, why: &str) -> Page {
    let body = html! {
        (page_head(&[Crumb::here("Pocket APM")], what, why))
        div.row {
            @match sent_from {
                Some(page) => a.btn.btn--primary href=(page) { "Back to " (section.title()) },
                None => a.btn.btn--primary href="/services" { "Services, last 15 minutes" },
            }
        }
    };
    Page {
        title: what.to_owned(),
        section,
        service: None,
        query: QueryState::default(),
        body,
        fresh: false,
    }
}

pub(super) fn html_response(
    request: &HttpRequest,
    status: StatusCode,
    text: String,
) -> HttpResponse {
    let text = Front::from_request(request).page(isolate::settle(text));
    let mut response = HttpResponseBuilder::new(status);
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        // The zone and the theme come in cookies, and a script asks for a part by a header.
        .insert_header((header::VARY, "accept-encoding, cookie, x-fragment"));
    // Below a packet or so compression only costs time.
    if text.len() > 1_400 && assets::takes_gzip(request) {
        let body = assets::gzip(text.as_bytes(), Compression::fast());
        return response
            .insert_header((header::CONTENT_ENCODING, "gzip"))
            .body(body);
    }
    response.body(text)
}

/// A page that says why something was not done.
pub(super) fn refused(
    request: &HttpRequest,
    status: StatusCode,
    what: &str,
    why: &str,
) -> HttpResponse {
    let section = Section::of_path(request.path());
    // The address of a form shows nothing itself.
    let sent_from = (request.method() == Method::POST).then(|| section.address());
    let path = sent_from.as_deref().unwrap_or(request.path());
    let view = View::fallback(path, clock(request));
    let page = trouble(section, sent_from.as_deref(), what, why);
    let page = document(&view, &Surroundings::default(), &page);
    html_response(request, status, page.into_string())
}
