//! The page that asks a reader for the secret token or an API key.

use std::time::Instant;

use actix_web::http::header;
use actix_web::http::uri::PathAndQuery;
use actix_web::{HttpRequest, HttpResponse, web};
use maud::{DOCTYPE, html};
use serde::Deserialize;

use crate::front::Front;
use crate::route::Access;
use crate::ui;

use super::refusals::Refusal;
use super::respond::{self, code};
use super::{Shared, sessions};

/// The page to go to afterwards.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    next: Option<String>,
}

/// The fields of the form.
#[derive(Deserialize)]
pub(super) struct Form {
    token: String,
    next: Option<String>,
}

/// Sends a browser here, and then back to where it wanted to go.
pub(super) fn redirect(request: &HttpRequest) -> HttpResponse {
    let wanted = request.uri().path_and_query();
    let next = wanted.map_or("/", PathAndQuery::as_str);
    let location = format!("/login?next={}", encode(next));
    HttpResponse::Found()
        .insert_header((header::LOCATION, location))
        .finish()
}

/// `GET /login`
pub(super) async fn page(request: HttpRequest, wanted: web::Query<Wanted>) -> HttpResponse {
    form(&request, 200, wanted.next.as_deref(), None)
}

/// `POST /login`
pub(super) async fn submit(
    request: HttpRequest,
    shared: web::Data<Shared>,
    sent: web::Form<Form>,
) -> HttpResponse {
    let (next, guard) = (sent.next.as_deref(), &shared.guard);
    let (client, now) = (Front::from_request(&request).client, Instant::now());
    if let Some(left) = guard.logins.wait(client, now) {
        guard.refusals.count(Refusal::Attempts);
        let seconds = respond::seconds(left);
        let trouble =
            format!("Too many wrong secrets came from this address: try again in {seconds} s.");
        let mut answer = form(&request, 429, next, Some(&trouble));
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
        return answer;
    }
    // If no secret is needed, whatever is typed is right.
    let anyone = guard.credentials.anyone();
    let Some(holder) = anyone.or_else(|| guard.credentials.typed(&sent.token)) else {
        guard.logins.failed(client, now);
        guard.refusals.count(Refusal::Credentials);
        let trouble = "That is neither the secret token of this server nor an API key.";
        return form(&request, 403, next, Some(trouble));
    };
    if !holder.may(Access::Read) {
        guard.refusals.count(Refusal::Privilege);
        let trouble = "This API key may not read pages: it needs the privilege read.";
        return form(&request, 403, next, Some(trouble));
    }
    let session = guard.sessions.start(holder.secret, now);
    HttpResponse::SeeOther()
        .insert_header(sessions::give(&session))
        .insert_header((header::LOCATION, local(next)))
        .finish()
}

/// `POST /logout`
pub(super) async fn leave(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    for session in sessions::sent(&request) {
        shared.guard.sessions.end(session);
    }
    HttpResponse::SeeOther()
        .insert_header(sessions::give(""))
        .insert_header((header::LOCATION, "/login"))
        .finish()
}

fn form(
    request: &HttpRequest,
    status: u16,
    next: Option<&str>,
    trouble: Option<&str>,
) -> HttpResponse {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Sign in · Pocket APM" }
                link rel="icon" type="image/svg+xml" href=(ui::asset("favicon.svg"));
                @for sheet in ui::sheets() { link rel="stylesheet" href=(sheet); }
            }
            body.login {
                main.panel {
                    h1 { "Pocket APM" }
                    p.soft { "This server asks for the secret token that agents send, or an API key that may read." }
                    @if let Some(trouble) = trouble { p.note-box.note-box--bad role="alert" { (trouble) } }
                    form.form method="post" action="/login" {
                        input type="hidden" name="next" value=(local(next));
                        label for="token" { "Secret token or API key" }
                        input.input.input--text id="token" name="token" type="password" autocomplete="current-password"
                            required autofocus;
                        div.row { button.btn.btn--primary type="submit" { "Sign in" } }
                    }
                }
            }
        }
    };
    HttpResponse::build(code(status))
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(Front::from_request(request).page(page.into_string()))
}

/// A path of this server, never another one's address.
fn local(next: Option<&str>) -> &str {
    let is_local = |next: &&str| {
        // Browsers read a backslash as a slash.
        let plain = !next.contains('\\') && !next.chars().any(char::is_control);
        next.starts_with('/') && !next.starts_with("//") && plain
    };
    next.filter(is_local).unwrap_or("/services")
}

/// A value of a query string.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'~' | b'/' => encoded.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_this_server_only() {
        for other in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "",
            "/a\r\nb",
        ] {
            assert_eq!(local(Some(other)), "/services", "{other}");
        }
        assert_eq!(
            local(Some("/traces/1?from=now-1h")),
            "/traces/1?from=now-1h"
        );
        assert_eq!(encode("/a?b=c&d=é"), "/a%3Fb%3Dc%26d%3D%C3%A9");
    }
}
