//! Answers as Elastic's server words and lays them out.

use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use apm_intake::otlp::Encoding;
use serde::Serialize;
use serde_json::json;

use crate::otlp::{self, Status};

/// A JSON body: indented where the caller asks for JSON, else compact and labelled as text.
pub(super) fn json(request: &HttpRequest, status: u16, body: &impl Serialize) -> HttpResponse {
    let mut response = HttpResponse::build(code(status));
    // Elastic's server closes the connection with every refusal.
    if status >= 400 {
        response.force_close();
    }
    let text = match accepts(request, "application/json") || accepts(request, "*/*") {
        true => {
            response.insert_header((header::CONTENT_TYPE, "application/json"));
            serde_json::to_string_pretty(body)
        }
        false => {
            response.insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"));
            serde_json::to_string(body)
        }
    };
    response.body(text.unwrap_or_default() + "\n")
}

/// A refusal: `{"error": "…"}`, or to a sender of OTLP what it can read.
pub(super) fn error(request: &HttpRequest, status: u16, message: &str) -> HttpResponse {
    if !otlp::is_path(request.path()) {
        return json(request, status, &json!({ "error": message }));
    }
    let kind = request.headers().get(header::CONTENT_TYPE);
    let encoding = kind.and_then(|kind| otlp::of_media_type(kind.to_str().ok()?));
    let refused = Status::of_http(status, message);
    self::status(encoding.unwrap_or(Encoding::Json), status, &refused)
}

/// A refusal of telemetry in an encoding of OTLP.
pub(super) fn status(encoding: Encoding, status: u16, refused: &Status) -> HttpResponse {
    let mut response = HttpResponse::build(code(status));
    response.force_close();
    response.insert_header((header::CONTENT_TYPE, otlp::media_type(encoding)));
    if let Some(retry) = refused.retry {
        response.insert_header((header::RETRY_AFTER, seconds(retry)));
    }
    response.body(refused.encode(encoding))
}

/// The server has more to do than it can.
pub(super) fn busy(request: &HttpRequest) -> HttpResponse {
    let mut response = error(request, 503, "the server is busy: try again in a moment");
    let in_a_second = header::HeaderValue::from_static("1");
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, in_a_second);
    response
}

/// A refusal of someone who has to wait before the next try.
pub(super) fn wait(request: &HttpRequest, left: Duration) -> HttpResponse {
    let mut response = error(request, 429, &wait_message(left));
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, seconds(left).into());
    response
}

/// The words of that refusal.
pub(super) fn wait_message(left: Duration) -> String {
    let seconds = seconds(left);
    format!(
        "authentication failed: too many wrong secrets came from this address: wait {seconds} s"
    )
}

/// Whole seconds, at least one.
pub(super) fn seconds(left: Duration) -> u64 {
    left.as_millis().div_ceil(1000).max(1) as u64
}

/// Nothing but a status.
pub(super) fn empty(status: u16) -> HttpResponse {
    HttpResponse::new(code(status))
}

/// A status that the program chose.
pub(super) fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Whether an `Accept` header names a type. A header that is not there names none.
fn accepts(request: &HttpRequest, kind: &str) -> bool {
    let mut values = request.headers().get_all(header::ACCEPT);
    values.any(|value| value.to_str().is_ok_and(|value| value.contains(kind)))
}

/// Whether a browser asks for a page: it says that it navigates, or accepts what only browsers do. `text/html` alone
/// tells nothing, as Java's own client names it by default, and an agent that gets a page takes this for a server
/// without its features.
pub(super) fn wants_page(request: &HttpRequest) -> bool {
    let said = |name: &str| {
        let value = request.headers().get(name)?;
        value.to_str().ok()
    };
    if let Some(mode) = said("sec-fetch-mode") {
        return mode == "navigate";
    }
    let agent = said("user-agent").unwrap_or_default().to_ascii_lowercase();
    accepts(request, "application/xhtml+xml") && !is_agent(&agent)
}

/// Whether a user agent, in lower case, is that of an APM agent.
fn is_agent(name: &str) -> bool {
    ["elasticapm-", "elastic-apm", "apm-agent"]
        .iter()
        .any(|agent| name.starts_with(agent))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_a_browser_that_navigates_gets_a_page() {
        const FIREFOX: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        const JAVA: &str = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";
        for (accept, mode, agent, page) in [
            (FIREFOX, "", "Mozilla/5.0", true),
            (FIREFOX, "navigate", "Mozilla/5.0", true),
            ("*/*", "navigate", "Mozilla/5.0", true),
            (FIREFOX, "cors", "Mozilla/5.0", false),
            (FIREFOX, "", "apm-agent-java/1.52.0 (shop)", false),
            (FIREFOX, "", "elasticapm-python/6.22.0 (shop)", false),
            (JAVA, "", "Java/21.0.1", false),
            (JAVA, "", "apm-agent-java/1.52.0 (shop)", false),
            ("text/html", "", "", false),
            ("application/json", "", "curl/8", false),
        ] {
            let mut request = TestRequest::get().insert_header((header::ACCEPT, accept));
            request = request.insert_header((header::USER_AGENT, agent));
            if !mode.is_empty() {
                request = request.insert_header(("sec-fetch-mode", mode));
            }
            assert_eq!(
                wants_page(&request.to_http_request()),
                page,
                "{accept} {mode} {agent}"
            );
        }
    }
}
