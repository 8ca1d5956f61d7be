//! A request under way: from its arrival until there is an answer.

use std::borrow::Cow;
use std::sync::{Arc, Weak};

use ::http::{Method, Request, Version, header};

use super::carrier::{self, Carrier};
use super::forwarded::forwarded;
use super::grpc::{self, Status};
use super::headers::{pairs, text, with_cache};
use super::{ApmLayer, Facts, Methods};
use crate::config::Snapshot;
use crate::integrations::http_server::{Head, end_without_response, is_ignored, place};
use crate::recording::context::{self, Scope};
use crate::recording::current::Current;
use crate::recording::http::transaction_name;
use crate::recording::transaction::Core;
use crate::trace::propagation::TraceContext;
use crate::util::lock;

/// A transaction whose response has not come yet. Dropped in this state, the request was given up, or its handler
/// panicked.
///
/// It keeps its transaction apart from what is current in it: whatever the service leaves open or closes there, this is
/// the transaction that ends with the request.
#[derive(Debug)]
pub(super) struct Recorded {
    transaction: Option<Named>,
    scope: Scope,
    carrier: Carrier,
    pub(super) method: Method,
    /// The place in which what is like it is remembered.
    pub(super) place: usize,
}

/// A transaction that may still have to find its name.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) core: Arc<Core>,
    method: Method,
    /// Of a call by gRPC.
    pub(super) call: Option<Call>,
}

/// The path of a call by gRPC, and the methods that have names.
#[derive(Debug)]
pub(super) struct Call {
    path: Box<str>,
    methods: Arc<Methods>,
}

/// Says in a request's extensions that it is recorded already.
#[derive(Clone, Debug)]
struct Mark(Weak<Core>);

impl Recorded {
    /// Begins the transaction of a request; `None` if there is none, or one already.
    pub(super) fn begin<B>(apm: &ApmLayer, request: &mut Request<B>) -> Option<Self> {
        let recorder = &apm.recorder;
        let settings = recorder.config.load();
        let route = (apm.facts.route)(request.extensions());
        let route = route.map(|route| transaction_name(request.method().as_str(), Some(route)));
        let outer = request.extensions().get::<Mark>();
        let outer = outer.and_then(|mark| mark.0.upgrade());
        if let Some(outer) = outer
            && Arc::ptr_eq(&outer.recorder, recorder)
            && !outer.has_ended()
        {
            if let Some(route) = route {
                outer.find_name(route);
            }
            return None;
        }
        let headers = request.headers();
        let path = request.uri().path();
        if is_ignored(&settings, path, || text(headers, header::USER_AGENT)) {
            return None;
        }
        let call = grpc::is_grpc(headers).then(|| Call {
            path: path.into(),
            methods: Arc::clone(&apm.methods),
        });
        let kind = Cow::Borrowed("request");
        let core = Core::begin(recorder, &settings, None, kind, trace_context(request))?;
        if core.records_spans() {
            let written = request_context(request, apm.facts, &settings);
            lock(&core.state).context = written;
        }
        if let Some(route) = route {
            core.find_name(route);
        }
        let mark = Mark(Arc::downgrade(&core));
        request.extensions_mut().insert(mark);
        let named = Named {
            core,
            method: request.method().clone(),
            call,
        };
        if cfg!(panic = "abort") {
            // The process will end with the first panic, and nobody will ask for the name then.
            lock(&named.core.state).route = named.missing_name(None);
        }
        let current = Current::outside_spans(&named.core);
        Some(Self {
            // The carrier takes along what is current where it is made.
            carrier: context::run(Some(current.clone()), Carrier::new),
            scope: Scope::new(Some(current)),
            transaction: Some(named),
            method: request.method().clone(),
            place: place(request.uri().path()),
        })
    }

    /// Runs code of the service in the context of the request. `goes_on` says whether more of it will follow.
    pub(super) fn run<R>(
        &mut self,
        code: impl FnOnce() -> R,
        goes_on: impl FnOnce(&R) -> bool,
    ) -> R {
        carrier::run(&mut self.scope, &self.carrier, code, goes_on)
    }

    pub(super) fn core(&self) -> Option<&Arc<Core>> {
        self.transaction.as_ref().map(|named| &named.core)
    }

    /// Gives out the transaction, for the one who ends it.
    pub(super) fn take(mut self) -> Option<(Named, Scope, Carrier)> {
        let carrier = std::mem::replace(&mut self.carrier, Carrier::none());
        Some((
            self.transaction.take()?,
            std::mem::take(&mut self.scope),
            carrier,
        ))
    }

    /// Ends the transaction of a request that gets no response: `status` is what it amounts to.
    pub(super) fn end(mut self, status: Option<u16>) {
        self.end_now(status);
    }

    fn end_now(&mut self, status: Option<u16>) {
        if let Some(named) = self.transaction.take() {
            let name = named.missing_name(None);
            end_without_response(&named.core, name, status);
        }
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.end_now(std::thread::panicking().then_some(500));
    }
}

impl Named {
    /// The name that the transaction still lacks; `None` if it has one. `status` is that of a call by gRPC.
    fn missing_name(&self, status: Option<Status>) -> Option<Cow<'static, str>> {
        if let Some(Call { path, methods }) = &self.call
            && let Some(method) = methods.name(path, status)
        {
            return Some(method);
        }
        let has_name = lock(&self.core.state).name.get().is_some();
        (!has_name).then(|| transaction_name(self.method.as_str(), None))
    }

    /// Finds the name, now that all is known.
    pub(super) fn find_name(&self, status: Option<Status>) {
        if let Some(name) = self.missing_name(status) {
            self.core.find_name(name);
        }
    }
}

/// The trace that the caller asks us to join.
fn trace_context<B>(request: &Request<B>) -> Option<TraceContext> {
    let headers = request.headers();
    if !headers.contains_key("traceparent") {
        return None;
    }
    let of = |name: &'static str| {
        headers
            .get_all(name)
            .into_iter()
            .map(move |value| (name, value.as_bytes()))
    };
    TraceContext::from_headers(of("traceparent").chain(of("tracestate")))
}

/// The member `request` of the transaction's context, and a comma.
fn request_context<B>(request: &Request<B>, facts: Facts, settings: &Snapshot) -> Vec<u8> {
    let (headers, uri) = (request.headers(), request.uri());
    let head = Head {
        method: request.method().as_str(),
        version: version(request.version()),
        secure: uri.scheme_str() == Some("https"),
        authority: uri.authority().map(|authority| authority.as_str()),
        path: uri.path(),
        query: uri.query(),
        peer: (facts.peer)(request.extensions()),
    };
    let origin = || {
        let (secure, host) = match settings.use_forwarded_headers {
            true => forwarded(headers),
            false => (None, None),
        };
        let host = host
            .or_else(|| text(headers, header::HOST))
            .or(head.authority);
        (secure.unwrap_or(head.secure), host.map(Cow::Borrowed))
    };
    let cookies = || Some(headers.get(header::COOKIE)?.as_bytes());
    with_cache(|cache| {
        let mut out = Vec::with_capacity(1024);
        head.write(
            &mut out,
            settings,
            cache,
            || pairs(headers),
            origin,
            cookies,
        );
        out
    })
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        Version::HTTP_3 => "3.0",
        _ => "1.1",
    }
}
