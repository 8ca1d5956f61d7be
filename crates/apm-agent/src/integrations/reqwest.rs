//! A span per request that reqwest makes, with the trace headers of the request.
//!
//! Redirects are followed inside of reqwest: they belong to the one span, which ends at the head of the last answer.
//! The agent's own requests never come here.

use std::future::Future;

use ::reqwest::header::{HeaderName, HeaderValue};
use ::reqwest::{Error, Request, RequestBuilder, Response};

use crate::integrations::http_client::Call;

mod sealed {
    pub trait Sealed {}
    impl Sealed for ::reqwest::RequestBuilder {}
}

/// Sends requests of reqwest as spans of the current transaction.
pub trait RequestBuilderExt: sealed::Sealed {
    /// [`RequestBuilder::send`] as an exit span, with the headers that let the service that is called join the trace.
    /// Outside of a transaction it only sends.
    ///
    /// ```
    /// use apm_agent::reqwest::RequestBuilderExt as _;
    ///
    /// # async fn example(client: reqwest::Client) -> Result<(), reqwest::Error> {
    /// let answer = client.get("https://api.example/people").send_traced().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`RequestBuilder::send`].
    fn send_traced(self) -> impl Future<Output = Result<Response, Error>> + Send;
}

impl RequestBuilderExt for RequestBuilder {
    async fn send_traced(self) -> Result<Response, Error> {
        let (client, request) = self.build_split();
        let mut request = request?;
        let call = begin(&mut request);
        let answer = client.execute(request).await;
        end(call, answer.as_ref().ok());
        answer
    }
}

/// Begins the span, and adds the trace headers.
fn begin(request: &mut Request) -> Option<Call> {
    let (call, trace) = Call::begin(request.method().as_str(), request.url().as_str())?;
    if let Some(trace) = trace {
        let headers = request.headers_mut();
        if let Ok(value) = HeaderValue::from_bytes(&trace.parent) {
            headers.insert(HeaderName::from_static("traceparent"), value);
        }
        if let Some(state) = &trace.state
            && let Ok(value) = HeaderValue::from_str(state)
        {
            headers.insert(HeaderName::from_static("tracestate"), value);
        }
    }
    call
}

fn end(call: Option<Call>, answer: Option<&Response>) {
    match (call, answer) {
        (Some(call), Some(answer)) => call.answered(answer.status().as_u16()),
        (Some(call), None) => call.failed(),
        (None, _) => {}
    }
}

/// The same for clients of the crate `reqwest-middleware`: each attempt that middleware around it makes is a span.
///
/// ```
/// let client = reqwest_middleware::ClientBuilder::new(reqwest_client())
///     .with(apm_agent::reqwest::ApmClientMiddleware)
///     .build();
/// # fn reqwest_client() -> reqwest::Client {
/// #     let tls = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into());
/// #     let tls = tls.with_safe_default_protocol_versions().unwrap();
/// #     let tls = tls.with_root_certificates(rustls::RootCertStore::empty());
/// #     reqwest::Client::builder().tls_backend_preconfigured(tls.with_no_client_auth()).build().unwrap()
/// # }
/// ```
#[cfg(feature = "reqwest-middleware")]
#[derive(Clone, Copy, Debug, Default)]
pub struct ApmClientMiddleware;

#[cfg(feature = "reqwest-middleware")]
#[async_trait::async_trait]
impl reqwest_middleware::Middleware for ApmClientMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut http::Extensions,
        next: reqwest_middleware::Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let call = begin(&mut request);
        let answer = next.run(request, extensions).await;
        end(call, answer.as_ref().ok());
        answer
    }
}
