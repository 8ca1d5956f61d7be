//! Drop-in replacements for the functions of actix-web that leave the current task, and its context, behind.

use std::future::Future;

use actix_web::error::BlockingError;

use crate::recording::context::Context;

/// [`actix_web::web::block`] that takes the current transaction and span along: queries in `closure` become spans.
///
/// ```
/// # use actix_web::{HttpResponse, Responder};
/// async fn handler() -> actix_web::Result<impl Responder> {
///     let rows = apm_agent::actix::block(|| 7 /* a query */).await?;
///     Ok(HttpResponse::Ok().json(rows))
/// }
/// ```
pub fn block<F, R>(closure: F) -> impl Future<Output = Result<R, BlockingError>>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let context = Context::current();
    actix_web::web::block(move || context.run_once(closure))
}

/// [`actix_web::rt::spawn`] that takes the current transaction and span along.
///
/// The transaction still ends with its request; spans of the task that end later are reported by themselves.
pub fn spawn<F>(future: F) -> actix_web::rt::task::JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    actix_web::rt::spawn(Context::current().wrap(future))
}
