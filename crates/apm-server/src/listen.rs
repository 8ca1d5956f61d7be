//! Listening: what happens between the socket and HTTP, for plain and for encrypted connections alike.
//!
//! A connection enters the table of connections first, then the handshake of TLS has its time, then HTTP/1.1 is spoken
//! at the pace of one request after the other ([`Paced`]). actix's own ways to listen can do neither of these, and
//! offer HTTP/2 to any client that asks for it.

mod accept;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Request, Response};
use actix_server::ServerBuilder;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use tokio::sync::Notify;

use crate::connections::Open;
use crate::pace::Paced;
use accept::Seen;
pub(crate) use accept::{Door, Encrypted, Wire};

/// The time for which a connection is kept after an answer that ends it, for the caller to read it.
pub(crate) const LINGER: std::time::Duration = std::time::Duration::from_secs(1);

/// Adds listeners for HTTP/1.1 to a server. `stopping` tells idle connections to end.
pub(crate) fn http<F, I, S, B>(
    mut builder: ServerBuilder,
    listeners: Vec<TcpListener>,
    door: &Door,
    keep_alive: std::time::Duration,
    stopping: &Arc<Notify>,
    app: F,
) -> io::Result<ServerBuilder>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: std::fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    for listener in listeners {
        let (app, door, stopping) = (app.clone(), door.clone(), Arc::clone(stopping));
        builder = builder.listen("apm", listener, move || {
            let (door, stopping) = (door.clone(), Arc::clone(&stopping));
            let app = app()
                .into_factory()
                .map_err(|error| error.into().error_response());
            let http = HttpService::build()
                .keep_alive(keep_alive)
                .client_request_timeout(door.patience)
                .client_disconnect_timeout(LINGER)
                .graceful_shutdown_signal(move || {
                    let stopping = Arc::clone(&stopping);
                    async move { stopping.notified().await }
                })
                .on_connect_ext(|stream: &Paced<Wire, Seen>, data| {
                    data.insert(stream.pace());
                    if let Some(seen) = stream.take_data() {
                        seen.tell(data);
                    }
                })
                .h1(map_config(app, |()| AppConfig::default()));
            let door = Rc::new(door);
            fn_service(move |stream: TcpStream| {
                let door = Rc::clone(&door);
                async move { door.open(stream).await }
            })
            .and_then(http)
        })?;
    }
    Ok(builder)
}

/// Adds listeners to a server whose connections `serve` answers by itself, until they end.
pub(crate) fn raw<F, D>(
    mut builder: ServerBuilder,
    listeners: Vec<TcpListener>,
    door: &Door,
    serve: F,
) -> io::Result<ServerBuilder>
where
    F: Fn(Wire, Open, SocketAddr) -> D + Send + Clone + 'static,
    D: Future<Output = ()> + 'static,
{
    for listener in listeners {
        let (door, serve) = (door.clone(), serve.clone());
        builder = builder.listen("apm", listener, move || {
            let (door, serve) = (Rc::new(door.clone()), serve.clone());
            fn_service(move |stream: TcpStream| {
                let (door, serve) = (Rc::clone(&door), serve.clone());
                async move {
                    let (wire, seen, peer) = door.admit(stream).await?;
                    serve(wire, seen.open, peer).await;
                    Ok::<_, DispatchError>(())
                }
            })
        })?;
    }
    Ok(builder)
}
