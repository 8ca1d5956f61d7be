//! Made-up events as lines of intake v2.

use std::fmt::Write as _;

use super::world::{Route, SERVICES, Service, Statement};

/// A request body that grows.
#[derive(Debug)]
pub(super) struct Body {
    service: &'static Service,
    text: String,
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

impl Body {
    pub(super) fn new(service: &'static Service) -> Self {
        let mut body = Self {
            service,
            text: String::new(),
            events: 0,
        };
        body.clear();
        body
    }

    pub(super) fn text(&self) -> &[u8] {
        self.text.as_bytes()
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
        self.text.clear();
        self.events = 0;
        self.line(format_args!(
            r#"{{"metadata":{{"service":{{"name":"{name}","version":"1.4.2","environment":"{environment}","language":{{"name":"{language}","version":"1"}},"runtime":{{"name":"{language}","version":"1"}},"framework":{{"name":"{framework}","version":"4"}},"agent":{{"name":"{agent}","version":"1.0.0"}}}},"process":{{"pid":4242,"title":"{name}"}},"system":{{"hostname":"{name}-host","architecture":"x86_64","platform":"linux"}}}}}}"#
        ));
        self.events = 0;
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // A String takes everything.
        let _ = self.text.write_fmt(line);
        self.text.push('\n');
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
        let name = self.service.name;
        let parent = ids
            .parent
            .map(|parent| format!(r#""parent_id":"{parent:016x}","#))
            .unwrap_or_default();
        self.line(format_args!(
            r#"{{"transaction":{{"id":"{:016x}","trace_id":"{:032x}",{parent}"name":"{method} {path}","type":"request","duration":{},"timestamp":{ts},"result":"HTTP {}xx","outcome":"{}","sampled":true,"sample_rate":1,"span_count":{{"started":{spans},"dropped":0}},"context":{{"request":{{"method":"{method}","http_version":"1.1","url":{{"full":"http://{name}:8080{path}","protocol":"http","hostname":"{name}","port":"8080","pathname":"{path}"}},"headers":{{"host":"{name}:8080","user-agent":"curl/8.5.0","accept":"*/*","x-request-id":"{:032x}"}},"socket":{{"remote_address":"10.0.0.{}"}}}},"response":{{"status_code":{status},"headers":{{"content-type":"application/json"}}}},"user":{{"id":"{user}","username":"user-{user}"}}}}}}}}"#,
            ids.transaction,
            ids.trace,
            millis(duration),
            status / 100,
            outcome(status >= 500),
            ids.trace.rotate_left(7),
            user % 250,
        ));
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
        let (kind, instance) = self.service.database;
        let sql = statement.sql.replace("{}", &literal.to_string());
        let name = statement.name;
        self.line(format_args!(
            r#"{{"span":{{"id":"{id:016x}","trace_id":"{:032x}","transaction_id":"{:016x}","parent_id":"{:016x}","name":"{name}","type":"db","subtype":"{kind}","action":"query","timestamp":{ts},"duration":{},"outcome":"success","sample_rate":1,"context":{{"db":{{"instance":"{instance}","statement":"{sql}","type":"{}"}},"destination":{{"service":{{"resource":"{kind}/{instance}","name":"","type":""}}}},"service":{{"target":{{"type":"{kind}","name":"{instance}"}}}}}}}}}}"#,
            ids.trace,
            ids.transaction,
            ids.transaction,
            millis(duration),
            if kind == "redis" { "redis" } else { "sql" },
        ));
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
        self.line(format_args!(
            r#"{{"span":{{"id":"{id:016x}","trace_id":"{:032x}","transaction_id":"{:016x}","parent_id":"{:016x}","name":"GET {host}","type":"external","subtype":"http","timestamp":{ts},"duration":{},"outcome":"{}","sample_rate":1,"context":{{"http":{{"url":"http://{host}{path}","method":"GET","status_code":{status}}},"destination":{{"address":"{host}","port":80,"service":{{"resource":"{host}:80","name":"","type":""}}}},"service":{{"target":{{"type":"http","name":"{host}:80"}}}}}},"stacktrace":[{{"function":"call","module":"client","filename":"client.src","abs_path":"/src/client.src","lineno":41,"library_frame":false}},{{"function":"handle","module":"routes","filename":"routes.src","abs_path":"/src/routes.src","lineno":112,"library_frame":false}}]}}}}"#,
            ids.trace,
            ids.transaction,
            ids.transaction,
            millis(duration),
            outcome(status >= 400),
        ));
    }

    pub(super) fn error(&mut self, ids: Ids, route: &Route, ts: i64, what: u32) {
        let (kind, message) = [
            ("OverflowError", "attempt to add what is not a number"),
            ("TimeoutError", "the database did not answer in time"),
            ("KeyError", "no such key: city"),
        ][what as usize];
        let Route { method, path, .. } = route;
        self.line(format_args!(
            r#"{{"error":{{"id":"{:032x}","trace_id":"{:032x}","transaction_id":"{:016x}","parent_id":"{:016x}","timestamp":{ts},"culprit":"handlers.{kind}","transaction":{{"name":"{method} {path}","type":"request","sampled":true}},"exception":{{"type":"{kind}","message":"{message}","handled":false,"stacktrace":[{{"function":"fail","module":"handlers","filename":"handlers.src","abs_path":"/src/handlers.src","lineno":{},"context_line":"    let answer = 1 + input;","library_frame":false}},{{"function":"serve","module":"server","filename":"server.src","lineno":77,"library_frame":true}}]}}}}}}"#,
            ids.trace ^ u128::from(ids.transaction),
            ids.trace,
            ids.transaction,
            ids.transaction,
            20 + what,
        ));
    }

    pub(super) fn log(&mut self, ids: Ids, route: &Route, ts: i64, status: u16) {
        let level = if status >= 500 { "error" } else { "info" };
        let Route { method, path, .. } = route;
        let name = self.service.name;
        self.line(format_args!(
            r#"{{"log":{{"@timestamp":{ts},"message":"{method} {path} answered {status}","log.level":"{level}","log.logger":"{name}::access","trace.id":"{:032x}","transaction.id":"{:016x}"}}}}"#,
            ids.trace, ids.transaction,
        ));
    }

    /// `load`: 0 to 1.
    pub(super) fn metrics(&mut self, ts: i64, load: f64, noise: f64) {
        let total: u64 = 16 << 30;
        let free = (total as f64 * (0.5 - load / 4.0)) as u64;
        let size = (180.0 + 40.0 * noise) as u64 * 1_048_576;
        self.line(format_args!(
            r#"{{"metricset":{{"timestamp":{ts},"samples":{{"system.cpu.total.norm.pct":{{"value":{load:.4}}},"system.process.cpu.total.norm.pct":{{"value":{:.4}}},"system.memory.total":{{"value":{total}}},"system.memory.actual.free":{{"value":{free}}},"system.process.memory.size":{{"value":{size}}},"system.process.memory.rss.bytes":{{"value":{}}}}}}}}}"#,
            load / 3.0,
            size / 2,
        ));
    }

    /// Self time of a route's parts, roughly as its steps would have it.
    pub(super) fn breakdown(&mut self, ts: i64, route: &Route) {
        let Route { method, path, .. } = route;
        let app = route.own_us * 20.0;
        self.line(format_args!(
            r#"{{"metricset":{{"timestamp":{ts},"transaction":{{"name":"{method} {path}","type":"request"}},"span":{{"type":"app"}},"samples":{{"span.self_time.count":{{"value":20}},"span.self_time.sum.us":{{"value":{app}}}}}}}}}"#,
        ));
        if !route.steps.is_empty() {
            let (kind, _) = SERVICES[route.service].database;
            self.line(format_args!(
                r#"{{"metricset":{{"timestamp":{ts},"transaction":{{"name":"{method} {path}","type":"request"}},"span":{{"type":"db","subtype":"{kind}"}},"samples":{{"span.self_time.count":{{"value":40}},"span.self_time.sum.us":{{"value":{}}}}}}}}}"#,
                app * 1.5,
            ));
        }
    }
}
