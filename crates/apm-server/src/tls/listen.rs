//! Listening for encrypted connections. actix's own way offers HTTP/2 to whoever asks for it; here HTTP/1.1 is spoken alone.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_http::{Extensions, HttpService, Request, Response};
use actix_server::{Server, ServerBuilder};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, map_config,
};
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use rustls::ServerConfig;
use tokio::sync::Notify;

use super::Encrypted;
use crate::config::Config;

/// Listens as `HttpServer` does for plain connections. `builder` has the limits of the server; `stopping` tells idle connections to end.
pub(crate) fn listen<F, I, S, B>(
    mut builder: ServerBuilder,
    listeners: Vec<TcpListener>,
    (tls, config): (&ServerConfig, &Config),
    stopping: &Arc<Notify>,
    app: F,
    on_connect: impl Fn(&TcpStream, &mut Extensions) + Clone + Send + 'static,
) -> io::Result<Server>
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
        let (app, on_connect) = (app.clone(), on_connect.clone());
        let (tls, stopping) = (tls.clone(), Arc::clone(stopping));
        let (keep_alive, patience) = (config.idle_timeout, config.read_timeout);
        builder = builder.listen("https", listener, move || {
            let (on_connect, stopping) = (on_connect.clone(), Arc::clone(&stopping));
            let app = app()
                .into_factory()
                .map_err(|error| error.into().error_response());
            HttpService::build()
                .keep_alive(keep_alive)
                .client_request_timeout(patience)
                .client_disconnect_timeout(crate::server::LINGER)
                .graceful_shutdown_signal(move || {
                    let stopping = Arc::clone(&stopping);
                    async move { stopping.notified().await }
                })
                .on_connect_ext(move |stream: &TlsStream<TcpStream>, data| {
                    data.insert(Encrypted);
                    on_connect(stream.get_ref().0, data);
                })
                .h1(map_config(app, |()| AppConfig::default()))
                .rustls_0_23(tls.clone())
        })?;
    }
    Ok(builder.run())
}
