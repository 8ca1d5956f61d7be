//! The one port: who may ask, what is answered where.

use std::net::SocketAddr;

use actix_web::{HttpResponse, web};

use crate::config::Config;

/// What every handler needs.
#[derive(Debug)]
pub(crate) struct Shared {
    #[expect(dead_code, reason = "the Host check reads it")]
    addrs: Vec<SocketAddr>,
}

impl Shared {
    pub(crate) fn new(_config: &Config, addrs: Vec<SocketAddr>) -> Self {
        Self { addrs }
    }
}

/// All routes of the server.
pub(crate) fn configure(app: &mut web::ServiceConfig) {
    app.route(
        "/healthz",
        web::get().to(async || HttpResponse::Ok().body("ok\n")),
    );
}
