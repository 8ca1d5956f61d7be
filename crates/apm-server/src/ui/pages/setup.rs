//! `/setup`: what to paste into a service so that it reports here, and whether anything has arrived yet.

use apm_store::StoreError;
use diesel::SqliteConnection;
use maud::{Markup, html};

use super::{Answer, page};
use crate::analytics::directory;
use crate::ui::components::code;
use crate::ui::components::controls::copy;
use crate::ui::components::head::{Crumb, page_head};
use crate::ui::components::shell::Section;
use crate::ui::view::View;
use crate::ui::words;

/// A way to report, in a language or framework.
struct Snippet {
    id: &'static str,
    title: &'static str,
    note: &'static str,
    text: &'static str,
}

/// `{url}` stands for this server.
const SNIPPETS: [Snippet; 8] = [
    Snippet {
        id: "env",
        title: "Any agent",
        note: "every Elastic APM agent reads its environment",
        text: "ELASTIC_APM_SERVER_URL={url}\nELASTIC_APM_SERVICE_NAME=my-app-01\nELASTIC_APM_ENVIRONMENT=dev",
    },
    Snippet {
        id: "otel",
        title: "OpenTelemetry",
        note: "every SDK and the Collector, over OTLP",
        text: concat!(
            "OTEL_EXPORTER_OTLP_ENDPOINT={url}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n",
            "OTEL_SERVICE_NAME=my-app-01\nOTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=dev",
        ),
    },
    Snippet {
        id: "rust",
        title: "Rust, actix-web and Diesel",
        note: "crate apm-agent",
        text: concat!(
            "let agent = apm_agent::Agent::from_env()?.start();\n",
            "let pool = Pool::builder()\n",
            "    .connection_customizer(Box::new(agent.diesel(\"people.db\")))\n",
            "    .build(manager)?;\n",
            "let recorder = agent.clone();\n",
            "HttpServer::new(move || {\n",
            "    App::new()\n",
            "        .app_data(Data::new(pool.clone()))\n",
            "        .service(people)\n",
            "        .wrap(recorder.middleware())\n",
            "})",
        ),
    },
    Snippet {
        id: "flask",
        title: "Python, Flask",
        note: "pip install \"elastic-apm[flask]\"",
        text: concat!(
            "from elasticapm.contrib.flask import ElasticAPM\n",
            "\n",
            "app.config[\"ELASTIC_APM\"] = {\n",
            "    \"SERVICE_NAME\": \"my-app-01\",\n",
            "    \"SERVER_URL\": \"{url}\",\n",
            "}\n",
            "apm = ElasticAPM(app)",
        ),
    },
    Snippet {
        id: "django",
        title: "Python, Django",
        note: "pip install elastic-apm",
        text: concat!(
            "INSTALLED_APPS += [\"elasticapm.contrib.django\"]\n",
            "ELASTIC_APM = {\n",
            "    \"SERVICE_NAME\": \"my-app-01\",\n",
            "    \"SERVER_URL\": \"{url}\",\n",
            "}\n",
            "MIDDLEWARE = [\"elasticapm.contrib.django.middleware.TracingMiddleware\"] + MIDDLEWARE",
        ),
    },
    Snippet {
        id: "node",
        title: "Node.js",
        note: "npm install elastic-apm-node",
        text: concat!(
            "// first line of the program\n",
            "require(\"elastic-apm-node\").start({\n",
            "  serviceName: \"my-app-01\",\n",
            "  serverUrl: \"{url}\",\n",
            "});",
        ),
    },
    Snippet {
        id: "go",
        title: "Go, net/http",
        note: "go get go.elastic.co/apm/module/apmhttp/v2",
        text: "// ELASTIC_APM_SERVER_URL={url}\nhttp.ListenAndServe(\":8080\", apmhttp.Wrap(mux))",
    },
    Snippet {
        id: "java",
        title: "Java",
        note: "elastic-apm-agent.jar",
        text: concat!(
            "java -javaagent:elastic-apm-agent.jar \\\n",
            "  -Delastic.apm.service_name=my-app-01 \\\n",
            "  -Delastic.apm.server_url={url} \\\n",
            "  -jar app.jar",
        ),
    },
];

/// The page.
pub(crate) fn setup(conn: &mut SqliteConnection, view: &View) -> Result<Answer, StoreError> {
    let known = directory::list(conn)?;
    let (answer, why) = match known.services.as_slice() {
        [] => (
            "No event has arrived yet.".to_owned(),
            "Point an agent at this server, then send a request to your service. This page updates by itself.",
        ),
        services => {
            let names: Vec<String> = services
                .iter()
                .take(4)
                .map(|name| words::cut(name, 40))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let others = if services.len() > 4 {
                format!(" and {} more", services.len() - 4)
            } else {
                String::new()
            };
            (
                format!(
                    "Events arrive: {}{others} {} known.",
                    words::list(&names),
                    if services.len() == 1 { "is" } else { "are" }
                ),
                "Add another service in the same way.",
            )
        }
    };
    let body = html! {
        (page_head(&[Crumb::here("Setup")], answer, why))
        section.panel {
            div.panel-head {
                @if known.services.is_empty() {
                    span.waiting {
                        span.swatch.mark aria-hidden="true" {} "Waiting for the first event at "
                        code { (view.origin) "/intake/v2/events" }
                    }
                }
                @else { span { "The first event has arrived." } a.push href=(view.to(&["services"])) { "Services" } }
            }
        }
        div.cols.cols--2 {
            @for half in [&SNIPPETS[..4], &SNIPPETS[4..]] {
                div.stack { @for snippet in half { (one_snippet(view, snippet)) } }
            }
        }
        p.soft {
            "If this server has a secret token, set the same one for agents: "
            code { "ELASTIC_APM_SECRET_TOKEN" } ", and for SDKs of OpenTelemetry: "
            code { "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20TOKEN" } "."
        }
    };
    Ok(Answer::Page(page(Section::Setup, "Setup", body)))
}

fn one_snippet(view: &View, snippet: &Snippet) -> Markup {
    html! {
        section.panel {
            div.panel-head {
                h2 { (snippet.title) }
                span.note { (snippet.note) }
                span.push { (copy(snippet.id, "Copy")) }
            }
            div.snippet { (code::block(snippet.id, html! { (snippet.text.replace("{url}", &view.origin)) })) }
        }
    }
}
