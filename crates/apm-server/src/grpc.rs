//! OTLP over gRPC, on a listener of its own.
//!
//! actix cannot send the trailers that end each answer of gRPC, so HTTP/2 is spoken here by `h2` (ADR 210). Only what
//! OTLP needs of gRPC is there: three unary methods.
//!
//! Bounds: connections share the table and the limits of all others; streams, windows and headers of each are limited
//! in [`connection`]; messages in `apm_intake::Intake::export`, as bodies over HTTP are.

mod answer;
mod call;
mod connection;
mod message;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_server::ServerBuilder;
use actix_web::web;
use tokio::sync::Notify;

use crate::http::Shared;
use crate::listen::{self, Door};

/// Adds listeners to a server. `stopping` tells connections to end when their calls are answered.
pub(crate) fn listen(
    builder: ServerBuilder,
    listeners: Vec<TcpListener>,
    door: &Door,
    stopping: &Arc<Notify>,
    shared: &web::Data<Shared>,
) -> io::Result<ServerBuilder> {
    let (stopping, shared) = (Arc::clone(stopping), shared.clone());
    listen::raw(builder, listeners, door, move |wire, open, peer| {
        connection::serve(wire, open, peer, shared.clone(), Arc::clone(&stopping))
    })
}
