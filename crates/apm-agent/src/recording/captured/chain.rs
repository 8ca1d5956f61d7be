//! An error value and its causes, as type names and messages.

use std::error::Error;
use std::fmt::{Debug, Display};

use crate::util::bounded::Bounded;
use crate::util::wildcard::WildcardList;

/// Causes that are followed; guards against chains that never end.
pub(crate) const MAX_CAUSES: usize = 50;
/// Bytes of one message that are kept.
const MAX_MESSAGE: usize = 16 * 1024;

/// One error of a chain.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) type_name: Option<String>,
    /// The path in front of the type's name.
    pub(crate) module: Option<String>,
    pub(crate) message: String,
}

impl Cause {
    /// Whether errors of this type are not wanted: by its name, with or without the path in front.
    pub(crate) fn is_filtered(&self, types: &WildcardList) -> bool {
        let Some(name) = self.type_name.as_deref().filter(|_| !types.is_empty()) else {
            return false;
        };
        types.matches(name)
            || self
                .module
                .as_ref()
                .is_some_and(|module| types.matches(&format!("{module}::{name}")))
    }
}

/// The error itself first, then what caused it.
pub(crate) fn chain_of<E: Error + ?Sized>(error: &E) -> Vec<Cause> {
    let full = std::any::type_name::<E>();
    // A trait object hides its type; its debug text often begins with it.
    let first = if full.starts_with("dyn ") {
        Cause {
            type_name: type_of_debug(&error, &error),
            module: None,
            message: message(error),
        }
    } else {
        let (module, name) = split_type(full);
        Cause {
            type_name: Some(name),
            module,
            message: message(error),
        }
    };
    let mut chain = vec![first];
    let mut source = error.source();
    while let Some(cause) = source {
        if chain.len() > MAX_CAUSES {
            break;
        }
        chain.push(Cause {
            type_name: type_of_debug(&cause, &cause),
            module: None,
            message: message(cause),
        });
        source = cause.source();
    }
    chain
}

/// `my_app::db::Error<T>` in `my_app::db` and `Error<T>`.
fn split_type(full: &str) -> (Option<String>, String) {
    // Paths of type parameters are not the type's own path.
    let plain = full.split('<').next().unwrap_or(full);
    match plain.rfind("::") {
        Some(at) => (Some(full[..at].to_owned()), full[at + 2..].to_owned()),
        None => (None, full.to_owned()),
    }
}

/// The identifier that derived debug output begins with. `None` if the debug text is only the message again, or begins
/// with something else.
pub(crate) fn type_of_debug(debug: &dyn Debug, display: &dyn Display) -> Option<String> {
    let text = Bounded::format(format_args!("{debug:?}"), MAX_MESSAGE);
    if text == message(display) {
        return None;
    }
    let name: String = text
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .take(256)
        .collect();
    name.starts_with(char::is_uppercase).then_some(name)
}

/// The message of an error, as it says itself.
pub(crate) fn message<E: Display + ?Sized>(error: &E) -> String {
    Bounded::format(format_args!("{error}"), MAX_MESSAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write people")]
    struct WriteFailed(#[source] std::num::ParseIntError);

    #[test]
    fn a_chain_names_types_and_messages_from_the_outside_in() {
        let error = WriteFailed("x".parse::<i32>().unwrap_err());
        let chain = chain_of(&error);
        assert_eq!(chain[0].type_name.as_deref(), Some("WriteFailed"));
        assert!(
            chain[0]
                .module
                .as_deref()
                .unwrap()
                .ends_with("captured::chain::tests")
        );
        assert_eq!(chain[0].message, "cannot write people");
        assert_eq!(chain[1].type_name.as_deref(), Some("ParseIntError"));
        assert_eq!(chain[1].message, "invalid digit found in string");
    }

    #[test]
    fn a_hidden_type_is_read_from_its_debug_text() {
        let error: Box<dyn Error> = Box::new(WriteFailed("x".parse::<i32>().unwrap_err()));
        assert_eq!(
            chain_of(&*error)[0].type_name.as_deref(),
            Some("WriteFailed")
        );
        let error: Box<dyn Error> = "only text".into();
        assert_eq!(chain_of(&*error)[0].type_name, None);
    }

    #[test]
    fn a_chain_that_never_ends_is_cut() {
        #[derive(Debug)]
        struct Endless;
        impl std::fmt::Display for Endless {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("again")
            }
        }
        impl Error for Endless {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&Endless)
            }
        }
        assert_eq!(chain_of(&Endless).len(), MAX_CAUSES + 1);
    }
}
