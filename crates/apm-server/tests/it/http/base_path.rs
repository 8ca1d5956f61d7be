//! A server below a path, such as behind a proxy: everything on its pages leads back to it.

use std::collections::{BTreeSet, VecDeque};

use apm_server::generate::{Options, generate};
use apm_server::import::Target;

use super::proxies::{NAVIGATES, sign_in, with};
use crate::support::events::now;
use crate::support::server::TestServer;

/// The attributes of a page whose values begin with a slash: name and value.
fn slashed(page: &str) -> Vec<(&str, &str)> {
    page.match_indices("=\"/")
        .map(|(at, _)| {
            let name = page[..at].rsplit(char::is_whitespace).next();
            let value = page[at + 2..].split('"').next();
            (name.expect("a name"), value.expect("a value"))
        })
        .collect()
}

/// Attributes that hold text, which may begin with a slash.
const TEXT: [&str; 7] = [
    "aria-label",
    "content",
    "data-copy",
    "data-key",
    "data-suggest",
    "title",
    "value",
];

/// The addresses of a page that lead to this server. Fails for an attribute that is not known to hold an address or
/// text.
fn addresses(page: &str) -> Vec<(&str, &str)> {
    for elsewhere in ["http-equiv=\"refresh\"", " srcset=\"", " style=\""] {
        assert!(!page.contains(elsewhere), "{elsewhere} may hold an address");
    }
    let all = slashed(page).into_iter();
    all.filter(|(name, _)| !TEXT.contains(name)).collect()
}

/// As a browser reads it.
fn read(address: &str) -> String {
    let address = address.split('#').next().unwrap_or_default();
    address.replace("&amp;", "&").replace("&quot;", "\"")
}

#[actix_web::test]
async fn no_page_leads_out_of_the_base_path() {
    let server = TestServer::with(|config| config.base_path = "/apm".parse().expect("a path"));
    let mut bodies = Vec::new();
    {
        let kept = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let own = std::rc::Rc::clone(&kept);
        let mut target = Target::function(move |body| own.borrow_mut().push(body.to_vec()));
        generate(&Options::new(60, now()), &mut target, |_| ()).expect("made");
        bodies.append(&mut kept.borrow_mut());
    }
    for body in bodies {
        assert_eq!(server.intake(body).await.status, 202);
    }
    // A name that looks like an address stays what it is.
    let named = r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}
{"transaction":{"id":"1","trace_id":"2","name":"/a/name","type":"/type","duration":1,"span_count":{"started":0}}}
"#;
    assert_eq!(server.intake(named).await.status, 202);
    let mut waiting: VecDeque<String> = [
        "services", "live", "settings", "compare", "sql", "setup", "nope",
    ]
    .map(|path| format!("/apm/{path}"))
    .into();
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut pages = 0;
    let mut has_name = false;
    while let Some(path) = waiting.pop_front() {
        let page = server.send("GET", &path, &[NAVIGATES], "").await;
        assert!(
            matches!(page.status, 200 | 302 | 303 | 404 | 405),
            "{path}: {page:?}"
        );
        for header in ["location", "content-location", "link"] {
            let to = page.header(header);
            assert!(to.is_empty() || to.starts_with("/apm/"), "{path}: {to}");
        }
        if !page.header("content-type").starts_with("text/html") {
            continue;
        }
        pages += 1;
        assert!(!page.text.contains("/apm/apm/"), "{path}: twice");
        has_name |= page.text.contains(">/a/name<") && !page.text.contains("/apm/a/name");
        for (name, address) in addresses(&page.text) {
            assert!(address.starts_with("/apm/"), "{path}: {name}={address}");
            let address = read(address);
            let way = address.split('?').next().unwrap_or_default();
            // Of pages that differ only in names and numbers, a few each.
            let steps: Vec<_> = way.split('/').collect();
            let number = seen
                .iter()
                .filter(|one| {
                    one.split('?').next().unwrap_or_default().split('/').nth(2)
                        == steps.get(2).copied()
                })
                .count();
            let is_stream = way.ends_with("/live/stream");
            if number < 25 && !is_stream && seen.insert(address.clone()) {
                kinds.insert(steps.get(2).copied().unwrap_or_default().to_owned());
                waiting.push_back(address);
            }
        }
    }
    assert!(pages > 80, "{pages}");
    assert!(
        has_name,
        "a name that begins with a slash is on a page as it was sent"
    );
    for kind in [
        "traces", "services", "queries", "errors", "discover", "assets",
    ] {
        assert!(kinds.contains(kind), "{kind} in {kinds:?}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn below_a_base_path_everything_leads_back_to_it() {
    let by_option = with(|config| config.base_path = "/apm".parse().expect("a path"));
    let by_header = with(|config| config.trusted_proxies = vec!["127.0.0.1".parse().expect("one")]);
    // A proxy passes the path on, or takes the prefix off and may say so.
    for (server, before, headers) in [
        (&by_option, "/apm", &[][..]),
        (&by_option, "", &[]),
        (&by_header, "", &[("X-Forwarded-Prefix", "/apm/")]),
        (&by_header, "/apm", &[("X-Forwarded-Prefix", "/apm")]),
    ] {
        let origin = server.running.url();
        let at = |path: &str| format!("{before}{path}");
        let asked = [headers, &[NAVIGATES]].concat();
        let anonymous = server
            .send("GET", &at("/services?from=now-1h"), &asked, "")
            .await;
        assert_eq!(anonymous.status, 302);
        assert_eq!(
            anonymous.header("location"),
            "/apm/login?next=/services%3Ffrom%3Dnow-1h"
        );
        let login = server.send("GET", &at("/login"), &asked, "").await;
        assert!(
            login.text.contains("action=\"/apm/login\""),
            "{}",
            login.text
        );

        let form = [headers, &[("Origin", origin.as_str())]].concat();
        let cookie = sign_in(server, &at("/login"), &form).await;
        assert!(cookie.contains("; Path=/apm;"), "{cookie}");
        let session = cookie.split(';').next().expect("a pair");
        let signed_in = [headers, &[NAVIGATES, ("Cookie", session)]].concat();
        for path in [
            "/services",
            "/live",
            "/settings",
            "/compare",
            "/sql",
            "/setup",
            "/discover",
            "/nope",
        ] {
            let page = server.send("GET", &at(path), &signed_in, "").await;
            assert!(matches!(page.status, 200 | 404), "{path}: {page:?}");
            let all = addresses(&page.text);
            assert!(all.len() > 10, "{path}: {all:?}");
            for (name, address) in all {
                assert!(address.starts_with("/apm/"), "{path}: {name}={address}");
                // Files and pages are there, whether the proxy takes the prefix off or not.
                let asked = address
                    .strip_prefix("/apm")
                    .filter(|_| before.is_empty())
                    .unwrap_or(address);
                if address.contains("/assets/") {
                    let file = server
                        .send("GET", &asked.replace("&amp;", "&"), headers, "")
                        .await;
                    assert_eq!(file.status, 200, "{asked}");
                }
            }
        }
        let root = server.send("GET", &at("/"), &signed_in, "").await;
        assert_eq!(
            (root.status, root.header("location")),
            (302, "/apm/services")
        );
        let theme = server
            .send("GET", &at("/theme/dark?back=%2Fservices"), &signed_in, "")
            .await;
        assert_eq!(theme.header("location"), "/apm/services");
        assert!(
            theme.header("set-cookie").contains("; Path=/apm;"),
            "{theme:?}"
        );
        let form = [headers, &[("Origin", origin.as_str()), ("Cookie", session)]].concat();
        let left = server.send("POST", &at("/logout"), &form, "").await;
        assert_eq!(left.header("location"), "/apm/login");
    }
    // Agents beside the server do not need the prefix, those before the proxy send it.
    for path in ["/intake/v2/events", "/apm/intake/v2/events"] {
        let token = [("Authorization", "Bearer hush")];
        assert_eq!(
            by_option.send("POST", path, &token, "").await.status,
            202,
            "{path}"
        );
    }
    // The prefix is nothing that opens an address.
    for path in [
        "/apm/services",
        "/apm/apm/services",
        "/services",
        "/apm%2Fservices",
        "//apm//services",
    ] {
        let status = by_option.send("GET", path, &[], "").await.status;
        assert!(matches!(status, 401 | 404), "{path}: {status}");
    }
    by_option.stop().await;
    by_header.stop().await;
}
