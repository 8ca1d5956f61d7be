//! Dogs, by hyper alone: HTTP/1 and HTTP/2 on one port, and calls by gRPC as tonic makes them, without tonic. The layer
//! around it is the one for axum.

use std::convert::Infallible;
use std::io;

use apm_agent::Agent;
use apm_agent::tower::ApmLayer;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::channel::{Channel, Sender};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

/// The route of a request, for the name of its transaction.
#[derive(Clone, Copy, Debug)]
struct Route(&'static str);

/// Serves until the listener fails.
///
/// # Errors
/// Those of the listener.
pub async fn serve(listener: TcpListener, agent: &Agent) -> io::Result<()> {
    let layer = ApmLayer::new(agent).route(|found| found.get::<Route>().map(|route| route.0));
    let service = ServiceBuilder::new()
        .map_request(with_route)
        .layer(layer)
        .service(service_fn(answer));
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            // A client that goes away is no error of the service.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn with_route(mut request: Request<Incoming>) -> Request<Incoming> {
    if request.uri().path().starts_with("/dogs/") {
        request.extensions_mut().insert(Route("/dogs/{name}"));
    }
    request
}

async fn answer(request: Request<Incoming>) -> Result<Response<Channel<Bytes>>, Infallible> {
    let (sender, body) = Channel::new(1);
    let mut response = Response::new(body);
    let path = request.uri().path();
    if let Some(method) = path.strip_prefix("/dogs.Directory/") {
        // The status of gRPC: found, or an error of the service.
        let status = if method == "Find" { "0" } else { "13" };
        let kind = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static(status));
        tokio::spawn(stream(sender, Some(trailers)));
    } else if path.starts_with("/dogs/") {
        tokio::spawn(stream(sender, None));
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

/// Sends a body piece by piece. A client that does not want it to its end closes the channel.
async fn stream(mut to: Sender<Bytes>, trailers: Option<HeaderMap>) {
    for piece in [&b"\0\0\0\0\x03"[..], b"Rex"] {
        if to.send_data(Bytes::from_static(piece)).await.is_err() {
            return;
        }
    }
    if let Some(trailers) = trailers {
        let _ = to.send_trailers(trailers).await;
    }
}
