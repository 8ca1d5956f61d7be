//! Errors of the command line without the passwords that stand in addresses.

use apm_server::output::without_user;
use clap::error::{ContextKind, ContextValue};

/// The error with `…` in the place of a user and a password before the host of the value that is wrong: what is wrong
/// with options is logged, and read by others than those who set them.
pub(crate) fn masked(mut error: clap::Error) -> clap::Error {
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => without_user(value),
        _ => return error,
    };
    error.insert(ContextKind::InvalidValue, ContextValue::String(value));
    error
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_password_in_an_address_that_is_wrong_is_not_said() {
        for (option, value) in [
            ("--elasticsearch", "http://me:secret@es:99999"),
            ("--elasticsearch", "me:secret@es"),
            ("--apm-public-url", "ftp://me:secret@es"),
        ] {
            let line = ["pocket-apm", "server", option, value];
            let error = Cli::command().try_get_matches_from(line).unwrap_err();
            let said = masked(error).render().to_string();
            assert!(!said.contains("secret"), "{said}");
            assert!(said.contains(option) && said.contains("…@es"), "{said}");
        }
        let line = ["pocket-apm", "server", "--apm-max-age", "long"];
        let error = Cli::command().try_get_matches_from(line).unwrap_err();
        assert!(masked(error).render().to_string().contains("'long'"));
    }
}
