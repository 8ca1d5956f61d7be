//! Several services and environments, or all but some: on every page, in every answer, and in every link.

use serde_json::json;

use crate::support::events::now;
use crate::support::server::TestServer;

/// Three services in two environments, each with a request, a statement, an error and a log line of its own.
async fn fill(server: &TestServer) {
    let at = now();
    let mut number = 0_u64;
    for service in ["alpha", "beta", "gamma"] {
        for environment in ["live", "lab"] {
            number += 1;
            let own = format!("{service}_{environment}");
            let (id, trace) = (format!("{number:016x}"), format!("{number:032x}"));
            let metadata = json!({"metadata": {"service": {"name": service, "environment": environment,
                "agent": {"name": "rust", "version": "1"}}}});
            let transaction = json!({"transaction": {"id": id, "trace_id": trace, "name": format!("GET /{own}"),
                "type": "request", "duration": 9.5, "timestamp": at, "result": "HTTP 2xx", "outcome": "success",
                "span_count": {"started": 1}}});
            let span = json!({"span": {"id": format!("{:016x}", number | 1 << 40), "trace_id": trace,
                "transaction_id": id, "parent_id": id, "name": "SELECT", "type": "db", "subtype": "sqlite",
                "duration": 1, "timestamp": at,
                "context": {"db": {"type": "sql", "statement": format!("SELECT 1 FROM {own}_table")},
                    "destination": {"service": {"resource": format!("{own}.db")}}}}});
            let error = json!({"error": {"id": format!("{number:032x}"), "timestamp": at,
                "exception": {"type": format!("Fault_{own}"), "message": format!("error of {own}")}}});
            let line = json!({"log": {"timestamp": at, "message": format!("line of {own}"), "log.level": "info"}});
            let body = [metadata, transaction, span, error, line];
            let body: Vec<String> = body.iter().map(ToString::to_string).collect();
            assert_eq!(server.intake(body.join("\n")).await.status, 202);
        }
    }
}

/// The things of each service and environment that an address names in its answer: `{}` stands for them.
const ADDRESSES: [(&str, &str); 9] = [
    ("/services", "{}"),
    ("/traces", "GET /{}"),
    ("/errors", "error of {}"),
    ("/queries", "{}_table"),
    ("/dependencies", "{}.db"),
    ("/map", "{}.db"),
    ("/discover", "GET /{}"),
    ("/live", "GET /{}"),
    ("/logs", "line of {}"),
];

#[actix_web::test]
async fn several_services_and_all_but_some_hold_in_every_answer() {
    let server = TestServer::start();
    fill(&server).await;
    for (query, services, environments) in [
        ("service=alpha&service=beta", "alpha beta", "live lab"),
        ("not_service=alpha", "beta gamma", "live lab"),
        ("not_service=alpha&not_service=beta", "gamma", "live lab"),
        (
            "service=alpha&service=beta&not_service=beta",
            "alpha",
            "live lab",
        ),
        ("service=alpha&service=gamma&env=lab", "alpha gamma", "lab"),
        ("env=lab&env=live", "alpha beta gamma", "live lab"),
        ("not_env=live", "alpha beta gamma", "lab"),
        (
            "service=gamma&service=beta&not_env=lab",
            "gamma beta",
            "live",
        ),
    ] {
        for (path, named) in ADDRESSES {
            // Events as they arrive are a page alone.
            let data = match path {
                "/live" => None,
                _ => Some(server.get(&format!("/api/v1{path}?{query}")).await),
            };
            if let Some(data) = &data {
                assert_eq!(data.status, 200, "{path}?{query}: {}", data.text);
            }
            let page = server.get(&format!("{path}?{query}")).await;
            assert_eq!(page.status, 200, "{path}?{query}");
            let page = page.text.split("<main").nth(1).expect("a page").to_owned();
            for service in ["alpha", "beta", "gamma"] {
                for environment in ["live", "lab"] {
                    let is_in = services.split(' ').any(|one| one == service)
                        && environments.split(' ').any(|one| one == environment);
                    let own = format!("{service}_{environment}");
                    let (own, is_in) = match path {
                        // This list has a row for each service, whatever its environment.
                        "/services" => (
                            format!("\"name\":\"{service}\""),
                            services.split(' ').any(|one| one == service),
                        ),
                        _ => (named.replace("{}", &own), is_in),
                    };
                    if let Some(data) = &data {
                        assert_eq!(
                            data.text.contains(&own),
                            is_in,
                            "{path}?{query}: {own}: {}",
                            data.text
                        );
                    }
                    if path != "/services" {
                        assert_eq!(page.contains(&own), is_in, "page {path}?{query}: {own}");
                    }
                }
            }
        }
        // Files are the same answer.
        let file = server
            .get(&format!("/api/v1/errors?format=csv&{query}"))
            .await
            .text;
        for service in ["alpha", "beta", "gamma"] {
            let is_in = services.split(' ').any(|one| one == service);
            assert_eq!(
                file.contains(&format!("error of {service}")),
                is_in,
                "{query}: {file}"
            );
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_choice_survives_navigation_and_stands_in_the_form() {
    let server = TestServer::start();
    fill(&server).await;
    let chosen = "service=alpha&service=gamma&not_env=lab";
    for path in [
        "/services",
        "/traces",
        "/errors",
        "/queries",
        "/insights",
        "/discover",
        "/live",
        "/compare",
        "/logs",
        "/map",
        "/alerts",
        "/dependencies",
        "/settings",
        "/services/alpha",
    ] {
        let page = server.get(&format!("{path}?{chosen}")).await.text;
        let nav = page.split("<nav class=\"nav\"").nth(1);
        let nav = nav.and_then(|rest| rest.split("</nav>").next());
        for link in nav.expect("the navigation").split("<a href=\"").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            let kept = match path {
                // The path names the one that the page is about; the list has the others again.
                "/services/alpha" if !link.starts_with("/services") => "service=alpha",
                _ => "service=alpha&amp;service=gamma",
            };
            assert!(
                link.contains(kept) && link.contains("not_env=lab"),
                "{path}: {link}"
            );
        }
        let checked = |name: &str, value: &str| {
            page.contains(&format!(
                "<input type=\"checkbox\" name=\"{name}\" value=\"{value}\" checked"
            ))
        };
        assert!(checked("service", "alpha"), "{path}");
        assert_eq!(
            checked("service", "gamma"),
            path != "/services/alpha",
            "{path}"
        );
        assert!(
            !checked("service", "beta") && checked("not_env", "lab"),
            "{path}"
        );
    }
    let page = server.get(&format!("/services?{chosen}")).await.text;
    assert!(
        page.contains("2 services") && page.contains("all but lab"),
        "{page}"
    );
    // A click on a name chooses it alone.
    assert!(
        page.contains("href=\"/services?not_env=lab&amp;service=beta\""),
        "{page}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn too_many_names_are_refused_with_the_limit() {
    let server = TestServer::start();
    let many: Vec<String> = (0..101).map(|i| format!("service=s{i}")).collect();
    for path in ["/api/v1/services", "/services", "/api/v1/discover"] {
        let answer = server.get(&format!("{path}?{}", many.join("&"))).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text.contains("100 times"), "{path}: {}", answer.text);
    }
    server.stop().await;
}
