//! A connection that is asked for plans, whatever the database.

use super::plan::Plan;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unexplained {
    #[error(transparent)]
    Open(#[from] diesel::ConnectionError),
    #[error(transparent)]
    Query(#[from] diesel::result::Error),
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    #[error("the server is not reached: {0}")]
    Unreached(#[from] std::io::Error),
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    #[error("the database answered with no plan that is understood")]
    Answer,
}

/// A connection that asks for plans, and does nothing else.
pub(super) trait Explain {
    /// The version of the schema; `None` where the database has no such number.
    fn schema_version(&mut self) -> Result<Option<i64>, Unexplained> {
        Ok(None)
    }

    /// A hash of the statistics by which plans are made; 0 where there are none, or are not looked at.
    fn statistics(&mut self) -> u64 {
        0
    }

    /// The plan of a statement, which is not run.
    fn plan(&mut self, sql: &str) -> Result<Plan, Unexplained>;
}
