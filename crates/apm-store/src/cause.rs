//! The causes of an error.

use std::error::Error;

/// The innermost cause, which says what happened; those around it, that something did.
pub fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(inner) = inner(cause) {
        cause = inner;
    }
    cause
}

/// The cause of an error. One of the system may hold another that it does not call its source.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let held = error.downcast_ref::<std::io::Error>();
    match held.and_then(std::io::Error::get_ref) {
        Some(held) => Some(held),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_innermost_cause_is_found_within_errors_of_the_system() {
        let innermost_one = io::Error::other("no such host");
        let around = io::Error::other(io::Error::other(innermost_one));
        assert_eq!(innermost(&around).to_string(), "no such host");
        let alone = io::Error::from(io::ErrorKind::NotFound);
        assert!(std::ptr::addr_eq(innermost(&alone), &alone));
    }
}
