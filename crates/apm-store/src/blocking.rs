//! Work on a thread for blocking work.

use std::any::Any;
use std::panic::resume_unwind;

use super::error::StoreError;

/// Work, and its result, without their types: the runtime's code for a task is compiled once, and not for each query.
type Work = Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>;

/// Runs `work` on a thread for blocking work. A panic goes on in the caller.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = spawn(Box::new(move || Box::new(work()))).await?;
    done.downcast()
        .map_or(Err(StoreError::Closed), |done| Ok(*done))
}

/// The error says that the runtime ended.
async fn spawn(work: Work) -> Result<Box<dyn Any + Send>, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        Err(_) => Err(StoreError::Closed),
    }
}
