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
