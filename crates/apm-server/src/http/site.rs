//! Whether a request comes from one of this server's own pages, or from another site's.

use actix_web::HttpRequest;
use actix_web::http::header;

use super::hosts;
use crate::front::Front;

/// The relation between the server and the page that sent a request, as the browser tells it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// One of this server's pages, or the reader by hand.
    Own,
    /// Another site's page, by its name.
    Foreign(String),
    /// Nothing is said: no browser, or an old one that reads.
    Unsaid,
}

/// Judges a request. `Sec-Fetch-Site` is the browser's own judgement, which no proxy on the way can spoil and no page
/// can set. Browsers leave it out where the connection is not encrypted; then the Origin is compared with the addresses
/// of this server.
pub(super) fn judge(request: &HttpRequest, front: &Front) -> Site {
    let headers = request.headers();
    let origins = || {
        let all = headers.get_all(header::ORIGIN);
        all.map(|origin| origin.to_str().unwrap_or("?"))
    };
    let mut said = headers.get_all("sec-fetch-site").peekable();
    if said.peek().is_some() {
        return match said.all(|site| site == "same-origin" || site == "none") {
            true => Site::Own,
            false => Site::Foreign(origins().next().unwrap_or("another site").to_owned()),
        };
    }
    // A proxy passes on the name by which it was asked, or puts its own in its place.
    let named = headers.get_all(header::HOST).next();
    let named = named.and_then(|host| host.to_str().ok());
    let own = [named, Some(front.host.as_str())];
    let is_own = |origin: &str| own.iter().flatten().any(|host| is_at(origin, host));
    match origins().find(|origin| !is_own(origin)) {
        Some(foreign) => Site::Foreign(foreign.to_owned()),
        None if headers.contains_key(header::ORIGIN) => Site::Own,
        None => Site::Unsaid,
    }
}

/// Whether another site's page loads this as a part of itself: an image, a script, a frame. Following a link is none of
/// these.
pub(super) fn is_embedded(request: &HttpRequest) -> bool {
    let says = |name: &str, values: &[&str]| {
        let mut said = request.headers().get_all(name);
        said.any(|value| values.iter().any(|known| value == known))
    };
    let is_link = says("sec-fetch-mode", &["navigate"])
        && !says("sec-fetch-dest", &["iframe", "frame", "embed", "object"]);
    says("sec-fetch-site", &["cross-site", "same-site"]) && !is_link
}

/// Whether an origin is that of a host. Where the host names no port it is the default one of the origin's scheme: that
/// the server is asked by this scheme is not known, as a proxy may have taken the encryption off.
fn is_at(origin: &str, host: &str) -> bool {
    let (authority, default) = match origin.split_once("://") {
        Some(("http", authority)) => (authority, 80),
        Some(("https", authority)) => (authority, 443),
        _ => return false,
    };
    let (of, port) = hosts::split(authority);
    let (name, named) = hosts::split(host);
    !name.is_empty()
        && of.eq_ignore_ascii_case(name)
        && port.unwrap_or(default) == named.unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn an_origin_is_compared_with_default_ports() {
        for (origin, host, own) in [
            ("https://localhost", "localhost:443", true),
            ("https://localhost:443", "localhost", true),
            ("http://localhost", "localhost:80", true),
            ("http://localhost:80", "localhost", true),
            ("https://apm.example", "apm.example", true),
            ("HTTPS://apm.example", "apm.example", false),
            ("https://APM.example", "apm.example", true),
            ("http://[::1]:8200", "[::1]:8200", true),
            ("https://localhost", "localhost:80", false),
            ("http://localhost", "localhost:8200", false),
            ("http://localhost:8201", "localhost:8200", false),
            ("https://apm.example.evil.example", "apm.example", false),
            ("https://evil.example/apm.example", "apm.example", false),
            ("https://user@apm.example", "apm.example", false),
            ("null", "apm.example", false),
            ("https://", "", false),
            ("file://", "", false),
        ] {
            assert_eq!(is_at(origin, host), own, "{origin} {host}");
        }
    }

    #[test]
    fn the_browsers_own_judgement_stands_before_the_origin() {
        let site = |headers: &[(&'static str, &'static str)]| {
            let mut request = TestRequest::post().insert_header((header::HOST, "127.0.0.1:8200"));
            for header in headers {
                request = request.append_header(*header);
            }
            let front = Front {
                host: "apm.example".to_owned(),
                ..Front::default()
            };
            judge(&request.to_http_request(), &front)
        };
        let foreign = |name: &str| Site::Foreign(name.to_owned());
        let public = ("origin", "https://apm.example");
        let evil = ("origin", "https://evil.example");
        assert_eq!(site(&[]), Site::Unsaid);
        assert_eq!(site(&[public]), Site::Own);
        assert_eq!(site(&[("origin", "http://127.0.0.1:8200")]), Site::Own);
        assert_eq!(site(&[evil]), foreign("https://evil.example"));
        assert_eq!(site(&[public, evil]), foreign("https://evil.example"));
        // nginx has put the name of the server behind it in the place of the public one.
        let renamed = ("origin", "https://public.example");
        assert_eq!(
            site(&[renamed, ("sec-fetch-site", "same-origin")]),
            Site::Own
        );
        assert_eq!(site(&[("sec-fetch-site", "none")]), Site::Own);
        for said in ["cross-site", "same-site", "", "same-origin, cross-site"] {
            assert_eq!(
                site(&[public, ("sec-fetch-site", said)]),
                foreign(public.1),
                "{said}"
            );
        }
        let both = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ];
        assert_eq!(site(&both), foreign("another site"));
    }

    #[test]
    fn a_link_may_lead_here_and_an_image_may_not() {
        let embedded = |site: &str, mode: &str, dest: &str| {
            let request = TestRequest::get()
                .insert_header(("sec-fetch-site", site))
                .insert_header(("sec-fetch-mode", mode))
                .insert_header(("sec-fetch-dest", dest));
            is_embedded(&request.to_http_request())
        };
        assert!(!embedded("cross-site", "navigate", "document"));
        assert!(!embedded("same-origin", "cors", "empty"));
        assert!(!embedded("none", "navigate", "document"));
        for (mode, dest) in [
            ("no-cors", "image"),
            ("cors", "empty"),
            ("navigate", "iframe"),
            ("websocket", "websocket"),
        ] {
            assert!(
                embedded("cross-site", mode, dest) && embedded("same-site", mode, dest),
                "{mode}"
            );
        }
        assert!(!is_embedded(&TestRequest::get().to_http_request()));
    }
}
