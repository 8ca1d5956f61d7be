//! The choice of a theme.

use actix_web::http::header;
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};

use crate::ui::view::Theme;

/// Keeps the choice of a theme, and goes back to where it was made: only ever an address of this server.
pub(in crate::ui) fn choose_theme(request: &HttpRequest, name: &str) -> HttpResponse {
    let query = Query::<Vec<(String, String)>>::from_query(request.query_string())
        .map(Query::into_inner)
        .unwrap_or_default();
    let back = query
        .iter()
        .find(|(key, _)| key == "back")
        .map(|(_, value)| value.as_str());
    let local = |back: &&str| {
        back.starts_with('/')
            // `//host` and `/\host` are addresses of other servers.
            && !back[1..].starts_with(['/', '\\'])
            && !back.chars().any(char::is_control)
    };
    let back = back.filter(local).unwrap_or("/services").to_owned();
    let mut response = HttpResponse::SeeOther();
    if let Some(theme) = Theme::parse(name) {
        let cookie = format!(
            "theme={}; Path=/; Max-Age=31536000; SameSite=Lax",
            theme.name()
        );
        response.insert_header((header::SET_COOKIE, cookie));
    }
    response.insert_header((header::LOCATION, back)).finish()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_theme_is_kept_and_never_leads_elsewhere() {
        for (uri, want) in [
            ("/theme/dark?back=%2Fservices%3Fa%3D1", "/services?a=1"),
            ("/theme/dark?back=%2F%2Fevil.example", "/services"),
            ("/theme/dark?back=%2F%5Cevil.example", "/services"),
            ("/theme/dark?back=https%3A%2F%2Fevil.example", "/services"),
            ("/theme/dark", "/services"),
        ] {
            let answer = choose_theme(&TestRequest::with_uri(uri).to_http_request(), "dark");
            assert_eq!(
                answer.headers().get(header::LOCATION).unwrap(),
                want,
                "{uri}"
            );
            assert!(answer.headers().get(header::SET_COOKIE).is_some());
        }
        let answer = choose_theme(&TestRequest::default().to_http_request(), "x;y");
        assert!(answer.headers().get(header::SET_COOKIE).is_none());
    }
}
