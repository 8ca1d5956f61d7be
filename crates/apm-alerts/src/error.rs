//! Why something about alerts was not done.

use apm_store::{StoreError, SubmitError};

/// Why something about alerts was not done. Each message names what was wrong and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlertError {
    /// A rule or a receiver that cannot be.
    #[error("{0}")]
    Invalid(String),
    /// There is no rule or receiver of this name.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// A rule or a receiver.
        what: &'static str,
        /// Its id or name.
        name: String,
    },
    /// It is written in the configuration file, and is changed there.
    #[error("`{0}` is in the configuration file: change it there, and start the server again")]
    OfFile(String),
    /// The database cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer takes nothing.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl From<diesel::result::Error> for AlertError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl AlertError {
    pub(crate) fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }
}
