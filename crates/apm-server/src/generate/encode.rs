//! Made-up events as lines of intake v2.

mod metrics;
mod wire;

use wire::{Frame, Hex, Line, Named};

use super::world::{Route, Service, Statement};

/// A request body that grows.
#[derive(Debug)]
pub(super) struct Body {
    service: &'static Service,
    bytes: Vec<u8>,
    events: usize,
}

/// The trace and the parent of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    pub(super) trace: u128,
    pub(super) transaction: u64,
    pub(super) parent: Option<u64>,
}

/// µs → ms as agents write them.
fn millis(us: i64) -> f64 {
    us as f64 / 1000.0
}

fn outcome(failed: bool) -> &'static str {
    if failed { "failure" } else { "success" }
}

/// The stack of every request to another service.
const CLIENT_STACK: &[Frame] = &[
    Frame {
        function: "call",
        module: "client",
        filename: "client.src",
        abs_path: Some("/src/client.src"),
        lineno: 41,
        context_line: None,
        library_frame: false,
    },
    Frame {
        function: "handle",
        module: "routes",
        filename: "routes.src",
        abs_path: Some("/src/routes.src"),
        lineno: 112,
        context_line: None,
        library_frame: false,
    },
];

/// The frame that calls every handler.
const SERVE: Frame = Frame {
    function: "serve",
    module: "server",
    filename: "server.src",
    abs_path: None,
    lineno: 77,
    context_line: None,
    library_frame: true,
};

impl Body {
    pub(super) fn new(service: &'static Service) -> Self {
        let mut body = Self {
            service,
            bytes: Vec::new(),
            events: 0,
        };
        body.clear();
        body
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn events(&self) -> usize {
        self.events
    }

    /// Begins anew with the metadata.
    pub(super) fn clear(&mut self) {
        let Service {
            name,
            environment,
            agent,
            language,
            framework,
            ..
        } = self.service;
        let named = |name, version| Named { name, version };
        self.bytes.clear();
        self.write(&Line::Metadata(wire::Metadata {
            service: wire::Service {
                name,
                version: "1.4.2",
                environment,
                language: named(language, "1"),
                runtime: named(language, "1"),
                framework: named(framework, "4"),
                agent: named(agent, "1.0.0"),
            },
            process: wire::Process {
                pid: 4242,
                title: name,
            },
            system: wire::System {
                hostname: format!("{name}-host"),
                architecture: "x86_64",
                platform: "linux",
            },
        }));
        self.events = 0;
    }

    fn write(&mut self, line: &Line<'_>) {
        // A vector takes everything, and every key is a text.
        let written = serde_json::to_writer(&mut self.bytes, line);
        debug_assert!(written.is_ok(), "{written:?}");
        self.bytes.push(b'\n');
        self.events += 1;
    }

    #[expect(clippy::too_many_arguments, reason = "an event has that many parts")]
    pub(super) fn transaction(
        &mut self,
        ids: Ids,
        route: &Route,
        ts: i64,
        duration: i64,
        status: u16,
        spans: u32,
        user: u32,
    ) {
        let Route { method, path, .. } = route;
        let host = self.service.name;
        let request = wire::Request {
            method,
            http_version: "1.1",
            url: wire::Url {
                full: format!("http://{host}:8080{path}"),
                protocol: "http",
                hostname: host,
                port: "8080",
                pathname: path,
            },
            headers: wire::RequestHeaders {
                host: format!("{host}:8080"),
                user_agent: "curl/8.5.0",
                accept: "*/*",
                x_request_id: Hex(ids.trace.rotate_left(7)),
            },
            socket: wire::Socket {
                remote_address: format!("10.0.0.{}", user % 250),
            },
        };
        let response = wire::Response {
            status_code: status,
            headers: wire::ResponseHeaders {
                content_type: "application/json",
            },
        };
        self.write(&Line::Transaction(wire::Transaction {
            id: Hex(ids.transaction),
            trace_id: Hex(ids.trace),
            parent_id: ids.parent.map(Hex),
            name: &route_name(route),
            kind: "request",
            duration: millis(duration),
            timestamp: ts,
            result: format!("HTTP {}xx", status / 100),
            outcome: outcome(status >= 500),
            sampled: true,
            sample_rate: 1,
            span_count: wire::SpanCount {
                started: spans,
                dropped: 0,
            },
            context: wire::RequestContext {
                request,
                response,
                user: wire::User {
                    id: user.to_string(),
                    username: format!("user-{user}"),
                },
            },
        }));
    }

    pub(super) fn sql(
        &mut self,
        ids: Ids,
        id: u64,
        statement: &Statement,
        ts: i64,
        duration: i64,
        literal: u32,
    ) {
        let (kind, instance) = statement.database.unwrap_or(self.service.database);
        let sql = statement.sql.replace("{}", &literal.to_string());
        self.write(&Line::Span(wire::Span {
            id: Hex(id),
            trace_id: Hex(ids.trace),
            transaction_id: Hex(ids.transaction),
            parent_id: Hex(ids.transaction),
            name: statement.name,
            kind: "db",
            subtype: kind,
            action: Some("query"),
            timestamp: ts,
            duration: millis(duration),
            outcome: "success",
            sample_rate: 1,
            context: wire::SpanContext {
                db: Some(wire::Database {
                    instance,
                    statement: &sql,
                    kind: if kind == "redis" { "redis" } else { "sql" },
                }),
                http: None,
                destination: destination(None, &format!("{kind}/{instance}")),
                service: target(kind, instance),
            },
            stacktrace: &[],
        }));
    }

    #[expect(clippy::too_many_arguments, reason = "an event has that many parts")]
    pub(super) fn http(
        &mut self,
        ids: Ids,
        id: u64,
        host: &str,
        path: &str,
        ts: i64,
        duration: i64,
        status: u16,
    ) {
        let resource = format!("{host}:80");
        self.write(&Line::Span(wire::Span {
            id: Hex(id),
            trace_id: Hex(ids.trace),
            transaction_id: Hex(ids.transaction),
            parent_id: Hex(ids.transaction),
            name: &format!("GET {host}"),
            kind: "external",
            subtype: "http",
            action: None,
            timestamp: ts,
            duration: millis(duration),
            outcome: outcome(status >= 400),
            sample_rate: 1,
            context: wire::SpanContext {
                db: None,
                http: Some(wire::Http {
                    url: format!("http://{host}{path}"),
                    method: "GET",
                    status_code: status,
                }),
                destination: destination(Some(host), &resource),
                service: target("http", &resource),
            },
            stacktrace: CLIENT_STACK,
        }));
    }

    pub(super) fn error(&mut self, ids: Ids, route: &Route, ts: i64, what: u32) {
        let (kind, message) = [
            ("OverflowError", "attempt to add what is not a number"),
            ("TimeoutError", "the database did not answer in time"),
            ("KeyError", "no such key: city"),
        ][what as usize];
        let fail = Frame {
            function: "fail",
            module: "handlers",
            filename: "handlers.src",
            abs_path: Some("/src/handlers.src"),
            lineno: 20 + what,
            context_line: Some("    let answer = 1 + input;"),
            library_frame: false,
        };
        self.write(&Line::Error(wire::Error {
            id: Hex(ids.trace ^ u128::from(ids.transaction)),
            trace_id: Hex(ids.trace),
            transaction_id: Hex(ids.transaction),
            parent_id: Hex(ids.transaction),
            timestamp: ts,
            culprit: format!("handlers.{kind}"),
            transaction: wire::TransactionRef {
                name: &route_name(route),
                kind: "request",
                sampled: Some(true),
            },
            exception: wire::Exception {
                kind,
                message,
                handled: false,
                stacktrace: [fail, SERVE],
            },
        }));
    }

    pub(super) fn log(&mut self, ids: Ids, route: &Route, ts: i64, status: u16) {
        self.write(&Line::Log(wire::Log {
            timestamp: ts,
            message: &format!("{} answered {status}", route_name(route)),
            level: if status >= 500 { "error" } else { "info" },
            logger: format!("{}::access", self.service.name),
            trace_id: Hex(ids.trace),
            transaction_id: Hex(ids.transaction),
        }));
    }
}

/// The name of a route's transactions.
fn route_name(Route { method, path, .. }: &Route) -> String {
    format!("{method} {path}")
}

fn destination<'a>(address: Option<&'a str>, resource: &'a str) -> wire::Destination<'a> {
    wire::Destination {
        address,
        port: address.map(|_| 80),
        service: wire::DestinationService {
            resource,
            name: "",
            kind: "",
        },
    }
}

fn target<'a>(kind: &'static str, name: &'a str) -> wire::TargetService<'a> {
    wire::TargetService {
        target: wire::ServiceTarget { kind, name },
    }
}
