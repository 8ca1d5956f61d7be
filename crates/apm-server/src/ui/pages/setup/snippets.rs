//! Lines to paste, by language.

/// A way to report, in a language or framework.
pub(super) struct Snippet {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) note: &'static str,
    pub(super) text: &'static str,
}

/// `{url}` stands for this server.
pub(super) const SNIPPETS: &[Snippet] = &[
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
    Snippet {
        id: "dotnet",
        title: ".NET, ASP.NET Core",
        note: "dotnet add package Elastic.Apm.NetCoreAll",
        text: concat!(
            "// ElasticApm__ServerUrl={url}\n",
            "// ElasticApm__ServiceName=my-app-01\n",
            "builder.Services.AddAllElasticApm();",
        ),
    },
    Snippet {
        id: "php",
        title: "PHP",
        note: "the extension elastic_apm",
        text: "elastic_apm.server_url = {url}\nelastic_apm.service_name = my-app-01",
    },
    Snippet {
        id: "ruby",
        title: "Ruby on Rails",
        note: "gem \"elastic-apm\"",
        text: "# config/elastic_apm.yml\nserver_url: {url}\nservice_name: my-app-01",
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
            "service:\n",
            "  pipelines:\n",
            "    traces: { exporters: [otlphttp/pocket] }\n",
            "    metrics: { exporters: [otlphttp/pocket] }\n",
            "    logs: { exporters: [otlphttp/pocket] }",
        ),
    },
];
