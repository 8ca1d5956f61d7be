//! The middleware for actix-web: a transaction per request.
//!
//! Wrap it last, which makes it the outermost: actix runs the last `wrap` first. The transaction begins before any
//! other middleware, is current in everything that runs for the request, and ends when the response's body does. It is
//! named after routing, from the pattern of the resource that answered. Where the same request meets the middleware
//! again, on a scope or a resource, no second transaction begins: the inner one notes the route that was chosen.

mod body;
mod capture;
mod errors;
mod future;
mod origin;
mod request;
mod request_cost;
mod routes;
mod tasks;

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{self, HeaderName};
use actix_web::http::{Method, Uri};

use crate::agent::Agent;
use crate::integrations::http_server::{HeaderCache, end_without_response, is_ignored};
use crate::recording::context::{self, Running, Scope};
use crate::recording::current::Current;
use crate::recording::http::transaction_name;
use crate::recording::recorder::{Recorder, RecorderHandle};
use crate::recording::transaction::Core;
use crate::trace::propagation::TraceContext;
use crate::util::lock;

pub use body::ApmBody;
pub use future::ApmFuture;
pub use request_cost::{
    Badge, BadgeFuture, BadgeService, ServerTiming, ServerTimingFuture, ServerTimingService,
};
use routes::Routes;
pub use tasks::{block, spawn};

impl Agent {
    /// The middleware that records a transaction per request. Wrap it last, so that it sees everything.
    ///
    /// If guards look at more than the method to choose between resources of one path, wrap these in it as well: panics
    /// and cancelled requests are then filed under the right one. A request still is one transaction.
    ///
    /// ```no_run
    /// use actix_web::{App, HttpServer};
    /// # #[actix_web::main] async fn main() -> std::io::Result<()> {
    /// let agent = apm_agent::Agent::from_env().expect("no options are set in code").start();
    /// let recorder = agent.clone();
    /// HttpServer::new(move || App::new().wrap(recorder.middleware())).bind("127.0.0.1:8080")?.run().await
    /// # }
    /// ```
    #[must_use]
    pub fn middleware(&self) -> ApmMiddleware {
        ApmMiddleware {
            agent: self.clone(),
            catch_panics: self.recorder().config.load().catch_panics,
        }
    }
}

/// The middleware; see [`Agent::middleware`].
#[derive(Clone, Debug)]
pub struct ApmMiddleware {
    agent: Agent,
    catch_panics: bool,
}

impl ApmMiddleware {
    /// Answers 500 when a handler panics. Without it the connection is closed with no answer, as actix does by itself.
    /// The panic is recorded either way.
    #[must_use]
    pub fn catch_panics(mut self, catch: bool) -> Self {
        self.catch_panics = catch;
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for ApmMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<ApmBody<B>>;
    type Error = Error;
    type Transform = ApmService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ApmService {
            service,
            _agent: self.agent.clone(),
            recorder: RecorderHandle::new(self.agent.recorder()),
            worker: Rc::new(Worker {
                headers: RefCell::default(),
                routes: RefCell::default(),
            }),
            catch_panics: self.catch_panics,
        }))
    }
}

/// The middleware, around the service of one worker.
#[derive(Debug)]
pub struct ApmService<S> {
    service: S,
    /// Keeps the agent running.
    _agent: Agent,
    recorder: RecorderHandle,
    worker: Rc<Worker>,
    catch_panics: bool,
}

/// The memory of a worker between requests.
#[derive(Debug)]
struct Worker {
    headers: RefCell<HeaderCache<HeaderName>>,
    /// The application's routes, to name requests that leave no response to ask: panics and errors of middleware.
    routes: RefCell<Routes>,
}

/// A transaction whose response has not come yet. Dropped in this state, the request was given up, or its handler
/// panicked.
///
/// It keeps its transaction apart from what is current in it: whatever the service leaves open or closes there, this is
/// the transaction that ends with the request.
#[derive(Debug)]
struct Request {
    core: Option<Arc<Core>>,
    scope: Scope,
    worker: Rc<Worker>,
    method: Method,
    uri: Uri,
}

impl<S, B> Service<ServiceRequest> for ApmService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<ApmBody<B>>;
    type Error = Error;
    type Future = ApmFuture<S::Future>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let recorded = Request::begin(&self.recorder, &self.worker, &mut request);
        let Some(mut recorded) = recorded else {
            return ApmFuture::new(self.service.call(request), None, self.catch_panics);
        };
        // Some services do their work here, and not in the future that they return.
        let future = {
            let mut running = Running::new(&mut recorded.scope);
            let future = self.service.call(request);
            running.paused = true;
            future
        };
        ApmFuture::new(future, Some(recorded), self.catch_panics)
    }
}

impl Request {
    /// Begins the transaction of a request. Copies what it needs: a clone of the request would make actix panic.
    fn begin(
        agent: &RecorderHandle,
        worker: &Rc<Worker>,
        request: &mut ServiceRequest,
    ) -> Option<Self> {
        // A request is known by the address of its head, which all middleware of it shares.
        let address = std::ptr::from_ref(request.head()).addr();
        if let Some(outer) = already_recorded(agent, address) {
            let pattern = request.match_pattern();
            let route = transaction_name(request.method().as_str(), pattern.as_deref());
            lock(&outer.state).route = Some(route);
            return None;
        }
        let settings = agent.config.load();
        let user_agent = || request.headers().get(header::USER_AGENT)?.to_str().ok();
        if is_ignored(&settings, request.path(), user_agent) {
            return None;
        }
        let incoming = trace_context(request);
        let core = Core::begin(agent, &settings, None, Cow::Borrowed("request"), incoming)?;
        core.request.store(address, Ordering::Relaxed);
        if core.records_spans() {
            let mut context = std::mem::take(&mut lock(&core.state).context);
            context.reserve(1024);
            request::write(
                &mut context,
                request,
                &settings,
                &mut worker.headers.borrow_mut(),
            );
            let body = capture::body(request, &settings);
            let mut state = lock(&core.state);
            // In front of the brace that closes the request, and the comma behind it.
            state.body = body.map(|body| (body, context.len() - 2));
            state.context = context;
        }
        worker.routes.borrow_mut().learn(request);
        let recorded = Self {
            scope: Scope::new(Some(Current::outside_spans(&core))),
            core: Some(core),
            worker: Rc::clone(worker),
            method: request.method().clone(),
            uri: request.uri().clone(),
        };
        if cfg!(panic = "abort") {
            // The process will end with the first panic, and nobody will ask for the name then.
            let name = recorded.name_by_path();
            if let Some(core) = &recorded.core {
                lock(&core.state).route = Some(name);
            }
        }
        Some(recorded)
    }

    /// The name of a request that left no response to ask: of the route that an inner middleware has seen, else of that
    /// which such requests take.
    fn name_without_response(&self, core: &Core) -> Cow<'static, str> {
        let chosen = lock(&core.state).route.clone();
        chosen.unwrap_or_else(|| self.name_by_path())
    }

    fn name_by_path(&self) -> Cow<'static, str> {
        let routes = self.worker.routes.borrow();
        let pattern = routes.guess(&self.method, self.uri.path());
        transaction_name(self.method.as_str(), pattern.as_deref())
    }

    /// Ends the transaction of a request that has no body to wait for.
    fn end(mut self, status: Option<u16>) {
        if let Some(core) = self.core.take() {
            let name = self.name_without_response(&core);
            end_without_response(&core, Some(name), status);
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(core) = self.core.take() {
            // A panic that nobody catches drops the request on its way.
            let status = std::thread::panicking().then_some(500);
            let name = self.name_without_response(&core);
            end_without_response(&core, Some(name), status);
        }
    }
}

/// The transaction of this very request, if a middleware further out has begun one.
fn already_recorded(agent: &Arc<Recorder>, address: usize) -> Option<Arc<Core>> {
    context::with(|current| {
        let core = &current.transaction;
        let same = core.request.load(Ordering::Relaxed) == address
            && Arc::ptr_eq(&core.recorder, agent)
            && !core.has_ended();
        same.then(|| Arc::clone(core))
    })
}

/// Parsed once: looking it up by its text parses it each time.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace that the caller asks us to join.
fn trace_context(request: &ServiceRequest) -> Option<TraceContext> {
    let headers = request.headers();
    if !headers.contains_key(&TRACEPARENT) {
        return None;
    }
    let of = |name: &'static str| {
        headers
            .get_all(name)
            .map(move |value| (name, value.as_bytes()))
    };
    TraceContext::from_headers(of("traceparent").chain(of("tracestate")))
}
