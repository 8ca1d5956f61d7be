//! The service that a row is about, in an environment.

use diesel::prelude::*;
use diesel::sql_types::Text;

/// A service in an environment.
#[derive(Clone, Debug, QueryableByName)]
pub(super) struct Place {
    #[diesel(sql_type = Text)]
    pub(super) service: String,
    /// May be empty.
    #[diesel(sql_type = Text)]
    pub(super) environment: String,
}

impl Place {
    /// Its name in a message, with the environment where there is one.
    pub(super) fn name(&self) -> String {
        match &*self.environment {
            "" => self.service.clone(),
            environment => format!("{} ({environment})", self.service),
        }
    }
}
