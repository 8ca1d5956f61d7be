//! Lines to paste, by language.

/// A way to report, in a language or framework.
pub(super) struct Snippet {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) note: &'static str,
    text: &'static str,
}

/// The start of lines that are for servers with a secret.
const SECRET: &str = "{secret}";

impl Snippet {
    /// Its lines for the server at an address.
    ///
    /// The secret itself is never in them: a reader with an API key may have fewer rights than the token. So they name
    /// the variable, or have `TOKEN` in its place.
    pub(super) fn lines(&self, url: &str, needs_secret: bool) -> String {
        let lines = self
            .text
            .lines()
            .filter(|line| needs_secret || !line.starts_with(SECRET));
        let lines: Vec<&str> = lines
            .map(|line| line.strip_prefix(SECRET).unwrap_or(line))
            .collect();
        lines.join("\n").replace("{url}", url)
    }
}

/// `{url}` stands for this server.
pub(super) const SNIPPETS: &[Snippet] = &[
    Snippet {
        id: "env",
        title: "Any agent",
        note: "every Elastic APM agent reads its environment",
        text: concat!(
            "ELASTIC_APM_SERVER_URL={url}\nELASTIC_APM_SERVICE_NAME=my-app-01\nELASTIC_APM_ENVIRONMENT=dev\n",
            "{secret}ELASTIC_APM_SECRET_TOKEN=TOKEN",
        ),
    },
    Snippet {
        id: "otel",
        title: "OpenTelemetry",
        note: "every SDK and the Collector, over OTLP",
        text: concat!(
            "OTEL_EXPORTER_OTLP_ENDPOINT={url}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n",
            "OTEL_SERVICE_NAME=my-app-01\nOTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=dev\n",
            "{secret}OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20TOKEN",
        ),
    },
    Snippet {
        id: "rust",
        title: "Rust, actix-web and Diesel",
        note: "crate apm-agent",
        text: concat!(
            "// ELASTIC_APM_SERVER_URL={url}\n",
            "{secret}// ELASTIC_APM_SECRET_TOKEN=TOKEN\n",
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
            "{secret}import os\n",
            "from elasticapm.contrib.flask import ElasticAPM\n",
            "\n",
            "app.config[\"ELASTIC_APM\"] = {\n",
            "    \"SERVICE_NAME\": \"my-app-01\",\n",
            "    \"SERVER_URL\": \"{url}\",\n",
            "{secret}    \"SECRET_TOKEN\": os.environ[\"ELASTIC_APM_SECRET_TOKEN\"],\n",
            "}\n",
            "apm = ElasticAPM(app)",
        ),
    },
    Snippet {
        id: "django",
        title: "Python, Django",
        note: "pip install elastic-apm",
        text: concat!(
            "{secret}import os\n",
            "INSTALLED_APPS += [\"elasticapm.contrib.django\"]\n",
            "ELASTIC_APM = {\n",
            "    \"SERVICE_NAME\": \"my-app-01\",\n",
            "    \"SERVER_URL\": \"{url}\",\n",
            "{secret}    \"SECRET_TOKEN\": os.environ[\"ELASTIC_APM_SECRET_TOKEN\"],\n",
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
            "{secret}  secretToken: process.env.ELASTIC_APM_SECRET_TOKEN,\n",
            "});",
        ),
    },
    Snippet {
        id: "go",
        title: "Go, net/http",
        note: "go get go.elastic.co/apm/module/apmhttp/v2",
        text: concat!(
            "// ELASTIC_APM_SERVER_URL={url}\n",
            "{secret}// ELASTIC_APM_SECRET_TOKEN=TOKEN\n",
            "http.ListenAndServe(\":8080\", apmhttp.Wrap(mux))",
        ),
    },
    Snippet {
        id: "java",
        title: "Java",
        note: "elastic-apm-agent.jar",
        text: concat!(
            "{secret}export ELASTIC_APM_SECRET_TOKEN=TOKEN\n",
            "java -javaagent:elastic-apm-agent.jar \\\n",
            "  -Delastic.apm.service_name=my-app-01 \\\n",
            "  -Delastic.apm.server_url={url} \\\n",
            "  -jar app.jar",
        ),
    },
    Snippet {
        id: "dotnet",
        title: ".NET, ASP.NET Core",
        note: "dotnet add package Elastic.Apm.NetCoreAll",
        text: concat!(
            "// ElasticApm__ServerUrl={url}\n",
            "// ElasticApm__ServiceName=my-app-01\n",
            "{secret}// ElasticApm__SecretToken=TOKEN\n",
            "builder.Services.AddAllElasticApm();",
        ),
    },
    Snippet {
        id: "php",
        title: "PHP",
        note: "the extension elastic_apm",
        text: concat!(
            "elastic_apm.server_url = {url}\nelastic_apm.service_name = my-app-01\n",
            "{secret}elastic_apm.secret_token = ${ELASTIC_APM_SECRET_TOKEN}",
        ),
    },
    Snippet {
        id: "ruby",
        title: "Ruby on Rails",
        note: "gem \"elastic-apm\"",
        text: concat!(
            "# config/elastic_apm.yml\nserver_url: {url}\nservice_name: my-app-01\n",
            "{secret}secret_token: <%= ENV[\"ELASTIC_APM_SECRET_TOKEN\"] %>",
        ),
    },
    Snippet {
        id: "rum",
        title: "Browsers",
        note: "npm install @elastic/apm-rum; the server needs --rum",
        text: concat!(
            "import { init } from \"@elastic/apm-rum\";\n",
            "init({ serviceName: \"my-page-01\", serverUrl: \"{url}\" });",
        ),
    },
    Snippet {
        id: "otel-java",
        title: "OpenTelemetry, Java",
        note: "opentelemetry-javaagent.jar",
        text: concat!(
            "{secret}export OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20TOKEN\n",
            "java -javaagent:opentelemetry-javaagent.jar \\\n",
            "  -Dotel.exporter.otlp.endpoint={url} \\\n",
            "  -Dotel.service.name=my-app-01 \\\n",
            "  -jar app.jar",
        ),
    },
    Snippet {
        id: "otel-python",
        title: "OpenTelemetry, Python",
        note: "pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http",
        text: concat!(
            "export OTEL_EXPORTER_OTLP_ENDPOINT={url}\n",
            "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n",
            "{secret}export OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20TOKEN\n",
            "export OTEL_SERVICE_NAME=my-app-01\n",
            "opentelemetry-bootstrap -a install\n",
            "opentelemetry-instrument python app.py",
        ),
    },
    Snippet {
        id: "otel-node",
        title: "OpenTelemetry, Node.js",
        note: "npm install @opentelemetry/auto-instrumentations-node",
        text: concat!(
            "export OTEL_EXPORTER_OTLP_ENDPOINT={url}\n",
            "{secret}export OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20TOKEN\n",
            "export OTEL_SERVICE_NAME=my-app-01\n",
            "node --require @opentelemetry/auto-instrumentations-node/register app.js",
        ),
    },
    Snippet {
        id: "otel-dotnet",
        title: "OpenTelemetry, .NET",
        note: "dotnet add package OpenTelemetry.Exporter.OpenTelemetryProtocol",
        text: concat!(
            "// OTEL_EXPORTER_OTLP_ENDPOINT={url}\n",
            "// OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n",
            "{secret}// OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20TOKEN\n",
            "builder.Services.AddOpenTelemetry()\n",
            "    .WithTracing(tracing => tracing.AddAspNetCoreInstrumentation().AddOtlpExporter())\n",
            "    .WithMetrics(metrics => metrics.AddAspNetCoreInstrumentation().AddOtlpExporter());",
        ),
    },
    Snippet {
        id: "collector",
        title: "OpenTelemetry Collector",
        note: "an exporter of its configuration",
        text: concat!(
            "exporters:\n",
            "  otlphttp/pocket:\n",
            "    endpoint: {url}\n",
            "{secret}    headers:\n",
            "{secret}      Authorization: \"Bearer ${env:APM_SECRET_TOKEN}\"\n",
            "service:\n",
            "  pipelines:\n",
            "    traces: { exporters: [otlphttp/pocket] }\n",
            "    metrics: { exporters: [otlphttp/pocket] }\n",
            "    logs: { exporters: [otlphttp/pocket] }",
        ),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Browsers can keep no secret: their events are taken without one, by `--rum`.
    const WITHOUT: &str = "rum";

    #[test]
    fn every_snippet_names_the_secret_where_the_server_needs_one_and_only_there() {
        for snippet in SNIPPETS {
            let open = snippet.lines("http://apm.example", false);
            let guarded = snippet.lines("http://apm.example", true);
            assert!(open.contains("http://apm.example"), "{}", snippet.id);
            assert!(!guarded.contains("{secret}") && !guarded.contains("{url}"));
            let names = |text: &str| {
                ["TOKEN", "SecretToken"]
                    .iter()
                    .any(|name| text.contains(name))
            };
            assert!(!names(&open), "{}: {open}", snippet.id);
            assert_eq!(
                names(&guarded),
                snippet.id != WITHOUT,
                "{}: {guarded}",
                snippet.id
            );
        }
    }
}
