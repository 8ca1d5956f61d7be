//! Pages of other sites that may send telemetry: those of `--apm-otlp-allowed-origins`, and no others.
//!
//! An origin is compared as a whole. Cookies are never allowed: a page shows a secret in a header, if at all.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

/// The time for which a browser may remember the answer, seconds.
const REMEMBERED: &str = "3600";

/// Longest list of headers that a page may ask for, bytes.
const LONGEST: usize = 1024;

/// The origin of a request, if it is one of those that are allowed.
pub(super) fn origin(request: &HttpRequest, allowed: &[String]) -> Option<HeaderValue> {
    let mut sent = request.headers().get_all(header::ORIGIN);
    let (Some(origin), None) = (sent.next(), sent.next()) else {
        return None;
    };
    let is_allowed = |known: &String| origin.as_bytes() == known.as_bytes();
    allowed.iter().any(is_allowed).then(|| origin.clone())
}

/// The answer to a browser that asks whether a page may send a request. `None`: this is no such question.
pub(super) fn preflight(request: &HttpRequest) -> Option<HttpResponse> {
    let headers = request.headers();
    let method = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    if request.method() != Method::OPTIONS || method != "POST" {
        return None;
    }
    let mut response = HttpResponse::build(StatusCode::NO_CONTENT);
    response.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "POST"));
    response.insert_header((header::ACCESS_CONTROL_MAX_AGE, REMEMBERED));
    // Headers that mean nothing here are not looked at.
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    if let Some(wanted) = wanted.filter(|wanted| wanted.len() <= LONGEST) {
        response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, wanted));
    }
    Some(response.finish())
}

/// Lets a page read an answer.
pub(super) fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    vary(headers);
}

/// Says that an answer to another site may be another one.
pub(super) fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn an_origin_is_allowed_as_a_whole_and_alone() {
        let allowed = ["https://shop.example".to_owned()];
        let is_allowed = |origins: &[&'static str]| {
            let mut request = TestRequest::post();
            for one in origins {
                request = request.append_header((header::ORIGIN, *one));
            }
            origin(&request.to_http_request(), &allowed).is_some()
        };
        assert!(is_allowed(&["https://shop.example"]));
        for refused in [
            "http://shop.example",
            "https://shop.example:8443",
            "https://shop.example.evil.example",
            "https://evil.example",
            "null",
            "*",
        ] {
            assert!(!is_allowed(&[refused]), "{refused}");
        }
        assert!(!is_allowed(&[]));
        assert!(!is_allowed(&[
            "https://shop.example",
            "https://evil.example"
        ]));
    }
}
